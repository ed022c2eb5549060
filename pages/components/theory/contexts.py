"""The browser's memory for drawings in three dimensions, of which a page gets little."""

import streamlit as st

# Streamlit has Plotly draw a changed figure anew, and leaves the old WebGL context to the garbage collector.
# A browser has some sixteen of them and ends the oldest, which may be one that still shows.
_GIVE_BACK = """<script>
if (!window.contextsGivenBack) {
    window.contextsGivenBack = true;
    const end = canvas => canvas.isConnected
        || canvas.getContext("webgl")?.getExtension("WEBGL_lose_context")?.loseContext();
    new MutationObserver(changes => changes.flatMap(change => [...change.removedNodes]).forEach(node => {
        if (node.nodeType !== Node.ELEMENT_NODE) return;
        const canvases = [...node.querySelectorAll("canvas"), ...(node.matches("canvas") ? [node] : [])];
        setTimeout(() => canvases.forEach(end), 0);  // a moved one is back by then
    })).observe(document.body, {childList: true, subtree: true});
}
</script>"""


def give_back_contexts() -> None:
    """End the WebGL context of a drawing as soon as it is replaced."""
    st.html(_GIVE_BACK, unsafe_allow_javascript=True)
