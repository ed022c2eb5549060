"""Who asks, for what is limited by visitor."""

import streamlit as st

NOBODY = "this machine"


def visitor() -> str:
    """The address with which the visitor signed in, else the one that the visit comes from."""
    if getattr(st.user, "is_logged_in", False):
        return str(st.user.get("email") or st.user.get("sub") or NOBODY)
    address = st.context.ip_address
    return address if isinstance(address, str) else NOBODY
