"""What a page needs under a finger: a menu that gets out of the way, and charts that let the page scroll."""

# Plotly keeps every touch for itself. Its touch is held back until the finger has moved: up or down it is the
# page's, across it is Plotly's after all. More than one finger is Plotly's at once.
_SWIPES = """
let held = null, moves = null;
const inChart = event => event.target.closest?.(".js-plotly-plot");
addEventListener("touchstart", event => {
    if (!event.isTrusted || !inChart(event)) return;
    held = event.touches.length === 1 ? event : null;
    moves = null;
    if (held) event.stopImmediatePropagation();
}, true);
addEventListener("touchmove", event => {
    if (!held) return;
    const [from, to] = [held.touches[0], event.touches[0]];
    moves ??= Math.abs(to.clientX - from.clientX) > Math.abs(to.clientY - from.clientY) ? "chart" : "page";
    if (moves === "page") return event.stopImmediatePropagation();
    const {touches, targetTouches, changedTouches} = held;
    held.target.dispatchEvent(new TouchEvent("touchstart", {
        touches: [...touches], targetTouches: [...targetTouches], changedTouches: [...changedTouches],
        bubbles: true, cancelable: true, composed: true, view: window,
    }));
    held = null;
}, true);
"""
# In a narrow window the menu is drawn over the page, and Streamlit leaves it there once a page is chosen, and the
# new page as far down as the last one was.
_MENU = """
addEventListener("click", event => {
    if (!event.target.closest?.('[data-testid="stSidebarNavLink"]')) return;
    setTimeout(() => {
        document.querySelector('[data-testid="stSidebarCollapseButton"] button')?.click();
        document.querySelector('[data-testid="stMain"]').scrollTo(0, 0);
    });
});
"""
SCRIPT = f"{{{_SWIPES}{_MENU}}}"
# A chart's buttons come with a tap on it, as they come with the pointer: else they lie on its headings.
STYLE = """
.js-plotly-plot {touch-action: pan-y pinch-zoom;}
@media (hover: none) {.js-plotly-plot:not(:hover) .modebar-container {visibility: hidden;}}
@media (max-width: 640px) {
  [data-testid="stButtonGroup"] [role="radiogroup"] {flex-wrap: wrap; row-gap: 0.3rem; padding-right: 1px;}
}
"""
