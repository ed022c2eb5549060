"""Files that a visitor brings, within the limits of the server."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from engine.crystals.reader import MAX_RUN
from engine.limits import in_force

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

MIB = 1 << 20
_DROPPED = "dropped-uploads"  # of the session's state: field -> how often, and why the last time


def uploader(
    label: str, key: str, on_change: "Callable[[Sequence[UploadedFile]], None] | None" = None
) -> "list[UploadedFile]":
    """A field for files; more of them than the server takes are dropped at once, and the reason is shown.

    Args:
        on_change: called with the files when others are there than before.
    """
    dropped, reason = st.session_state.setdefault(_DROPPED, {}).get(key, (0, ""))
    field = f"{key}-{dropped}" if dropped else key

    def changed() -> None:
        if on_change and not _too_much(st.session_state[field]):
            on_change(st.session_state[field])

    uploads = st.file_uploader(
        label,
        accept_multiple_files=True,
        key=field,
        max_upload_size=int(min(MAX_RUN >> 20, in_force().upload_mib)),
        on_change=changed,
    )
    too_much = _too_much(uploads)
    if too_much:
        st.session_state[_DROPPED][key] = (dropped + 1, too_much)  # a field of another name: the files are let go
        st.rerun()
    if reason and not uploads:
        st.error(reason, icon=":material/block:")
    return uploads


def _too_much(uploads: "Sequence[UploadedFile]") -> str:
    """Why these are more than a visitor may bring; empty where they are not."""
    limits, size = in_force(), sum(file.size for file in uploads) / MIB
    if len(uploads) > limits.upload_files:
        return f"{len(uploads):,} files were brought, and this server takes {limits.upload_files:,.0f} at once."
    if size > limits.uploads_mib:
        return f"{size:,.0f} MiB were brought, and this server takes {limits.uploads_mib:,.0f} MiB at once."
    return ""
