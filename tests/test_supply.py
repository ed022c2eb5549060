"""What is installed is what was asked for, locked by hash, audited, listed with its licence and in the bill."""

import importlib.metadata
import json
import re
from datetime import date

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from supply.audit import EXCEPTIONS, Allowed, exceptions, judge, layers
from supply.bill import BILL, model_files
from supply.bill import text as bill_text
from supply.install_torch import Choice, objection
from supply.licences import PAGE, page
from supply.locks import RELEASED, ROOT, Locked, parse, path, read

EVERY = (*RELEASED, "dev")
SOURCES = {
    "requirements-engine.txt": RELEASED,
    "requirements-dashboard.txt": RELEASED,
    "requirements.txt": RELEASED,
    "supply/build.txt": ("build",),
    "supply/sign-in.txt": ("app", "sign-in"),
    "requirements-dev.txt": EVERY,
    "requirements-parallel.txt": EVERY,
    "supply/tools.txt": ("tools",),
}
APART = ("supply/sign-in.txt", "supply/tools.txt")  # not installed where the tests run
HASH = "0" * 64
LAST_DAY = date(2026, 12, 31)


def requirements(name: str) -> list[Requirement]:
    """The requirements in a file, without those of the files that it names."""
    lines = (line.split("#")[0].strip() for line in (ROOT / name).read_text().splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith("-")]


def locked(*locks: str) -> dict[str, list[Locked]]:
    """The entries of some locks by name."""
    found: dict[str, list[Locked]] = {}
    for entry in read(*locks):
        found.setdefault(entry.name, []).append(entry)
    return found


def needed(start: list[Requirement]) -> list[Requirement]:
    """These requirements and those of the installed packages that they lead to, on this machine."""
    found, seen = [], set()
    queue = [(requirement, "") for requirement in start]
    while queue:
        requirement, extra = queue.pop()
        if (str(requirement), extra) in seen or not _applies(requirement, extra):
            continue
        seen.add((str(requirement), extra))
        found.append(requirement)
        try:
            own = importlib.metadata.requires(requirement.name) or []
        except importlib.metadata.PackageNotFoundError:
            assert canonicalize_name(requirement.name) == "torch-cluster"  # may be missing
            continue
        queue += [(Requirement(line), extra) for line in own for extra in ("", *requirement.extras)]
    return found


def _applies(requirement: Requirement, extra: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


@pytest.mark.parametrize("name", SOURCES)
def test_every_requirement_has_a_locked_version_that_fits_it(name: str):
    entries = locked(*SOURCES[name])
    for requirement in requirements(name):
        here = [entry for entry in entries[canonicalize_name(requirement.name)] if entry.needed_here]
        assert [requirement.specifier.contains(entry.version) for entry in here] == [True], requirement


@pytest.mark.parametrize("lock", [*EVERY, "tools"])
def test_every_locked_package_has_hashes_and_the_lock_names_no_place_to_take_it_from(lock: str):
    assert all(entry.hashes for entry in parse(path(lock).read_text()))
    assert not re.search(
        r"://|^ *-|tmp", re.sub(r"^    --hash=.*\n", "", path(lock).read_text(), flags=re.M), re.M
    )


def test_what_the_requirements_lead_to_is_what_is_locked_for_this_machine_and_nothing_else():
    entries = locked("build", "app", "torch", "dev")
    start = [r for name in SOURCES if name not in APART for r in requirements(name)]
    found = needed(start)
    for requirement in found:
        here = [entry for entry in entries[canonicalize_name(requirement.name)] if entry.needed_here]
        assert all(requirement.specifier.contains(entry.version, prereleases=True) for entry in here), requirement
        assert len(here) == 1, requirement
    names = {canonicalize_name(requirement.name) for requirement in found}
    here = {name for name, found in entries.items() if any(entry.needed_here for entry in found)}
    cuda = {
        name for name in locked("torch") if re.match("nvidia-|cuda-|triton$", name)
    }  # PyPI's torch brings them
    assert here - names <= cuda


def test_what_is_installed_is_what_is_locked():
    for entry in read("build", "app", "dev"):
        if entry.needed_here:
            assert importlib.metadata.version(entry.name) == entry.version, "run `make .venv/dev.stamp`"


TORCH = [Locked(name="torch", version="2.13.0", marker=None, hashes=frozenset({HASH}), text="")]


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (Choice(name="torch", version="2.13.0", sha256=HASH), None),
        (
            Choice(name="torch", version="2.13.0+cpu", sha256="1" * 64),
            None,
        ),  # a build of an index that its owner named
        (Choice(name="torch", version="2.13.0", sha256="1" * 64), "must have a SHA-256 of supply/torch.lock"),
        (Choice(name="torch", version="2.14.1+cpu", sha256=HASH), "must be as locked, 2.13.0, got 2.14.1"),
        (Choice(name="torch", version="2.13.0", sha256=""), "must come as a file with a SHA-256"),
        (Choice(name="stranger", version="1.0", sha256=HASH), "must be as locked, no version"),
    ],
)
def test_torch_is_installed_only_as_a_locked_file_or_a_labelled_build(choice: Choice, words: str | None):
    reason = objection(choice, TORCH)
    assert reason is None if words is None else words in reason


