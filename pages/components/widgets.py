"""Inputs with a key, shared wording and number formats."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from html import escape

import numpy as np
import pandas as pd
import streamlit as st

from engine.crystals.material import Material
from engine.data.catalogue import energy_above_hull
from engine.data.structure_types import structure_type_of
from engine.errors import EngineError, in_words
from engine.evaluation.results import Origin
from engine.hosting.logs import event
from engine.hosting.metrics import REFUSALS
from engine.runs.folder import ASKED
from engine.runs.run import Run
from engine.tensors.metrics import TargetMetrics
from pages.components.charts import BACKBONES

SOURCES = {
    "materials-project": (
        "Materials Project, Jain et al., Commentary: The Materials Project: A materials genome approach to "
        "accelerating materials innovation, [APL Mater. 1, 011002 (2013)](https://doi.org/10.1063/1.4812323). "
        "DFPT with PBE(+U), CC BY 4.0."
    ),
    "petousis-2017": (
        "Petousis et al., High-throughput screening of inorganic compounds for the discovery of novel "
        "dielectric and optical materials, [Sci. Data 4, 160134 "
        "(2017)](https://doi.org/10.1038/sdata.2016.134). DFPT with PBE(+U); Materials Project data, CC "
        "BY 4.0."
    ),
    "matbench-dielectric": (
        "Dunn et al., Benchmarking materials property prediction methods: the Matbench test set and "
        "Automatminer reference algorithm, [npj Comput. Mater. 6, 138 "
        "(2020)](https://doi.org/10.1038/s41524-020-00406-3), from Materials Project data, CC BY 4.0. "
        "Holds the refractive index, but neither tensors nor IDs."
    ),
    "elastic-2015": (
        "De Jong et al., Charting the complete elastic properties of inorganic crystalline compounds, [Sci. Data "
        "2, 150009 (2015)](https://doi.org/10.1038/sdata.2015.9). The crystal; Materials Project data, CC BY 4.0."
    ),
    "piezoelectric-2015": (
        "De Jong et al., A database to enable discovery and design of piezoelectric materials, [Sci. Data 2, "
        "150053 (2015)](https://doi.org/10.1038/sdata.2015.53). The crystal; Materials Project data, CC BY 4.0."
    ),
    "flla-2015": (
        "Faber et al., Crystal structure representations for machine learning models of formation energies, [Int. "
        "J. Quantum Chem. 115, 1094 (2015)](https://doi.org/10.1002/qua.24917). The crystal; Materials Project "
        "data, CC BY 4.0."
    ),
}
STATES = {  # of a job, see engine/runs/job.py
    "starting": ":material/hourglass_top: starting",
    "running": ":material/play_arrow: running",
    "stopping": ":material/pause: stopping",
    "finished": ":material/check: finished",
    "stopped": ":material/stop: stopped",
    "failed": ":material/error: failed",
}
_REFUSED = "refused"  # of the session's state
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
DASH = "–"
FARTHEST = 1000  # of an interval's upper end
ON_HULL = 5e-4  # eV per atom
_IMAGE = {"displaylogo": False, "toImageButtonOptions": {"filename": "dielectric-tensors", "scale": 2}}
PLOT = _IMAGE | {"responsive": True, "modeBarButtons": [["toImage"]]}  # a chart with its download
MOVABLE = _IMAGE | {"scrollZoom": False}  # one to pan and zoom too, but not with the wheel, which scrolls the page
PERCENT = "\u00a0%"  # stays on the line of its number
INTERVAL = "90 % interval"  # the column of a table


def duration(seconds: float) -> str:
    """95 -> "1 min 35 s"; whole minutes have no seconds."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    units = {"h": hours, "min": minutes, "s": 0 if hours else rest}
    return " ".join(f"{value} {unit}" for unit, value in units.items() if value) or "0 s"


def attempt(action: Callable[[], object]) -> None:
    """Do it, or have `refusal` say why not (a callback)."""
    try:
        action()
    except (EngineError, OSError) as error:
        reason = in_words(error) if isinstance(error, OSError) else str(error)
        st.session_state[_REFUSED] = reason
        REFUSALS.labels("action").inc()
        event("refused", reason=reason)


def refusal() -> None:
    """Why what was attempted last was not done; nothing where it was."""
    reason = st.session_state.pop(_REFUSED, None)
    if reason:
        st.error(reason, icon=":material/block:")


def run_title(run: Run) -> str:
    """One line by which to tell runs apart: name, network, targets, epochs, when."""
    asked = run.config
    begun = datetime.fromtimestamp((run.folder / ASKED).stat().st_mtime).strftime("%d %b %H:%M")
    facts = [
        run.title,
        BACKBONES[asked.model.backbone],
        " and ".join(asked.model.targets),
        f"{asked.epochs} epochs",
    ]
    return " · ".join([*filter(None, facts), begun])


def subscripts(formula: str) -> str:
    """TiO2 -> TiO₂."""
    return formula.translate(_SUBSCRIPTS)


def literal(name: str) -> str:
    r"""A file's name with no underscore that Markdown takes for emphasis: _a_.cif -> \_a\_.cif."""
    return re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", name)


