"""Write what comes of every hostile file, how long it takes and how much memory: python -m tests.hostile."""

import json
import os
import warnings
from datetime import date

from engine.crystals.reader import shown_name
from engine.evaluation.provenance import code_version, machine
from engine.files import RESULTS_FOLDER, ROOT, write_text
from tests.hostile.answers import Told, answers

ABOUT = """# Files from strangers

Every file of the corpus in `tests/hostile/`, as `python -m tests.hostile` found it on {date} ({machine}, commit
{code}). {read} are read, {refused} refused; the slowest took {seconds:.1f} s, the largest {memory:.0f} MiB in the
process that reads and {here:.0f} MiB more in the one that serves. The promise is 10 s and 2 GiB each.

| what is hostile | name | bytes | outcome | s | MiB | what is said |
|---|---|---:|---|---:|---:|---|
"""


def row(told: Told) -> str:
    """A line of the table."""
    case, usage = told.case, told.usage
    memory = max(usage.reader, usage.here)
    name, said = shown_name(case.file)[:30], told.sentence.split(": ", 1)[-1].replace("|", " ")
    about = "".join(letter if letter.isprintable() and letter not in "|<>`$[]*_" else " " for letter in case.about)
    cells = (about, name, f"{len(case.content):,}", told.outcome, f"{usage.seconds:.2f}", f"{memory:.0f}", said)
    return f"| {' | '.join(cells)} |"


def record(told: Told) -> dict[str, object]:
    """What is kept of a case."""
    case, usage = told.case, told.usage
    return {
        "case": case.about.encode(errors="backslashreplace").decode(),
        "file": shown_name(case.file)[:80],
        "bytes": len(case.content),
        "outcome": told.outcome,
        "crystals": told.crystals,
        "said": told.sentence,
        "seconds": round(usage.seconds, 3),
        "mib_reader": round(usage.reader),
        "mib_server": round(usage.here),
        "broken": told.broken,
    }


def main() -> None:
    """Ask, and write benchmarks/results/hostile.json and docs/hostile.md."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    warnings.simplefilter("ignore")
    told = list(answers())
    facts = {
        "code": code_version(),
        "date": date.today().isoformat(),
        "machine": machine(),
        "read": sum(one.outcome == "read" for one in told),
        "refused": sum(one.outcome == "refused" for one in told),
        "broken": sum(bool(one.broken) for one in told),
        "seconds": max(one.usage.seconds for one in told),
        "memory": max(one.usage.reader for one in told),
        "here": max(one.usage.here for one in told),
    }
    content = facts | {"cases": [record(one) for one in told]}
    write_text(RESULTS_FOLDER / "hostile.json", json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    write_text(ROOT / "docs" / "hostile.md", ABOUT.format(**facts) + "\n".join(map(row, told)) + "\n")
    print(*(f"{name} {value}" for name, value in facts.items()), sep="\n")
    print(*(f"{one.case.about}: {one.broken}" for one in told if one.broken), sep="\n")


if __name__ == "__main__":
    main()
