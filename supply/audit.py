"""Known holes in the packages of all locks, by pip-audit: `make audit`.

Ends with 1 where a package has a known hole that audit-exceptions.toml does not excuse, or where an excuse has
expired. The service says nothing of severity, so every finding counts as a high one. Where the service gives no
answer on a package, that is said: it is neither a failure nor a clean bill. pip-audit itself would call such a
package skipped, and end well.

What to do on a finding: `make lock UPGRADE="--upgrade-package NAME"`, or an exception with a day and a reason.
"""

import json
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from supply.locks import FOLDER, RELEASED, Locked, read

EXCEPTIONS = FOLDER / "audit-exceptions.toml"
TIME_LIMIT = 300  # seconds; the service is asked for each package


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """A finding that is accepted until a day, that day included."""

    package: str
    id: str
    until: date
    reason: str


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What an audit comes to: lines to read, and whether it failed."""

    lines: tuple[str, ...]
    failed: bool


def exceptions(text: str) -> list[Allowed]:
    """What audit-exceptions.toml allows; raises TypeError or KeyError where an entry lacks a word."""
    return [Allowed(**entry) for entry in tomllib.loads(text).get("exception", [])]


def judge(packages: Sequence[dict[str, Any]], asked: int, allowed: Sequence[Allowed], today: date) -> Verdict:
    """What pip-audit's answers come to.

    Args:
        packages: the list `dependencies` of its JSON.
        asked: the number of packages in the locks; pip-audit that broke off answers on fewer.
        allowed: the exceptions.
        today: exceptions of earlier days have expired.
    """
    answered = [package for package in packages if "vulns" in package]
    bad = [finding for package in answered for finding in _findings(package, allowed)]
    bad += [f"expired on {one.until}: the exception for {one.package}, {one.id} ({one.reason})"
            for one in allowed if one.until < today]  # fmt: skip
    lines = list(bad)
    if answered:
        lines.append(f"audited: {len(answered)} packages, {len(bad)} findings and expired exceptions")
    if len(answered) < asked:
        lines.append(f"not audited: no answer on {asked - len(answered)} of {asked} packages")
    return Verdict(lines=tuple(lines), failed=bool(bad))


def _findings(package: dict[str, Any], allowed: Iterable[Allowed]) -> Iterator[str]:
    for hole in package["vulns"]:
        names = {hole["id"], *hole.get("aliases", ())}
        if any(one.package == package["name"] and one.id in names for one in allowed):
            continue
        mended = ", ".join(hole["fix_versions"]) or "no version yet"
        yield f"{package['name']} {package['version']} has {', '.join(sorted(names))}, mended in {mended}"


def layers(entries: Iterable[Locked]) -> list[list[Locked]]:
    """The packages in lists that hold each name once: pip-audit takes no name twice."""
    versions: dict[str, dict[str, Locked]] = {}
    for entry in entries:
        versions.setdefault(entry.name, {})[entry.version] = entry
    columns = [list(found.values()) for found in versions.values()]
    return [[column[row] for column in columns if row < len(column)] for row in range(max(map(len, columns)))]


def ask(entries: list[Locked]) -> list[dict[str, Any]]:
    """pip-audit's answers on packages, whatever system they are for; none where it breaks off."""
    with tempfile.TemporaryDirectory() as folder:
        requirements = Path(folder) / "requirements.txt"
        hashes = ("".join(f" --hash=sha256:{digest}" for digest in sorted(entry.hashes)) for entry in entries)
        requirements.write_text(
            "".join(f"{e.name}=={e.version}{h}\n" for e, h in zip(entries, hashes, strict=True))
        )
        command = [
            str(Path(sys.executable).with_name("pip-audit")),
            "--no-deps",
            "--disable-pip",
            "--require-hashes",
        ]
        command += ["--progress-spinner", "off", "--format", "json", "--aliases", "on", "-r", str(requirements)]
        try:
            done = subprocess.run([*command, *sys.argv[1:]], capture_output=True, text=True, timeout=TIME_LIMIT)
            return json.loads(done.stdout)["dependencies"]
        except (subprocess.TimeoutExpired, json.JSONDecodeError, KeyError):
            return []


def main() -> int:
    """Audit every lock and print the verdict."""
    parts = layers(read(*RELEASED, "dev", "tools"))
    answers = [answer for part in parts for answer in ask(part)]
    today = datetime.now(UTC).date()
    verdict = judge(answers, sum(map(len, parts)), exceptions(EXCEPTIONS.read_text()), today)
    print("\n".join(verdict.lines))
    return int(verdict.failed)


if __name__ == "__main__":
    sys.exit(main())
