"""Crystals that are likely metals: no tensor is drawn unless the visitor wants to see it."""

import streamlit as st

from engine.crystals.material import Material
from engine.prediction.prediction import Prediction


def stands_for_nothing(prediction: Prediction, dft: Material | None) -> bool:
    """Whether this is likely a metal, and DFT found no dielectric response, hence a gap, either."""
    return prediction.likely_metal and (dft is None or dft.n is None)


def unless_metal(prediction: Prediction | None, dft: Material | None, key: str) -> Prediction | None:
    """The prediction; None for a likely metal, after saying so, unless its numbers are asked for all the same."""
    if prediction is None or not stands_for_nothing(prediction, dft):
        return prediction
    st.markdown(f":material/bolt: **Likely a metal** ({100 * prediction.metallic:.0f} %): no tensor is drawn.")
    return prediction if st.toggle("Show the numbers all the same", key=f"{key}-metal") else None
