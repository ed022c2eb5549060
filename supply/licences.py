"""Write docs/licences.md: each package of the program with its licence, and who needs it (`make bill`).

    python -m supply.licences

Licences are those of the installed packages' metadata, or of licences.toml where these are silent.
"""

import importlib.metadata
import re
import sys
import tomllib
from dataclasses import dataclass, replace

from supply.locks import FOLDER, RELEASED, ROOT, Locked, read

PAGE = ROOT / "docs" / "licences.md"
MARK = "<!-- packages: python -m supply.licences -->"
COPYLEFT = re.compile(r"GPL|MPL|EPL|CDDL|Proprietary")
PLAIN = {  # words of older metadata in those of SPDX
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "MIT License": "MIT",
    "MPL-2.0 AND MIT": "MPL-2.0 AND MIT",
}


@dataclass(frozen=True, kw_only=True)
class Package:
    """A package of the program, all its locked versions together; `needed_by` are names of packages."""

    name: str
    versions: tuple[str, ...]
    licence: str
    purpose: str
    needed_by: tuple[str, ...]
    direct: bool


def packages() -> list[Package]:
    """The packages of the released locks, by name."""
    told = tomllib.loads((FOLDER / "licences.toml").read_text())
    entries: dict[str, list[Locked]] = {}
    for entry in read(*RELEASED):
        entries.setdefault(entry.name, []).append(entry)
    all_of_them = [_package(name, found, told.get(name, {})) for name, found in entries.items()]
    return [replace(one, needed_by=tuple(n for n in one.needed_by if n in entries)) for one in all_of_them]


def licence(name: str) -> str:
    """The licence that an installed package's metadata give, in SPDX's words; raises LookupError where unclear."""
    try:
        metadata = importlib.metadata.metadata(name).json
    except importlib.metadata.PackageNotFoundError:
        raise LookupError(f"{name} must be in supply/licences.toml: it is not installed here") from None
    given = str(metadata.get("license_expression") or metadata.get("license") or "").strip()
    first = given.splitlines()[0] if given else ""
    if not re.fullmatch(r"[\w.+()-]+( (AND|OR|WITH) [\w.+()-]+)*|Apache (License )?2\.0|MIT License", first):
        raise LookupError(f"{name} must be in supply/licences.toml: its metadata say {first!r} of its licence")
    return PLAIN.get(first, first)


def _package(name: str, entries: list[Locked], told: dict[str, str]) -> Package:
    needed_by = {other for entry in entries for other in entry.needed_by}
    files = {other for other in needed_by if other.endswith(".txt")}
    return Package(
        name=name,
        versions=tuple(entry.version for entry in entries),
        licence=told.get("licence") or licence(name),
        purpose=told.get("purpose", ""),
        needed_by=tuple(sorted(needed_by - files)),
        direct=bool(files - {"requirements-dev.txt"}),
    )


def table(rows: list[Package]) -> str:
    """The table of packages in Markdown."""
    lines = ["| package | version | licence | needed by | what for |", "|---|---|---|---|---|"]
    for row in rows:
        shown = [*(["**this program**"] if row.direct else []), *row.needed_by]
        needed = ", ".join(shown[:4]) + (f" and {len(shown) - 4} more" if len(shown) > 4 else "")
        terms = f"**{row.licence}**" if COPYLEFT.search(row.licence) else row.licence
        lines.append(f"| {row.name} | {', '.join(row.versions)} | {terms} | {needed} | {row.purpose} |")
    return "\n".join(lines)


def page(text: str) -> str:
    """The page with the table brought up to date."""
    head, _ = text.split(MARK)
    rows = packages()
    others = [row.name for row in rows if COPYLEFT.search(row.licence)]
    said = (
        f"{len(rows)} packages, in bold the licences of {len(others)} that ask for more than MIT, BSD or Apache."
    )
    return f"{head}{MARK}\n\n{said}\n\n{table(rows)}\n"


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(PAGE.read_text()))
    print(f"{PAGE.relative_to(ROOT)}: {len(packages())} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
