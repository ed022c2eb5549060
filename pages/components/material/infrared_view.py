"""How a crystal answers light between the terahertz and the near infrared: spectra, modes, charges, files."""

from contextlib import suppress
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from engine.crystals.material import Material
from engine.data.dft_modes import DftModes, dft_modes_of
from engine.errors import EngineError
from engine.prediction.prediction import Prediction
from engine.prediction.spectra import Sweep, born_file, phonopy_file, spectrum_file, unitcell_file
from engine.tensors.principal_axes import conventional_cell
from engine.vibrations.curves import Curve, curves, shown_frequencies
from engine.vibrations.modes import Modes
from engine.vibrations.pairing import places
from engine.vibrations.site_charges import site_charges
from engine.vibrations.units import UNITS
from pages.components.crystal import viewer
from pages.components.crystal.frame import SCRIPT
from pages.components.material.direction_view import direction_text
from pages.components.material.infrared_charts import QUANTITIES, REFLECTIVITY, spectrum
from pages.components.widgets import DASH, PLOT, number, show_table

OFTEN_OFF = {  # see `Modes.delicate`
    "full": "6 % of the polar ones are more than 20 % off DFT, of others 1 %",
    "direct": "20 % of the polar ones are more than 20 % off DFT, of others 4 %",
}
AMPLITUDE = 0.22  # Å, of the atom that moves most
LISTED = 3  # modes of one kind that are named
LOW = 240  # pixels of a spectrum that stands among other things
DFT = "TO, DFT"
BY_PBESOL = (
    "As PBEsol has them, the functional of the phonon calculations that taught the vibrations; the tensors by PBE "
    "differ a little from these limits."
)
IN_CELL_OF_PBE = (
    "The crystal is as PBE relaxed it, a little too large: measured frequencies are mostly higher, by a tenth in "
    "alkali and alkaline earth halides."
)
UNIT_NAMES = {"cm^-1": "cm⁻¹", "THz": "THz", "meV": "meV", "µm": "µm"}


def infrared(prediction: Prediction | None, dft: Material | None, key: str) -> None:
    """Spectra of the predicted modes, the modes to click, DFT's beside, Born charges, and files of them."""
    asked, prediction = prediction, None if prediction is None else prediction.vibrating
    modes = None if prediction is None else prediction.modes
    if asked is None or prediction is None:
        st.caption("No predicted tensor is shown here, and so no spectrum.")
        return
    if modes is None and asked.likely_metal:
        st.caption("The free electrons of a metal answer light in place of its vibrations: there is no spectrum.")
        return
    if modes is None or prediction.electronic is None:
        st.caption(
            "This model makes its ionic tensor without vibrations: there is no spectrum. The default one does."
        )
        return
    if asked.low_dimensional:
        st.caption(
            "No spectrum is drawn: it would be that of the box, which is no material, and would change with the "
            "vacuum."
        )
        return
    if not len(modes):
        st.caption("With one atom in the primitive cell there is no vibration that light could meet.")
        return
    _doubts(modes, prediction.ionic_method)
    moved = _chosen_mode(modes, key)
    _spectrum(prediction, modes, moved, key)  # first, for it is what the visitor came for
    if dft is not None:
        st.caption(IN_CELL_OF_PBE)
    left, right = st.columns([7, 5], gap="large")
    with left:
        _modes_table(prediction, modes, dft, key)
    with right:
        _motion(prediction, modes, moved, key)
    left, right = st.columns([7, 5], gap="large")
    with left:
        _charges(prediction)
    with right:
        _charges_drawn(prediction, key)
    _files(asked, prediction, key)


def _doubts(modes: Modes, ionic_method: str | None) -> None:
    """Which modes are none to trust."""
    unstable = [_named(modes, one[0]) for one in modes.sets if modes.unstable[one[0]]]
    soft = [_named(modes, one[0]) for one in modes.sets if modes.soft[one[0]] and not modes.unstable[one[0]]]
    said = []
    if unstable:
        said.append(
            f"Unstable, of imaginary frequency: {', '.join(unstable)}. The crystal would lower its energy "
            "by moving along; what such a mode adds to the spectrum is held at a made-up frequency and not marked."
        )
    if soft:
        said.append(f"Soft: {', '.join(soft)}. Frequency and strength depend on the smallest choices.")
    delicate = [one[0] for one in modes.sets if modes.delicate[one[0]] and not modes.soft[one[0]]]
    if delicate:
        names = ", ".join(_named(modes, index) for index in delicate[:LISTED])
        more = f" and {len(delicate) - LISTED} more" if len(delicate) > LISTED else ""
        said.append(
            f"Far softer than the stiffest: {names}{more}. Such frequencies are small differences of large "
            f"forces: {OFTEN_OFF['full' if ionic_method == 'full' else 'direct']}."
        )
    if said:
        st.warning("  \n".join(said), icon=":material/info:")


