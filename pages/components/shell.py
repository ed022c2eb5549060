"""What a browser loads before any page is drawn: Streamlit's own page, with our style and scripts in it.

Were they sent with the pages, each would be drawn without them first, and then jump.
"""

from pathlib import Path

import streamlit as st
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from pages.components import touch
from pages.components.address import ONE_ENTRY_A_STEP

PAGES = [path.stem for path in sorted(Path(__file__).resolve().parents[1].glob("*.py"))]
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
}
[data-testid="stCaptionContainer"] {color: inherit !important; opacity: 0.8;}
"""


def routes() -> list[Route]:
    """Of every page's address."""
    html = shell()

    async def answer(request: Request) -> HTMLResponse:
        return HTMLResponse(html, headers={"Cache-Control": "no-cache"})

    base = f"/{(st.get_option('server.baseUrlPath') or '').strip('/')}".rstrip("/")
    return [Route(f"{base}/{page}", answer) for page in ("", *PAGES)]


def shell() -> str:
    """Streamlit's page with what is ours: after Streamlit's own styles and before those that a page brings."""
    html = (Path(st.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    ours = f"<style>{_STYLE}{touch.STYLE}</style><script>{ONE_ENTRY_A_STEP}{touch.SCRIPT}</script>"
    return html.replace('<div id="root">', f'{ours}<div id="root">')
