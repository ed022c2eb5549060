"""Crystals that are likely metals: no tensor is drawn unless the visitor wants to see it."""

import streamlit as st

from engine.prediction.prediction import Prediction


def unless_metal(prediction: Prediction | None, key: str) -> Prediction | None:
    """The prediction; None for a likely metal, after saying so, unless its numbers are asked for all the same."""
    if prediction is None or not prediction.likely_metal:
        return prediction
    st.markdown(f":material/bolt: **Likely a metal** ({100 * prediction.metallic:.0f} %): no tensor is drawn.")
    return prediction if st.toggle("Show the numbers all the same", key=f"{key}-metal") else None