def _named(modes: Modes, index: int) -> str:
    return f"{modes.labels[index]} {_frequency(modes.wavenumbers[index])} cm⁻¹"


def _frequency(wavenumber: float) -> str:
    """An imaginary one with an i behind it, as it is written."""
    return f"{abs(wavenumber):.0f}{'i' if wavenumber < 0 else ''}"


def _spectrum(prediction: Prediction, modes: Modes, moved: int, key: str) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        quantity = st.segmented_control(
            "Spectrum", QUANTITIES, default=QUANTITIES[0], key=f"{key}-quantity", required=True, width="content"
        )
        unit = st.segmented_control(
            "Axis", UNITS, default=UNITS[0], format_func=UNIT_NAMES.__getitem__, key=f"{key}-unit", required=True,
            width="content",
        )  # fmt: skip
        damping = st.slider(
            "Damping (cm⁻¹)", 1, 60, 8, key=f"{key}-damping", width=220,
            help="Full width of every mode, yours to choose: the model says nothing of how fast modes decay.",
        )  # fmt: skip
    found, wavenumber = _curves(prediction, modes, float(damping))
    st.plotly_chart(
        spectrum(found, wavenumber, quantity, unit, moved=moved), key=f"{key}-spectrum", config=PLOT,
        alt=f"{quantity} against frequency, field {', '.join(found)}",
    )  # fmt: skip
    st.caption(
        "Lines are transverse modes (TO), broken lines their longitudinal partners (LO), between which a crystal "
        "reflects most; a grey band stands for an unstable one. Triangles: static and electronic permittivity. "
        + " ".join(
            f"Field {name}: ε(0) = {number(one.static)}, ε∞ = {number(one.fast)}." for name, one in found.items()
        )
        + (" " + BY_PBESOL if prediction.functional == "PBEsol" else "")
    )


def reflectivity(prediction: Prediction, modes: Modes, key: str) -> None:
    """The share of light that the crystal reflects, along each principal axis, with the usual damping."""
    damping = Sweep().damping
    figure = spectrum(*_curves(prediction, modes, damping), REFLECTIVITY, UNITS[0])
    figure.update_layout(height=LOW, margin_t=60, legend_y=1.2)
    st.plotly_chart(figure, key=f"{key}-reflectivity", config=PLOT, alt="Reflectivity against wavenumber")
    functional = f" by {prediction.functional}" if prediction.functional != "PBE" else ""
    st.caption(f"Predicted{functional}, at normal incidence, with a damping of {damping:g} cm⁻¹.")


def _curves(prediction: Prediction, modes: Modes, damping: float) -> tuple[dict[str, Curve], np.ndarray]:
    """What the field is along -> curve, and the frequencies, cm^-1."""
    wavenumber = shown_frequencies(modes, damping)
    found = curves(modes, conventional_cell(prediction.structure), wavenumber, damping)
    return {_axis_name(one): one for one in found}, wavenumber


def _axis_name(curve: Curve) -> str:
    axis = curve.axis
    if axis.times == 3:
        return "in every direction"
    return f"⟂ {direction_text(axis)}" if axis.times == 2 else f"∥ {direction_text(axis)}"


def _chosen_mode(modes: Modes, key: str) -> int:
    """Index of the multiplet that was clicked in the table, at first of the strongest."""
    table = st.session_state.get(f"{key}-modes")
    clicked = table["selection"]["rows"] if table else []
    return clicked[0] if clicked and clicked[0] < len(modes.sets) else int(modes.set_strengths.argmax())


def _modes_table(prediction: Prediction, modes: Modes, dft: Material | None, key: str) -> None:
    """The multiplets as rows to click."""
    st.markdown("**Vibrations at the zone centre** :gray[click one to see it]")
    known = None if dft is None else dft_modes_of(dft.material_id)
    beside = None if known is None else places(modes, known)
    rows = _mode_rows(prediction, modes)
    if known is not None and beside is not None:
        rows.insert(2, DFT, [_frequency(known.wavenumbers[place]) for place in beside])
    st.dataframe(
        rows,
        hide_index=True,
        key=f"{key}-modes",
        on_select="rerun",
        selection_mode="single-row",
        height=min(36 * (len(modes.sets) + 1) + 2, 380),
        alt="Vibrations with their symmetry, frequency and strength",
    )
    if known is not None and beside is not None:
        _about_dft(known)


def _about_dft(known: DftModes) -> None:
    unstable = " By DFT the crystal is unstable: imaginary frequencies have an i." if known.unstable else ""
    st.caption(
        f"{DFT}: phonon calculation by PBEsol, in its own relaxed cell, of Kyoto University's phonon database "
        "(A. Togo, CC BY 4.0). Of modes alike in symmetry, the n-th softest stands beside the n-th softest."
        f"{unstable}"
    )


