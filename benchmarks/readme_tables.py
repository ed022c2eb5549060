"""Write the accuracy tables of README.md and of the models' cards from results/*.json.

python -m benchmarks.readme_tables
"""

import json
from pathlib import Path

from benchmarks.measure import RESULTS
from engine.evaluation.results import read_origin, results_file
from engine.evaluation.vibration_report import FAR

ROOT = Path(__file__).resolve().parents[1]
BEGIN, END = "<!-- tables: python -m benchmarks.readme_tables -->\n", "<!-- end of tables -->\n"
MODELS = {
    "sevennet-l3i5": "the default: readouts on a frozen pretrained potential",
    "fast": "for screening: readouts on a small network that was taught what the potential knows",
    "e3nn-scratch": "the convolution network, trained on these tensors alone",
}
NOTES = {  # below the table of the results file
    "sevennet-l3i5": "Not these tensors alone taught it: {indices:,} refractive indices and the phonon\n"
    "calculations of {phonons:,} crystals did too, and the potential was pretrained on energies, forces and\n"
    "stresses of the Materials Project, also of these crystals. Settings were chosen on the first fold, and the\n"
    "form of the electronic readout with the second in view too.",
    "fast": "The same data taught it as the default. The small network was taught the potential's features of\n"
    "these crystals, which know of no dielectric property. Settings were chosen on the first fold.",
    "e3nn-scratch": "Settings were chosen on the first fold.",
    "layered": "No pure test: the form of the dipoles was chosen with such crystals in view.",
    "external": "No choice was made with these crystals in view. Labels of n = 1, which no crystal has, stay in.",
    "matbench": "Settings were chosen on a random inner split of the first fold's training part; its crystals\n"
    "are test crystals in the other four folds.",
}
WAYS = {  # to predict a measured mode
    "DFT": "DFT (PBEsol), its own cell",
    "PBE, relaxed cell": "prediction as PBE, cell of PBE",
    "PBE": "prediction as PBE, measured cell",
    "PBEsol, PBE's relaxed cell": "prediction as PBEsol, cell of PBE",
    "PBEsol": "prediction as PBEsol, measured cell",
}
MEASURED = ("TO", "LO", "TO, held out", "LO, held out")
HEADINGS = ("crystals", "Fnorm", "EwT25", "EwT10", "EwT5", "MAE", "MARD", "AR MAE", "AR correlation")


CAPTIONS = (
    "Share of DFPT means inside the 90 % intervals of `sevennet-l3i5`, calibrated on other folds, and crystals",
    "Electronic tensors of layered, chain and molecular crystals, no such crystal in any training, by a mean\n"
    "over atoms and by coupled dipoles (`evaluate --benchmark layered`, `benchmarks/results/layered.json`)",
    "The refractive index alone, on the leaderboard's own five folds of matbench_dielectric, by readouts of\n"
    "their own on the same frozen features (`evaluate --benchmark matbench`, `benchmarks/results/matbench.json`)",
    "An external test of `sevennet-l3i5`: the refractive index n of those cells of matbench_dielectric with more\n"
    "than 24 atoms whose formula no network was trained on (`evaluate --benchmark external`,\n"
    "`benchmarks/results/external.json`)",
    "Vibrations at the zone centre against phonon calculations by PBEsol of crystals that these find firm, of\n"
    "formulas left out (`benchmarks/results/modes-sevennet-l3i5.json`), medians; strongest is the multiplet that\n"
    "adds most to the static tensor",
    "Median errors of infrared modes against those measured at room temperature\n"
    "([data/measured-modes.toml](data/measured-modes.toml) has each with its source, "
    "[docs/measured-modes.md](docs/measured-modes.md)\nall figures; `benchmarks/results/measured_modes.json`)",
)


def pages() -> dict[Path, str]:
    """Every page that holds tables, and its text with the tables as they should be."""
    contents = {ROOT / "README.md": _readme_tables()}
    contents |= {ROOT / "models" / name / "card.md": _model_tables(name) for name in MODELS}
    contents[ROOT / "docs" / "measured-modes.md"] = _measured_modes(_read("measured_modes"))
    return {path: _filled(path.read_text(), tables) for path, tables in contents.items()}


def _filled(text: str, tables: str) -> str:
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{tables}\n\n{END}{after}"


def _readme_tables() -> str:
    parts = [
        f"`{name}`, {about} (`benchmarks/results/{name}.json`):\n\n"
        f"{_accuracy(_read(name))}{_note(name)}{_mark(name)}"
        for name, about in MODELS.items()
    ]
    parts += [f"{caption}:\n\n{table}" for caption, table in zip(CAPTIONS, _other_tables(), strict=True)]
    return "\n\n".join(parts)


