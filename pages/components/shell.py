"""What a browser loads before any page is drawn: Streamlit's own page, with our style and scripts in it.

Were they sent with the pages, each would be drawn without them first, and then jump.
"""

from pathlib import Path

import streamlit as st
from starlette.datastructures import Headers
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages.components import touch
from pages.components.address import ONE_ENTRY_A_STEP

# The code that draws charts, which Streamlit asks for as it has one to draw, and a browser reads for a second.
_CHARTS = [file.name for file in (Path(st.__file__).parent / "static/static/js").glob("PlotlyChart.*.js")]
_CONDITIONS = (b"if-none-match", b"if-modified-since")
_COMPONENT = "/component/"  # of Streamlit: a frame with a page of its own
_STYLE = """
.block-container {max-width: 1320px;}
[data-testid="stMarkdownContainer"] table {width: 100%; font-size: 0.9rem;}
[data-testid="stMarkdownContainer"] :is(th, td) {padding: 0.25rem 0.5rem 0.25rem 0; border-width: 0 0 1px 0;}
[data-testid="stMarkdownContainer"] td:first-child {opacity: 0.75;}
@media (max-width: 500px) {[data-testid="stMarkdownContainer"] table {font-size: 0.8rem;}}
ul.links {display: flex; flex-wrap: wrap; gap: 0.4rem 1.6rem; list-style: none; padding: 0 !important; margin: 0;}
[data-testid="stSlider"] label {margin-bottom: 0.5rem;}
h1 {padding: 0 0 0.2rem !important;}
kbd {opacity: 0.85 !important;}
@media (max-width: 640px) {[data-testid="stMarkdownContainer"]:has(> table) {overflow-x: auto;}}
@media print {
  header, [data-testid="stMultiSelect"], [data-testid="stTextInput"], [data-testid="stButtonGroup"],
  [data-testid="stPills"], [data-testid="stDownloadButton"], .st-key-downloads {display: none !important;}
  .stPlotlyChart, table {break-inside: avoid;}
  .stApp {zoom: 0.65;}  /* so that charts, which do not shrink with the paper, fit on it */
}
[data-testid="stCaptionContainer"] {color: inherit !important; opacity: 0.8;}
"""

_CHARTS_AHEAD = f"""for (const name of {_CHARTS}) {{
const ahead = setInterval(() => {{
    if (!document.querySelector('[data-testid="stApp"][data-test-script-state="notRunning"]')) return;
    clearInterval(ahead);
    const charts = new URL(name, document.querySelector('script[type="module"]').src);
    (window.requestIdleCallback ?? setTimeout)(() => import(charts));
}}, 100);
}}
"""


class Shell:
    """Wherever Streamlit answers with its own page, also at a mistyped address, ours is sent in its place."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.page = HTMLResponse(shell(), headers={"Cache-Control": "no-cache"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or "text/html" not in Headers(scope=scope).get("accept", ""):
            return await self.app(scope, receive, send)
        # A browser that kept the page of another Streamlit app at this address must not hear that it is the same.
        asked = [(name, value) for name, value in scope["headers"] if name not in _CONDITIONS]
        ours = False

        async def answer(message: Message) -> None:
            nonlocal ours
            if message["type"] == "http.response.start":
                kind = Headers(raw=message["headers"]).get("content-type", "")
                ours = (
                    message["status"] == 200 and kind.startswith("text/html") and _COMPONENT not in scope["path"]
                )
                if ours:
                    await self.page(scope, receive, send)
            if not ours:
                await send(message)

        await self.app({**scope, "headers": asked}, receive, answer)


def shell() -> str:
    """Streamlit's page with what is ours: after Streamlit's own styles and before those that a page brings."""
    html = (Path(st.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    scripts = f"{ONE_ENTRY_A_STEP}{touch.SCRIPT}{_CHARTS_AHEAD}"
    ours = f"<style>{_STYLE}{touch.STYLE}</style><script>{scripts}</script>"
    return html.replace('<div id="root">', f'{ours}<div id="root">')
