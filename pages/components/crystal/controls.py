"""Buttons in the frame of a crystal: views along its axes, the first view again, and the whole screen."""

from pages.components.colours import SLATE

FIRST = "first"
BAR = 32  # pixels above the crystal, where the buttons are
_SAID = {"a": "View along a", "b": "View along b", "c": "View along c", FIRST: "First view again"}
_WRITTEN = {FIRST: "↺"}
_CORNERS = (
    '<svg width="12" height="12" fill="none" stroke="currentColor" stroke-width="1.5">'
    '<path d="M1 4V1h3M8 1h3v3M11 8v3H8M4 11H1V8"/></svg>'
)
_STYLE = """<style>
#views {{position: absolute; top: 4px; right: 4px; z-index: 1; display: flex; gap: 2px}}
#views button {{font: 14px sans-serif; width: 26px; height: 26px; padding: 0; border-radius: 4px; cursor: pointer;
border: 1px solid {border}; background: {back}; color: {ink}}}
[id^="3dmolviewer"] {{margin-top: {bar}px}}
:fullscreen [id^="3dmolviewer"] {{height: calc(100vh - {bar}px) !important}}
</style>"""
_WHOLE_SCREEN = (
    "document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen()"
)
# The frame has its new size a moment after the event.
_FIT = (
    "<script>document.addEventListener('fullscreenchange', () => setTimeout(() => {{viewer_UNIQUEID.resize(); "
    "{look} viewer_UNIQUEID.render()}}, 200));</script>"
)


def view_buttons(looks: dict[str, str], background: str, *, dark: bool) -> str:
    """HTML for the frame; its address of the viewer is that of `frame_html`.

    Args:
        looks: what a button is called, one of "a", "b", "c" and `FIRST` -> JavaScript that turns the crystal.
        background: colour of the page.
        dark: whether that is dark.
    """
    ink = "#d5dde3" if dark else "#33404a"
    found = [
        _button(_SAID[name], _WRITTEN.get(name, name), f"{look.strip()} viewer_UNIQUEID.render()")
        for name, look in looks.items()
    ]
    found.append(_button("Whole screen", _CORNERS, _WHOLE_SCREEN))
    style = _STYLE.format(bar=BAR, border=SLATE, back=background, ink=ink)
    return f'{style}<div id="views">{"".join(found)}</div>{_FIT.format(look=looks[FIRST].strip())}'


def _button(said: str, written: str, script: str) -> str:
    return f'<button aria-label="{said}" title="{said}" onclick="{script}">{written}</button>'
