"""The Model page's look beyond DFT: refractive indices against measured ones."""

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from engine.evaluation.measured_report import NAME, median_errors
from pages.components import cached
from pages.components.charts import styled
from pages.components.colours import COLORS
from pages.components.model.error_charts import equality
from pages.components.widgets import PERCENT, PLOT, show_origin, show_table, space_group, subscripts

TITLES = {"dft": "DFT (PBE)", "predicted": "Prediction"}


def measured_indices() -> None:
    """DFT and prediction beside what was measured in a laboratory."""
    rows = cached.measured_indices()
    if rows is None:
        st.info("How far the refractive indices are from measured ones was not measured.")
        return
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.plotly_chart(
            scatter(rows), key="measured-indices", config=PLOT,
            alt="Refractive index by DFT and by the model against the measured one",
        )  # fmt: skip
    with right:
        named = rows[rows["polymorph"] != ""]
        show_table(
            {
                "all crystals": _figures(rows),
                "polymorph stated": _figures(named),
                "formula left out": _figures(rows[rows["held_out"]]),
            }
        )
        st.caption(
            "Measured: refractiveindex.info (CC0), at the wavelength where n changes least. Open circles: the "
            "measurement does not name its polymorph. PBE gives too narrow gaps and so too large indices; the "
            "model is taught to agree with PBE, but not where single calculations went astray, as with ZnO. "
            "No measurement taught it, but every network saw PBE's index or vibrations of some formulas: the last "
            "column leaves these out. Errors are those of the crystals that have both."
        )
        show_origin(cached.origin(NAME))


def scatter(rows: pd.DataFrame) -> go.Figure:
    """Indices by both ways against measured ones, with the line of equality."""
    low, high = 1.3, float(rows["measured"].max()) * 1.15
    figure = go.Figure(equality(low, high))
    names = [
        f"{subscripts(formula)} {space_group(symbol)} {material_id}<br>{source}"
        for formula, symbol, material_id, source in zip(
            rows["formula"], rows["space_group"], rows["material_id"], rows["source"], strict=True
        )
    ]
    symbols = ["circle" if polymorph else "circle-open" for polymorph in rows["polymorph"]]
    for color, (way, title) in zip((COLORS[1], COLORS[0]), TITLES.items(), strict=True):
        figure.add_scatter(
            x=rows["measured"], y=rows[way], mode="markers", name=title, text=names,
            marker={"color": color, "size": 8, "symbol": symbols, "opacity": 0.8},
            hovertemplate=f"%{{text}}<br>measured %{{x:.3f}}, {title} %{{y:.3f}}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title="measured refractive index", range=[low, high], fixedrange=True)
    figure.update_yaxes(title="refractive index", range=[low, high * 1.15], fixedrange=True)
    return styled(figure, height=400, legend=True)


def _figures(rows: pd.DataFrame) -> dict[str, str]:
    found = median_errors(rows)
    figures = {"crystals": f"{found['dft'][0]}"}
    for way, (_, error, signed) in found.items():
        figures[f"{TITLES[way]}, median error"] = f"{error:.1f}{PERCENT}"
        figures[f"{TITLES[way]}, signed"] = f"{signed:+.1f}{PERCENT}".replace("-", "−")
    return figures