def _other_tables() -> tuple[str, ...]:
    layered, matbench = _layered(_read("layered")), _matbench(_read("matbench"))
    return (
        _coverage(_read("sevennet-l3i5")) + _mark("sevennet-l3i5"),
        layered + _note("layered") + _mark("layered"),
        matbench + _note("matbench") + _mark("matbench"),
        _external(_read("external")) + _note("external") + _age("external", "sevennet-l3i5") + _mark("external"),
        _modes(_read("modes-sevennet-l3i5")) + _mark("modes-sevennet-l3i5"),
        _measured(_read("measured_modes")) + _mark("measured_modes"),
    )


def _model_tables(name: str) -> str:
    result = _read(name)
    accuracy, coverage = _accuracy(result), _coverage(result)
    return f"{accuracy}\n\nInside the 90 % interval of the mean, and crystals:\n\n{coverage}{_mark(name)}"


def _note(name: str) -> str:
    """What the figures above it do not say of themselves."""
    origin = read_origin(results_file(name))
    return "\n\n" + NOTES[name].format(indices=origin.index_count, phonons=origin.phonon_count)


def _age(name: str, model: str) -> str:
    """A note below the table where the model was trained anew since."""
    age = read_origin(results_file(name)).age(read_origin(results_file(model)))
    return f"\n\n{age}" if age else ""


def _mark(name: str) -> str:
    """A note below the table where no commit holds the code that measured it."""
    doubt = read_origin(results_file(name)).doubt
    return f"\n\n{doubt}" if doubt else ""


def _read(name: str) -> dict:
    return json.loads((RESULTS / f"{name}.json").read_text())


def _accuracy(result: dict) -> str:
    rows = [(m["target"], *_errors(m)) for m in result["metrics_in_range"]]
    rows += [(f"{m['target']}, direct", *_errors(m)) for m in result.get("without_potential", ())]
    return _table(("tensor", *HEADINGS), rows) + _phonons(result.get("phonons"))


def _phonons(found: dict | None) -> str:
    """Errors against phonon data, a sentence each."""
    if found is None:
        return ""
    charges, electronic = found["charges"], found["electronic"]
    return (
        "\n\nA direct ionic part does without the potential's force constants. Against phonon calculations by\n"
        f"PBEsol of {found['crystals']:,} crystals, of formulas left out too, electronic tensors by PBEsol have "
        f"an EwT10\nof {electronic['ewt10']:.1f} % and a MARD of {electronic['mard']:.1f} %. Born charges are off "
        f"by {charges['trace']:.2f} e in a third of the trace,\n{charges['component']:.2f} e in a component and "
        f"{charges['antisymmetric']:.3f} e in the antisymmetric part, over {found['atoms']:,} atoms\namong which "
        f"a third of the trace has a standard deviation of {charges['spread']:.1f} e. Transverse frequencies\nat "
        "the zone centre, by the network's own force constants, have a median error of "
        f"{found['frequency']:.0f} cm⁻¹."
    )


def _layered(result: dict) -> str:
    rows = [
        (f"{group}: {readout}", *_errors(groups[group][0]))
        for group in next(iter(result["metrics"].values()))
        for readout, groups in result["metrics"].items()
    ]
    return _table(("crystals and readout", *HEADINGS), rows)


def _coverage(result: dict) -> str:
    means = [c for c in result["coverage"] if c["quantity"] == "mean"]
    targets = list(dict.fromkeys(c["target"] for c in means))
    shares = {(c["group"], c["target"]): f"{c['percent']:.1f} % ({c['count']:,})" for c in means}
    groups = dict.fromkeys(c["group"] for c in means)
    return _table(("crystals", *targets), [(g, *(shares.get((g, t), "") for t in targets)) for g in groups])


def _external(result: dict) -> str:
    headings = (
        "crystals",
        "number",
        "n², median error",
        "n², mean",
        "MAE of n",
        "within 5 %",
        "inside 90 % interval",
    )
    rows = [
        (
            group["group"],
            f"{group['count']:,}",
            f"{group['median']:.1f} %",
            f"{group['mean']:.1f} %",
            f"{group['mae']:.3f}",
            f"{group['within']:.1f} %",
            f"{group['inside']:.1f} %",
        )
        for group in result["groups"]
    ]
    return _table(headings, rows)


