"""Which of all crystals here have a high index or permittivity in spite of a wide gap, or a large birefringence?

python -m benchmarks.champions [--method full|direct|fast]

Screens every embedded crystal once, by networks that were not trained on its formula where there are any, and
writes results/champions.json, tables and figures of docs/screening.md. Known champions are looked up in the same
rankings; the tetragonal phase of HfO2 is added to the crystals, which lack it.
"""

import argparse
import json
import tempfile
from datetime import date
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from engine.screening.pareto import front
from pymatgen.core import Lattice, Structure

from benchmarks.measure import RESULTS
from benchmarks.readme_tables import BEGIN, END, ROOT
from engine.crystals.material import Material
from engine.data.catalogue import catalogued, indexed
from engine.data.datasets import EMBEDDED, load_dataset
from engine.data.parquet import write_materials
from engine.evaluation.provenance import code_version, machine
from engine.screening.parts import Method, Settings
from engine.screening.ranking import best
from engine.screening.screening import screen

mpl.use("Agg")
from matplotlib import pyplot as plt

PAGE = ROOT / "docs" / "screening.md"
BEGIN = BEGIN.replace("readme_tables", "champions")
TOP = 12
SOUND = "error == None and metallic < 0.5 and useless == ''"
LISTS = {  # title: quantity, least gap in eV
    "High index, wide gap": ("n", 3.0),
    "High permittivity, wide gap": ("total", 4.0),
    "Large birefringence": ("birefringence", 1.0),
}
KNOWN = {  # what is known for it, and the quantity that it must be high in
    "mp-2657": ("rutile", "n"),
    "mp-3953": ("calcite", "birefringence"),
    "mp-19": ("tellurium", "birefringence"),
    "tetragonal HfO2": ("tetragonal HfO2, of gate stacks", "merit"),
}
FIGURES = {
    "screening-index.png": ("n", "refractive index"),
    "screening-permittivity.png": ("total", "permittivity"),
}


def main() -> None:
    """Screen, rank, and write page, figures and JSON."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--method", choices=("full", "direct", "fast"), default="fast")
    method: Method = options.parse_args().method
    with tempfile.TemporaryDirectory() as name:
        source, out = Path(name) / "all.parquet", Path(name) / "result.parquet"
        write_materials(source, crystals())
        screen(
            str(source), out, Settings(method=method, out_of_fold=True), show=lambda one: print(one, flush=True)
        )
        rows = best(out)
        named = {title: best(out, by, None, f"{SOUND} and gap > {gap}") for title, (by, gap) in LISTS.items()}
        ranked = {by: best(out, by, None, SOUND) for by in ("n", "birefringence", "merit")}
    found = {
        "method": method,
        "crystals": len(rows),
        "refused": int(rows.error.notna().sum()),
        "sound": len(ranked["n"]),
        "lists": {title: _top(frame, LISTS[title][0]) for title, frame in named.items()},
        "known": [_place(key, what, by, ranked[by]) for key, (what, by) in KNOWN.items()],
        "code": code_version(),
        "date": date.today().isoformat(),
        "machine": machine(),
    }
    (RESULTS / "champions.json").write_text(json.dumps(found, indent=1) + "\n")
    for file, (by, label) in FIGURES.items():
        _draw(ROOT / "docs" / file, ranked["n"].dropna(subset=["gap", by]), by, label)
    before, rest = PAGE.read_text().split(BEGIN)
    PAGE.write_text(before + BEGIN + "\n" + _tables(found) + "\n" + END + rest.split(END)[1])


def crystals() -> list[Material]:
    """Every embedded crystal once, those with tensors first, and tetragonal HfO2."""
    learnt = [*load_dataset(EMBEDDED[0]), *indexed()]
    found = {one.material_id or id(one): one for one in reversed([*learnt, *catalogued(learnt)])}
    return [*reversed(found.values()), tetragonal_hafnia()]


def tetragonal_hafnia() -> Material:
    """P4_2/nmc in its first setting: a 3.59 Å, c 5.22 Å, about PBE's, oxygen 0.05 c off its fluorite place."""
    z = 0.20
    sites = [("Hf", (0, 0, 0)), ("Hf", (0.5, 0.5, 0.5))]
    sites += [("O", (0, 0.5, z)), ("O", (0.5, 0, -z)), ("O", (0, 0.5, z + 0.5)), ("O", (0.5, 0, 0.5 - z))]
    elements, places = zip(*sites, strict=True)
    structure = Structure(Lattice.tetragonal(3.59, 5.22), elements, places)
    symbol, number = structure.get_space_group_info(0.01)
    return Material(
        material_id="tetragonal HfO2",
        cell=structure.lattice.matrix,
        atomic_numbers=np.array(structure.atomic_numbers),
        frac_coords=structure.frac_coords,
        space_group_number=number,
        space_group_symbol=symbol,
        source="built from its lattice constants",
    )


