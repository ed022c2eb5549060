"""Which of all crystals here have a high index or permittivity in spite of a wide gap, or a large birefringence?

python -m benchmarks.champions

The model fast answers every embedded crystal, the default model by the direct method those that then have the
highest permittivities; both by networks that were not trained on the formula where there are any. Writes
results/champions.json, tables and figures of docs/screening.md. Known champions are looked up in the rankings; the
tetragonal phase of HfO2 is added to the crystals, which lack it.
"""

import json
import tempfile
from datetime import date
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from pymatgen.core import Lattice, Structure

from benchmarks.measure import RESULTS
from benchmarks.readme_tables import BEGIN, END, ROOT
from engine.crystals.material import Material
from engine.data.catalogue import catalogued, indexed
from engine.data.datasets import EMBEDDED, load_dataset
from engine.data.parquet import write_materials
from engine.evaluation.provenance import code_version, machine
from engine.screening.pareto import front
from engine.screening.parts import Method, Settings
from engine.screening.probe import STRUCTURE_COLUMNS
from engine.screening.ranking import best
from engine.screening.screening import screen

mpl.use("Agg")
from matplotlib import pyplot as plt

PAGE = ROOT / "docs" / "screening.md"
BEGIN = BEGIN.replace("readme_tables", "champions")
TOP, CANDIDATES = 12, 400
SOUND = "metallic < 0.5 and not ('electronic' in useless)"
LISTS = {  # title: quantity, condition
    "High index, wide gap": ("n", f"{SOUND} and gap > 3"),
    "High permittivity, wide gap": ("total", f"{SOUND} and gap > 4 and not ('total' in useless)"),
    "Large birefringence": ("birefringence", f"{SOUND} and gap > 1"),
    "Large birefringence, wide gap": ("birefringence", f"{SOUND} and gap > 3.5"),
}
KNOWN = {  # what is known for it, the quantity that it must be high in, the least gap of those it is ranked with
    "mp-2657": ("rutile", "n", 3),
    "mp-3953": ("calcite", "birefringence", 0),
    "mp-19": ("tellurium", "birefringence", 0),
    "tetragonal HfO2": ("tetragonal HfO2, of gate stacks", "merit", 0),
}
FIGURES = {
    "screening-index.png": ("n", "refractive index"),
    "screening-permittivity.png": ("total", "permittivity"),
}


def main() -> None:
    """Screen, rank, and write page, figures and JSON."""
    with tempfile.TemporaryDirectory() as name:
        everything, some = _screened(Path(name))
        rows = best(everything)
        named = {
            title: best(some if by == "total" else everything, by, None, where)
            for title, (by, where) in LISTS.items()
        }
        sound = best(everything, "n", None, SOUND)
        known = [
            _place(key, what, by, gap, best(everything, by, None, f"{SOUND} and gap > {gap}"))
            for key, (what, by, gap) in KNOWN.items()
        ]
    found = {
        "crystals": len(rows),
        "refused": int(rows.error.notna().sum()),
        "sound": len(sound),
        "asked_again": CANDIDATES,
        "lists": {title: _top(frame, LISTS[title][0]) for title, frame in named.items()},
        "known": known,
        "code": code_version(),
        "date": date.today().isoformat(),
        "machine": machine(),
    }
    (RESULTS / "champions.json").write_text(json.dumps(found, indent=1) + "\n")
    for file, (by, label) in FIGURES.items():
        _draw(ROOT / "docs" / file, sound.dropna(subset=["gap", by]), by, label)
    before, rest = PAGE.read_text().split(BEGIN)
    PAGE.write_text(before + BEGIN + "\n" + _tables(found) + "\n" + END + rest.split(END)[1])


def _screened(folder: Path) -> tuple[Path, Path]:
    """Every crystal by the fast model, and by the default one what has the highest permittivity by it."""
    source, everything, candidates, some = (folder / f"{name}.parquet" for name in ("in", "all", "best", "some"))
    write_materials(source, crystals())
    _screen(source, everything, "fast")
    highest = best(everything, "total", CANDIDATES, "metallic < 0.5 and gap > 4")
    highest[[*STRUCTURE_COLUMNS, "material_id", "gap", "gap_known"]].to_parquet(candidates)
    _screen(candidates, some, "direct")
    return everything, some


def _screen(source: Path, out: Path, method: Method) -> None:
    screen(str(source), out, Settings(method=method, out_of_fold=True), show=lambda one: print(one, flush=True))


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


def _place(key: str, what: str, by: str, gap: float, ranked: pd.DataFrame) -> dict[str, object]:
    """Where a crystal stands among those that are sound and have a larger gap."""
    told = {"what": what, "by": by, "gap": gap, "of": len(ranked), "place": None, "value": None}
    places = np.flatnonzero(ranked.material_id == key)
    if len(places):
        told |= {"place": int(places[0]) + 1, "value": round(ranked[by].iloc[places[0]], 3)}
    return told


def _tables(found: dict) -> str:
    counts = (
        f"{found['crystals']:,} crystals, {found['refused']:,} of them refused, {found['sound']:,} neither likely"
    )
    parts = [f"{counts} metals nor without a useful electronic tensor; {found['date']}."]
    for title, rows in found["lists"].items():
        parts.append(f"### {title}")
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
    lines = ["| known for | ranked by | among gaps over, eV | value | place |", "|---|---|---|---|---|"]
    for one in found["known"]:
        place = "not among them" if one["place"] is None else f"{one['place']:,} of {one['of']:,}"
        value = "" if one["value"] is None else one["value"]
        lines.append(f"| {one['what']} | {one['by']} | {one['gap']} | {value} | {place} |")
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
