"""Predicted vibrations on the Model page: against phonon calculations, and against infrared spectra."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from engine.evaluation.mode_errors import ModeErrors
from engine.evaluation.vibration_report import ComparedMode, MeasuredErrors, VibrationReport
from pages.components import cached
from pages.components.widgets import INTERVAL, PERCENT, show_origin, show_table, subscripts


def vibrations(name: str) -> None:
    """Infrared modes against phonon calculations and against spectra."""
    report = cached.vibrations(name)
    if report is None:
        return
    st.subheader("Vibrations", anchor=False)
    rows: dict[str, Callable[[ModeErrors], str]] = {
        "crystals": lambda e: f"{e.crystals:,}",
        "infrared TO": lambda e: f"{e.infrared_frequency:.1f} cm⁻¹",
        "LO–TO of the strongest": lambda e: f"{e.splitting:.0f}{PERCENT}",
        "strength of the strongest": lambda e: f"{e.strength:.0f}{PERCENT}",
        f"TO inside the {INTERVAL}": lambda e: f"{e.frequency_coverage:.0f}{PERCENT}",
        "strength inside": lambda e: f"{e.strength_coverage:.0f}{PERCENT}",
    }
    show_table({m: {title: text(e) for title, text in rows.items()} for m, e in report.errors.items()})
    st.caption(
        "Median errors of what PBEsol would give against phonon calculations by it, on formulas left out, of "
        "crystals that these find stable, by the way to the ionic part. The strongest is the group of alike modes "
        "that adds most to the static tensor."
    )
    show_origin(cached.origin(f"modes-{name}"))
    if not report.measured:
        return
    with st.expander(f"Against infrared spectra of {report.crystals} crystals"):
        _measured(report)


def _measured(report: VibrationReport) -> None:
    """Each mode, measured, predicted and by DFT, and what errors come to."""
    ways: dict[str, Callable[[MeasuredErrors], str]] = {
        "modes": lambda e: f"{e.modes}",
        "TO": lambda e: f"{e.transverse:.1f}{PERCENT}",
        "LO": lambda e: f"{e.longitudinal:.1f}{PERCENT}",
        "TO, formula left out": lambda e: f"{e.transverse_held_out:.1f}{PERCENT}",
        "LO, formula left out": lambda e: f"{e.longitudinal_held_out:.1f}{PERCENT}",
    }
    show_table({one.way: {title: text(one) for title, text in ways.items()} for one in report.against_measured})
    st.caption(
        "Median errors against frequencies measured at room temperature. Predicted as PBE or PBEsol has it, in "
        "the cell that diffraction finds then, or as PBE relaxed it; DFT is PBEsol in its own relaxed cell, from "
        "Kyoto University's phonon database. Of formulas not left out, phonon calculations taught every network; "
        "measured frequencies taught none. PBEsol was chosen with these crystals in view."
    )
    rows = [_row(one) for one in report.measured]
    st.dataframe(pd.DataFrame(rows).round(1), hide_index=True, key="measured-modes")
    st.caption(
        f"In cm⁻¹, as PBEsol has them where it does not say PBE; low and high are the {INTERVAL} of TO, for DFT. "
        "Modes of one symmetry are paired in order. Left out: no network that answered knew the formula. Warned: "
        f"the prediction comes with a doubt. {_far_off(report)}"
    )
    show_origin(cached.origin("measured_modes"))


def _row(one: ComparedMode) -> dict[str, object]:
    return {
        "crystal": subscripts(one.formula),
        "phase": one.phase,
        "mode": one.label,
        "TO, measured": one.measured[0],
        "TO": one.predicted[0],
        "low": one.interval and one.interval[0],
        "high": one.interval and one.interval[1],
        "TO, PBE": one.as_pbe[0],
        "TO, DFT": one.dft[0],
        "LO, measured": one.measured[1],
        "LO": one.predicted[1],
        "LO, PBE": one.as_pbe[1],
        "LO, DFT": one.dft[1],
        "left out": one.held_out,
        "warned": one.warned,
        "source": one.source,
    }


def _far_off(report: VibrationReport) -> str:
    """Which modes are far off, and whether users are warned."""
    found = [
        f"{subscripts(one.formula)} {one.label} ({'warned' if one.warned else 'no warning'})" for one in report.far
    ]
    return f"More than 20{PERCENT} off in TO: {', '.join(found)}." if found else ""
