"""Write the accuracy tables of README.md from results/*.json: python -m benchmarks.readme_tables"""

import json
from pathlib import Path

from benchmarks.measure import RESULTS

README = Path(__file__).resolve().parents[1] / "README.md"
BEGIN, END = "<!-- tables: python -m benchmarks.readme_tables -->\n", "<!-- end of tables -->\n"
MODELS = {
    "sevennet-l3i5": "the default, a readout on a frozen pretrained potential",
    "e3nn-scratch": "the convolution network, trained on these tensors alone",
}
HEADINGS = ("crystals", "Fnorm", "EwT25", "EwT10", "EwT5", "MAE", "MARD", "AR MAE", "AR correlation")


def tables() -> str:
    """Markdown of every table."""
    parts = [f"`{name}`: {about}\n\n{_accuracy(_read(name))}" for name, about in MODELS.items()]
    parts.append(f"90 % intervals of the mean, `sevennet-l3i5`\n\n{_coverage(_read('sevennet-l3i5'))}")
    parts.append(f"Layered and chain crystals, electronic\n\n{_layered(_read('layered'))}")
    return "\n\n".join(parts) + "\n"


def readme() -> str:
    """README.md with the tables as they should be."""
    before, _, rest = README.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{tables()}\n{END}{after}"


def _read(name: str) -> dict:
    return json.loads((RESULTS / f"{name}.json").read_text())


def _accuracy(result: dict) -> str:
    return _table(("tensor", *HEADINGS), [(m["target"], *_errors(m)) for m in result["metrics_in_range"]])


def _layered(result: dict) -> str:
    rows = [
        (f"{group}, {readout}", *_errors(metrics[0]))
        for group in next(iter(result["metrics"].values()))
        for readout, groups in result["metrics"].items()
        for metrics in [groups[group]]
    ]
    return _table(("crystals set aside, readout", *HEADINGS), rows)


def _coverage(result: dict) -> str:
    systems = list(dict.fromkeys(c["crystal_system"] for c in result["coverage"]))
    rows = []
    for target in dict.fromkeys(c["target"] for c in result["coverage"]):
        found = {
            c["crystal_system"]: f"{c['percent']:.0f} % ({c['count']})"
            for c in result["coverage"]
            if c["target"] == target and c["quantity"] == "mean"
        }
        rows.append((target, *(found[system] for system in systems)))
    return _table(("mean of", *systems), rows)


def _errors(m: dict) -> tuple[str, ...]:
    ratio = ("", "") if m["ar_mae"] is None else (f"{m['ar_mae']:.3f}", f"{m['ar_correlation']:.2f}")
    shares = (f"{m[name]:.1f} %" for name in ("ewt25", "ewt10", "ewt5"))
    return (f"{m['count']:,}", f"{m['fnorm']:.2f}", *shares, f"{m['mae']:.2f}", f"{m['mard']:.1f} %", *ratio)


def _table(headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [headings, ("---",) * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    README.write_text(readme())
    print(tables())