def space_group(symbol: str) -> str:
    """P6_3/mmc -> P6₃/mmc, and Fm-3m as it is: a bar above a digit slips onto the next one in many fonts."""
    parts = symbol.split("_")
    return escape(parts[0] + "".join(part[:1].translate(_SUBSCRIPTS) + part[1:] for part in parts[1:]))


def decimals(bounds: Sequence[float]) -> int:
    """After the point, for a value within these bounds: two digits of their width, three at most."""
    width = bounds[1] - bounds[0]
    return 3 if width <= 0 or not np.isfinite(width) else int(np.clip(1 - np.floor(np.log10(width)), 0, 3))


def uncertain(value: float, bounds: Sequence[float]) -> str:
    """A value with the digits that its interval leaves it."""
    return f"{value:.{decimals(bounds)}f}"


def number(value: float | None) -> str:
    """Three significant digits or so; a dash where there is no value."""
    if value is None or not np.isfinite(value):
        return DASH
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.2f}" if abs(value) < 100 else f"{value:.0f}"


def scientific(value: float) -> str:
    """4.8e-06 -> 4.8×10⁻⁶; zero stays 0."""
    if value == 0:
        return "0"
    digits, exponent = f"{value:.1e}".split("e")
    power = str(int(exponent)).translate(_SUPERSCRIPTS)
    return f"{digits}×10{power}".replace("-", "−")


def span(bounds: Sequence[float]) -> str:
    """An interval from its low to its high end, see `decimals`; an end beyond all sense is not written out."""
    low, high = bounds
    if low == high:
        return f"{low:g}"
    if high > FARTHEST:
        return f"{low:.0f} to over {FARTHEST:,}"
    return f"{uncertain(low, bounds)}–{uncertain(high, bounds)}"


def material_label(material: Material) -> str:
    """One line by which to tell polymorphs apart."""
    name = material.material_id or (f"n = {material.n:.2f}" if material.n is not None else "")
    kind, hull = structure_type_of(material), energy_above_hull(material)
    known = [
        subscripts(material.formula),
        space_group(material.space_group_symbol),
        f"{kind} type" if kind else "",
        name,
        "" if hull is None else "on the hull" if hull < ON_HULL else f"{hull:.2f} eV above it",
        _holds(material),
    ]
    return " · ".join(filter(None, known))


def _holds(material: Material) -> str:
    if material.electronic is not None:
        return "DFT tensors"
    return "structure alone" if material.n is None else "refractive index alone"


def written(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with formulas and space groups as one writes them."""
    groups = {symbol: space_group(symbol) for symbol in rows["space_group"].unique()}
    return rows.assign(formula=rows["formula"].map(subscripts), space_group=rows["space_group"].map(groups))


def crystal_names(rows: pd.DataFrame) -> pd.Series:
    """Formula, ID and space group of each row, to read under the pointer."""
    rows = written(rows)
    return "<b>" + rows["formula"] + "</b> " + rows["id"].fillna("") + "<br>" + rows["space_group"]


def clicked_rows(key: str) -> list[int]:
    """Rows of the points that are selected in a chart whose `customdata` is the row."""
    points = st.session_state[key]["selection"]["points"]
    return [int(np.ravel(point["customdata"])[0]) for point in points]


def show_table(columns: dict[str, dict[str, str]]) -> None:
    """A small table for reading: column title -> row title -> text; nothing where there is no row."""
    rows = list(dict.fromkeys(row for column in columns.values() for row in column))
    if not rows:
        return
    lines = ["| | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    lines += [f"| {row} | " + " | ".join(c.get(row, DASH) for c in columns.values()) + " |" for row in rows]
    st.markdown("\n".join(lines), width="stretch")


def show_metrics(metrics: Sequence[TargetMetrics]) -> None:
    """The errors of each target, with the names that published tables give them."""
    show_table({m.target: _figures(m) for m in metrics})


def show_origin(origin: Origin | None) -> None:
    """The code, day and machine that measured the figures above, and a mark where no commit holds that code."""
    if origin is None:
        st.caption("Where these figures come from is not recorded.")
        return
    day = f", {origin.date}" if origin.date else ""
    st.caption(f"Measured with code {origin.code}{day}, on {origin.machine}.")
    if origin.doubt:
        st.warning(origin.doubt, icon=":material/difference:")


def _figures(metrics: TargetMetrics) -> dict[str, str]:
    ratio = DASH if metrics.ar_mae is None else f"{metrics.ar_mae:.3f}"
    return {
        "crystals": f"{metrics.count:,}",
        "mean error of the tensor (Fnorm)": f"{metrics.fnorm:.2f}",
        "tensors within 25 % (EwT25)": f"{metrics.ewt25:.1f}{PERCENT}",
        "tensors within 10 % (EwT10)": f"{metrics.ewt10:.1f}{PERCENT}",
        "tensors within 5 % (EwT5)": f"{metrics.ewt5:.1f}{PERCENT}",
        "mean error of the mean (MAE)": f"{metrics.mae:.2f}",
        "the same, relative (MARD)": f"{metrics.mard:.1f}{PERCENT}",
        "mean error of the anisotropy ratio (AR MAE)": ratio,
    }


def show_warnings(warnings: list[str]) -> None:
    """Each reason to trust a prediction less, as a line of its own in one box."""
    if warnings:
        st.warning("  \n".join(warnings), icon=":material/info:")