def _matbench(result: dict) -> str:
    headings = ("crystals", "number", "MAE of n", "MAE, n <= 5", "within 5 %, n <= 5", "median error")
    spread = {"all": f" ± {result['std']:.4f}", "new_formula": ""}
    titles = {"all": "all", "new_formula": "formula not in the training fold"}
    rows = [
        (
            titles[name],
            f"{result[name]['count']:,}",
            f"{result[name]['mae']:.4f}{spread[name]}",
            f"{result[name]['mae_in_range']:.4f}",
            f"{result[name]['within_in_range']:.1f} %",
            f"{result[name]['median']:.3f}",
        )
        for name in titles
    ]
    return _table(headings, rows)


def _modes(result: dict) -> str:
    headings = (
        "ionic part",
        "crystals",
        "infrared TO",
        "all TO",
        "strongest: LO-TO splitting",
        "strongest: strength",
        "TO inside 90 % interval",
        "strength inside",
    )
    rows = [
        (
            method,
            f"{found['crystals']:,}",
            f"{found['infrared_frequency']:.1f} cm⁻¹",
            f"{found['frequency']:.1f} cm⁻¹",
            f"{found['splitting']:.1f} %",
            f"{found['strength']:.1f} %",
            f"{found['frequency_coverage']:.1f} %",
            f"{found['strength_coverage']:.1f} %",
        )
        for method, found in result["errors"].items()
    ]
    return _table(headings, rows)


def _measured(result: dict) -> str:
    """A row a way to predict, and below them which modes are far off."""
    rows = [
        (WAYS[way], f"{found['modes']}", *(f"{found[name]:.1f} %" for name in MEASURED))
        for way, found in result["errors"].items()
    ]
    headings = ("modes by", "modes", *(name.replace("held out", "formula left out") for name in MEASURED))
    return (
        f"{_table(headings, rows)}\n\nFormula left out: no network that answered knew it; of the others, phonon "
        "calculations taught every network,\nmeasured frequencies none. In cells of PBE, which are too large, "
        "halides are too soft by a tenth. That PBEsol\nanswers was chosen with these crystals in view. More than "
        f"20 % off in TO are, by it,\n{_far(result, 'TO', True)}, with a warning each, and without one "
        f"{_far(result, 'TO', False)}; in cells of PBE,\nwithout one, {_far(result, 'TO, PBE cell', False)}."
    )


def _far(result: dict, column: str, warned: bool) -> str:
    """Formulas of the crystals with a mode farther off than `FAR`."""
    known = [row for row in result["rows"] if row[column] is not None]
    rows = [row for row in known if abs(row[column] / row["TO, measured"] - 1) > FAR]
    return ", ".join(dict.fromkeys(row["formula"] for row in rows if row["warned"] == warned)) or "none"


def _measured_modes(result: dict) -> str:
    """A row a mode."""
    headings = ("crystal", "phase", "mode", "TO, measured", "TO (90 % of DFT)", "TO, PBE", "TO, DFT")
    headings += ("LO, measured", "LO", "LO, PBE", "LO, DFT", "formula left out", "warned", "measured by")
    rows = [
        (
            *(row["formula"], row["phase"], row["mode"], _wavenumber(row["TO, measured"])),
            _wavenumber(row["TO"]) + _span(row["TO, low"], row["TO, high"]),
            *(
                _wavenumber(row[name])
                for name in ("TO, PBE", "TO, DFT", "LO, measured", "LO", "LO, PBE", "LO, DFT")
            ),
            *("yes" if row[name] else "" for name in ("held out", "warned")),
            row["source"],
        )
        for row in result["rows"]
    ]
    return _table(headings, rows) + _mark("measured_modes")


def _wavenumber(value: float | None) -> str:
    """An imaginary one with an i behind it."""
    return "" if value is None else f"{abs(value):.0f}{'i' if value < 0 else ''}"


def _span(low: float | None, high: float | None) -> str:
    return "" if low is None else f" ({low:.0f}–{high:.0f})"


def _errors(m: dict) -> tuple[str, ...]:
    ratio = ("", "") if m["ar_mae"] is None else (f"{m['ar_mae']:.3f}", f"{m['ar_correlation']:.2f}")
    shares = (f"{m[name]:.1f} %" for name in ("ewt25", "ewt10", "ewt5"))
    return (f"{m['count']:,}", f"{m['fnorm']:.2f}", *shares, f"{m['mae']:.2f}", f"{m['mard']:.1f} %", *ratio)


def _table(headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [headings, ("---",) * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text)
        print(f"{path.relative_to(ROOT)} is up to date")
