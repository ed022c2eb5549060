"""What is done with one random input of each stage: broken promises are raised.

Each gives the reasons of refusals, and what is still to be made sure of: its time is not the answer's.
"""

import random
import tempfile
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import torch
from pymatgen.core import Structure

from engine.config import GraphConfig
from engine.crystals.approximations import ordered_approximations
from engine.crystals.graph import crystal_graphs
from engine.crystals.inputs import as_structure
from engine.crystals.read_as import read_as
from engine.crystals.reader import Disordered, SettingNeeded, read_structures, shown_name
from engine.errors import EngineError
from engine.prediction.predictor import Predictor
from engine.prediction.records import flat_record, to_record
from engine.runs.uploads import unpacked, write_files
from engine.screening.reading import items
from engine.screening.stock import Stock
from tests.hostile.mutations import EXTREMES, WORDS, crystal, cut, damaged, flip, splice
from tests.hostile.promises import of_radius, physical, plain, sound
from tests.hostile.seeds import CRYSTALS, archive, castep, extxyz, parquet, valid_files

MODELS = ("fast", "e3nn-scratch")
Outcome = tuple[list[str], Callable[[], None]]


def _nothing() -> None:
    """All has been made sure of."""


def reader(rng: random.Random) -> Outcome:
    """A damaged file, read; of a disordered one now and then the ordered ones that stand for it."""
    seeds = valid_files()
    name, content = rng.choice(seeds)
    content = damaged(content, rng, [one for _, one in seeds])
    if rng.random() < 0.3:
        name = rng.choice(("", "x.cif", "POSCAR", "x.xyz", "x.json", "x.yaml", "x.xsf", "<b>.cif", "x" * 300))
    return read(name, content, approximate=rng.random() < 0.2), _nothing


def read(name: str, content: bytes, approximate: bool = False) -> list[str]:
    """Of a file by a stranger: what was refused; the rest is sound, and looked at as a page does."""
    try:
        found = read_structures(name, content)
    except Disordered as error:
        _plain(name, error)
        if not approximate:
            return [str(error)]
        try:
            found = ordered_approximations(error.structure)
        except EngineError as refused:
            plain(str(refused))
            return [str(refused)]
    except SettingNeeded as error:
        _plain(name, error)
        found = list(error.choices.values())
    except EngineError as error:
        _plain(name, error)
        return [str(error)]
    assert found
    refused = []
    for structure in found:
        sound(structure)
        try:
            read_as(as_structure(structure))
        except EngineError as error:
            plain(str(error))
            refused.append(str(error))
    return refused


def _plain(name: str, error: EngineError) -> None:
    plain(str(error), f"{shown_name(name)}: ")


def archive_of(rng: random.Random) -> bytes:
    """A ZIP of a few files by strange names."""
    files = [rng.choice(valid_files()) for _ in range(rng.randint(1, 4))]
    word = rng.choice(WORDS).decode("latin-1").replace("\0", "")
    named = [(rng.choice((name, f"../{name}", f"/{name}", word + name, name)), content) for name, content in files]
    method = rng.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
    return archive(named, method)


def archives(rng: random.Random) -> Outcome:
    """A damaged ZIP, unpacked and written to a folder."""
    content = archive_of(rng)
    content = damaged(content, rng, [archive_of(rng)], (flip, flip, cut, splice))
    with tempfile.TemporaryDirectory() as home:
        try:
            write_files(unpacked([("x.zip", content)]), Path(home) / "into")
        except EngineError as error:
            plain(str(error))
            return [str(error)], _nothing
        assert [one.name for one in Path(home).iterdir()] == ["into"]
        assert all(one.is_file() for one in (Path(home) / "into").iterdir())
    return [], _nothing


def table(rng: random.Random) -> Outcome:
    """A damaged Parquet file, taken stock of and read as a screening does."""
    some = list(CRYSTALS.values())
    content = damaged(parquet(some), rng, [parquet(some[:1])], (flip, flip, cut, splice))
    with tempfile.TemporaryDirectory() as home:
        path = Path(home) / "x.parquet"
        path.write_bytes(content)
        try:
            parts = list(Stock(Path(home) / "parts", 16, 1).parts(str(path)))
            found = [item for part in parts for group in items(part) for item in group]
        except (EngineError, OSError) as error:
            return [f"{type(error).__name__}: no table"], _nothing
    refused = [one.crystal for one in found if isinstance(one.crystal, str)]
    for reason in refused:
        plain(reason.replace(home, ""))
    for item in found:
        if isinstance(item.crystal, Structure):
            sound(item.crystal)
    return refused, _nothing


def graph(rng: random.Random) -> Outcome:
    """The graph of an impossible crystal."""
    config = GraphConfig(r_max=rng.choice((2.0, 4.0, 5.0, 6.0)))
    try:
        (found,) = crystal_graphs([crystal(rng)], config, torch.float64)
    except EngineError as error:
        plain(str(error))
        return [str(error)], _nothing
    return [], lambda: of_radius(found, config.r_max)


def predictor(rng: random.Random) -> Outcome:
    """The tensors of an impossible crystal, given as it is or in a file; and of a damaged file."""
    model, kind = _model(rng.choice(MODELS)), rng.randrange(3)
    try:
        given = crystal(rng)
        if kind == 1:
            (given,) = read_structures("x", rng.choice((extxyz, castep))(given).encode())
        elif kind == 2:
            name, content = rng.choice(valid_files())
            (given, *_) = read_structures(name, damaged(content, rng, [rng.choice(EXTREMES)]))
        found = model.predict(given)
        flat_record(to_record("x", found))
    except EngineError as error:
        plain(str(error))
        return [str(error)], _nothing
    return [], lambda: physical(found)


@cache
def _model(name: str) -> Predictor:
    return Predictor.load(name, "cpu")