# pip-audit's answers in its format "json", as its documentation has it; the first package was found with a hole.
ANSWERS = [
    {
        "name": "flask",
        "version": "0.5",
        "vulns": [
            {
                "id": "PYSEC-2019-179",
                "fix_versions": ["1.0"],
                "aliases": ["CVE-2019-1010083", "GHSA-5wv5-4vpf-pj6m"],
                "description": "The Pallets Project Flask before 1.0 is affected by unexpected memory usage.",
            }
        ],
    },
    {"name": "jinja2", "version": "3.0.2", "vulns": []},
]
NO_ANSWER = {"name": "pip", "skip_reason": "Dependency not found on PyPI and could not be audited: pip (21.3.1)"}


def allowed(package: str = "flask", name: str = "CVE-2019-1010083") -> list[Allowed]:
    return [Allowed(package=package, id=name, until=LAST_DAY, reason="never started here")]


def test_a_known_hole_fails_the_audit_and_is_named_with_the_version_that_mends_it():
    verdict = judge(ANSWERS, 2, [], LAST_DAY)
    assert verdict.failed
    assert "flask 0.5" in verdict.lines[0]
    assert "CVE-2019-1010083" in verdict.lines[0]
    assert "mended in 1.0" in verdict.lines[0]


def test_an_exception_holds_until_its_day_and_for_its_package_alone():
    assert not judge(ANSWERS, 2, allowed(), LAST_DAY).failed
    assert judge(ANSWERS, 2, allowed(package="jinja2"), LAST_DAY).failed
    verdict = judge(ANSWERS[1:], 1, allowed(), date(2027, 1, 1))
    assert verdict.failed
    assert verdict.lines[0].startswith("expired on 2026-12-31")


def test_no_answer_is_no_failure_and_no_clean_bill():
    for answers in ([], [NO_ANSWER]):
        verdict = judge(answers, 2, [], LAST_DAY)
        assert not verdict.failed
        assert verdict.lines == ("not audited: no answer on 2 of 2 packages",)
    assert "no answer on 1 of 3" in judge([*ANSWERS, NO_ANSWER], 3, [], LAST_DAY).lines[-1]


def test_every_version_of_every_locked_package_is_asked_for_once_a_call():
    entries = read(*EVERY, "tools")
    calls = layers(entries)
    assert all(len({entry.name for entry in call}) == len(call) for call in calls)
    asked = [(entry.name, entry.version) for call in calls for entry in call]
    assert sorted(asked) == sorted({(entry.name, entry.version) for entry in entries})


def test_every_exception_has_a_package_an_id_a_day_and_a_reason():
    examples = re.sub("^# (?!Known)", "", EXCEPTIONS.read_text(), flags=re.MULTILINE)
    for text in (EXCEPTIONS.read_text(), examples):
        assert all(isinstance(one.until, date) and one.reason for one in exceptions(text))
    assert exceptions(examples)


def test_the_page_of_licences_is_the_one_that_the_locks_give():
    assert PAGE.read_text() == page(PAGE.read_text()), "`make bill` brings docs/licences.md up to date"
    for name in locked(*RELEASED):
        assert f"\n| {name} |" in PAGE.read_text()


def test_the_bill_of_materials_is_the_one_that_locks_and_models_give():
    assert BILL.read_text() == bill_text(), "`make bill` brings docs/sbom.cdx.json up to date"


def test_the_bill_lists_every_locked_package_every_model_and_the_pretrained_weights():
    content = json.loads(BILL.read_text())
    listed = {component.get("purl") for component in content["components"]}
    assert {f"pkg:pypi/{entry.name}@{entry.version}" for entry in read(*RELEASED)} <= listed
    models = [component for component in content["components"] if component["type"] == "machine-learning-model"]
    assert len(models) == len(model_files()) - 1 == len(list((ROOT / "models").glob("*/*.safetensors"))) + 1
    assert all(re.fullmatch("[0-9a-f]{64}", model["hashes"][0]["content"]) for model in models)
    assert all(component["licenses"] for component in content["components"])
    refs = {component["bom-ref"] for component in content["components"]} | {"dielectric-tensors"}
    assert {ref for entry in content["dependencies"] for ref in (entry["ref"], *entry["dependsOn"])} <= refs
