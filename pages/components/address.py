"""The page's address: what the server knows of it, and which steps the browser's Back takes."""

from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.state.query_params import _coerce_value_for_query_url

# Streamlit adds an entry to the browser's history for each message about the address, also for those that only
# tidy up before and after a step to another page or when a page is first drawn: Back then seems to do nothing.
ONE_ENTRY_A_STEP = """{
    const push = history.pushState.bind(history), replace = history.replaceState.bind(history);
    let step = 0, entered = 0;
    for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => step++, true);
    addEventListener("popstate", () => entered = step, true);
    history.pushState = (...entry) => {
        const write = entered === step ? replace : push;
        entered = step;
        write(...entry);
    };
}
"""


def catch_up() -> None:
    """Tell the server's copy of the address what the inputs that are bound to it hold now.

    The browser asks for a run before it writes an edit into the address, so the copy lags by that edit. Whatever
    is said of the address later in the run, also by Streamlit of inputs that are no longer drawn, would bring the
    old value back. Streamlit has no public way to this.
    """
    context = get_script_run_ctx()
    if context is None or context.is_history_navigation:  # going back, the address is ahead of the inputs
        return
    with context.session_state.query_params() as params:
        widgets = context.session_state._state._new_widget_state
        for key, binding in params._bindings_by_param.items():
            if binding.widget_id not in widgets:
                continue
            metadata, value = widgets.widget_metadata[binding.widget_id], widgets[binding.widget_id]
            if value == metadata.deserializer(None):
                params.discard_param_no_forward_msg(key)
            else:
                text = _coerce_value_for_query_url(metadata.serializer(value), binding.value_type)
                params.set_with_no_forward_msg(key, text)