def _mode_rows(prediction: Prediction, modes: Modes) -> pd.DataFrame:
    first = [one[0] for one in modes.sets]
    spans = [DASH] * len(first), [DASH] * len(first)
    with suppress(EngineError):  # a model without such a calibration
        found = prediction.mode_intervals()
        spans = (
            [_span(one, 0) for one in found.wavenumber],
            [_span(one, 3 if one[1] < 1 else 2) for one in found.strength],
        )
    return pd.DataFrame(
        {
            "symmetry": [
                f"{modes.labels[i]}" + (f" ×{len(s)}" if len(s) > 1 else "")
                for i, s in zip(first, modes.sets, strict=True)
            ],
            "TO (cm⁻¹)": [_frequency(modes.wavenumbers[i]) for i in first],
            "90 %": spans[0],
            "strength Δε": [
                number(x) if modes.infrared[i] else DASH for i, x in zip(first, modes.set_strengths, strict=True)
            ],
            "90 % of it": spans[1],
            "seen in": [_seen(bool(modes.infrared[i]), bool(modes.raman[i])) for i in first],
        }
    )


def _span(bounds: np.ndarray, digits: int) -> str:
    return f"{bounds[0]:.{digits}f}–{bounds[1]:.{digits}f}" if np.isfinite(bounds).all() else DASH


def _seen(infrared: bool, raman: bool) -> str:
    return ", ".join(name for name, active in (("infrared", infrared), ("Raman", raman)) if active) or "neither"


def _motion(prediction: Prediction, modes: Modes, moved: int, key: str) -> None:
    index = modes.sets[moved][0]
    imaginary = "i" if modes.unstable[index] else ""
    other = f"{abs(modes.thz[index]):.2f}{imaginary} THz, {abs(modes.mev[index]):.1f}{imaginary} meV"
    st.markdown(f"**{_named(modes, index)}** :gray[{other}]")
    motion = AMPLITUDE * modes.displacements[index]
    viewer.draw(prediction.structure, 1, f"{key}-mode", None, flat=_flat(key), motion=motion)
    if len(modes.sets[moved]) > 1:
        st.caption(f"One of {len(modes.sets[moved])} that symmetry makes alike.")


def _charges(prediction: Prediction) -> None:
    if prediction.ions is None:
        return
    st.markdown("**Born charges** :gray[e, beside common oxidation states]")
    rows = site_charges(prediction.ions)
    columns: dict[str, dict[str, str]] = {"mean": {}, "xx, yy, zz": {}, "oxidation state": {}}
    for place, one in enumerate(rows, start=1):
        name = f"{place}. {one.element}" + (f" ×{one.times}" if one.times > 1 else "")
        columns["mean"][name] = f"{np.trace(one.charge) / 3:+.2f}".replace("-", "−")
        columns["xx, yy, zz"][name] = ", ".join(f"{x:+.2f}".replace("-", "−") for x in np.diag(one.charge))
        state = DASH if one.oxidation is None else f"{one.oxidation:+.3g}".replace("-", "−")
        columns["oxidation state"][name] = state
    show_table(columns)
    st.caption(
        "A Born charge is how much the polarisation changes when an atom moves, per length of its way: more than "
        "the oxidation state where bonds change with it. All nine components are in BORN, first index the field."
    )


def _charges_drawn(prediction: Prediction, key: str) -> None:
    """The charges on the atoms, where the visitor wants them: each drawing costs a moment."""
    if prediction.born_charges is None or not st.toggle("Born charges on the atoms", key=f"{key}-charges"):
        return
    viewer.draw(prediction.structure, 1, f"{key}-charged", None, flat=_flat(key), charges=prediction.born_charges)
    st.caption(
        "An atom that moves along an axis of its ellipsoid adds that charge, times its way, to the polarisation; "
        "drawn are the symmetric parts, all on one scale."
    )


def _flat(key: str) -> bool:
    """Whether the visitor's drawings do without WebGL."""
    return st.session_state.get(f"{key}-flat", not SCRIPT.is_file())


def _files(asked: Prediction, vibrating: Prediction, key: str) -> None:
    name, sweep = asked.formula, Sweep(damping=float(st.session_state[f"{key}-damping"]))
    with st.container(horizontal=True, vertical_alignment="center"):
        for title, file, make in (
            ("BORN", "BORN", partial(born_file, vibrating)),
            ("phonopy_params.yaml", "phonopy_params.yaml", partial(phonopy_file, vibrating)),
            ("unitcell.yaml", "unitcell.yaml", partial(unitcell_file, asked)),
            ("ε(ω) as CSV", f"{name}-permittivity.csv", partial(spectrum_file, vibrating, sweep)),
        ):
            st.download_button(title, make, file, "text/plain", key=f"{key}-file-{file}", on_click="ignore")
        st.caption(
            "For phonopy, pydefect (in its comments, doped and sxdefectalign) and all that reads tables, in the "
            f"structure's axes. The table goes from {sweep.start:g} to {sweep.stop:g} cm⁻¹, damped by "
            f"{sweep.damping:g} cm⁻¹; the command line has other ranges, units, and refractiveindex.info's form."
        )