def _top(frame: pd.DataFrame, by: str) -> list[dict[str, object]]:
    """The first rows, one a formula."""
    columns = ["material_id", "formula", "natoms", "n", "total", "birefringence", "gap", "gap_known", by]
    rows = frame.drop_duplicates("formula").head(TOP)[list(dict.fromkeys(columns))]
    return json.loads(rows.round(3).to_json(orient="records"))


def _place(key: str, what: str, by: str, ranked: pd.DataFrame) -> dict[str, object]:
    """Where a crystal stands among all that are sound."""
    places = np.flatnonzero(ranked.material_id == key)
    if not len(places):
        return {"what": what, "by": by, "place": None, "value": None, "of": len(ranked)}
    row = ranked.iloc[places[0]]
    return {"what": what, "by": by, "place": int(places[0]) + 1, "value": round(row[by], 3), "of": len(ranked)}


def _tables(found: dict) -> str:
    counts = (
        f"{found['crystals']:,} crystals, {found['refused']:,} of them refused, {found['sound']:,} neither likely"
    )
    parts = [f"{counts} metals nor without a useful prediction; method {found['method']}, {found['date']}."]
    for title, rows in found["lists"].items():
        by, gap = LISTS[title]
        parts.append(f"### {title}: {by} at a gap over {gap:g} eV")
        lines = [
            "| crystal | ID | atoms | n | permittivity | birefringence | gap, eV |",
            "|---|---|---|---|---|---|---|",
        ]
        for row in rows:
            gap_text = f"{row['gap']:.1f}{'' if row['gap_known'] else ' *'}"
            total = "" if row["total"] is None else f"{row['total']:.1f}"
            lines.append(
                f"| {row['formula']} | {row['material_id'] or ''} | {row['natoms']} | {row['n']:.2f} | {total} | "
                f"{row['birefringence']:.3f} | {gap_text} |"
            )
        parts.append("\n".join(lines))
    lines = ["| known for | ranked by | value | place |", "|---|---|---|---|"]
    for one in found["known"]:
        place = "not among them" if one["place"] is None else f"{one['place']:,} of {one['of']:,}"
        lines.append(f"| {one['what']} | {one['by']} | {'' if one['value'] is None else one['value']} | {place} |")
    parts += ["### Known champions", "\n".join(lines)]
    return "\n\n".join(parts) + "\n"


def _draw(path: Path, rows: pd.DataFrame, by: str, label: str) -> None:
    """All sound crystals, gap against a quantity, with the front that nothing is better than in both."""
    edge = rows.iloc[front(rows.gap.to_numpy(), rows[by].to_numpy())]
    figure, axes = plt.subplots(figsize=(7, 4.6), layout="constrained")
    axes.scatter(rows.gap, rows[by], s=4, c="#7a8a99", alpha=0.35, linewidths=0)
    axes.plot(edge.gap, edge[by], c="#c2410c", marker="o", markersize=4, linewidth=1.2)
    for _, row in edge.drop_duplicates("formula").iloc[::2].iterrows():
        axes.annotate(row.formula, (row.gap, row[by]), xytext=(4, 4), textcoords="offset points", fontsize=8)
    axes.set(xlabel="band gap, eV", ylabel=label, yscale="log" if by == "total" else "linear")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=130)
    plt.close(figure)


if __name__ == "__main__":
    main()
