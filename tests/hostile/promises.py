"""What holds of every answer to a stranger, whatever the file: broken promises raise AssertionError."""

import re
from collections.abc import Iterable

import numpy as np
from pymatgen.core import Structure

from engine.crystals.graph import CrystalGraph
from engine.crystals.neighbours import TOLERANCE
from engine.files import ROOT
from engine.prediction.prediction import Prediction

SECONDS, MEMORY = 10.0, 2048.0  # of an answer; MiB
ACTS = re.compile(r"[<>`$\[\]{}\\|\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]")  # what markup is made of
PATH = re.compile(r"/(tmp|home|usr|root|var|etc|proc)/")
TRACE = re.compile(r"Traceback|File \"|\.py\b|site-packages|object at 0x")
LONGEST = 600  # characters of a reason


def plain(sentence: str, name: str = "") -> None:
    """One line of text for a person: no markup, no path of this machine, nothing of the program's inside.

    It may begin with a file's name, whatever that is.
    """
    assert sentence.startswith(name)
    assert not ACTS.search(name), f"markup: {name!r}"
    sentence = sentence.removeprefix(name)
    assert sentence.strip(), "nothing is said"
    assert len(sentence) <= LONGEST, f"{len(sentence)} characters are said"
    assert not ACTS.search(sentence), f"markup: {sentence!r}"
    assert not TRACE.search(sentence), f"the program's inside: {sentence!r}"
    assert not PATH.search(sentence), f"a path: {sentence!r}"
    assert str(ROOT) not in sentence, f"a path: {sentence!r}"


def sound(structure: Structure, most: int = 500) -> None:
    """An ordered crystal of finite numbers, and sentences about it."""
    assert 0 < len(structure) <= most
    assert structure.is_ordered
    assert np.isfinite(structure.lattice.matrix).all()
    assert np.isfinite(structure.frac_coords).all()
    assert structure.volume >= 1
    for note in structure.properties.get("notes", ()):
        plain(note)


def of_radius(graph: CrystalGraph, r_max: float) -> None:
    """Every edge has its reverse, joins the atoms that it says, and is no longer than r_max."""
    first, second = graph.edge_index.numpy()
    shift, vector = graph.cell_shift.numpy(), graph.edge_vec.double().numpy()
    cell, pos = graph.cell[0].double().numpy(), graph.pos.double().numpy()
    assert np.isfinite(vector).all()
    length = np.linalg.norm(vector, axis=1)
    assert length.max(initial=0) < r_max + 2 * TOLERANCE
    there = {(i, j, *s) for i, j, s in zip(first.tolist(), second.tolist(), shift.tolist(), strict=True)}
    assert len(there) == len(first), "an edge is there twice"
    assert there == {(j, i, -a, -b, -c) for i, j, a, b, c in there}, "an edge has no reverse"
    far = np.abs(shift) @ np.abs(cell).max(axis=1, initial=1) + np.abs(pos).max(initial=1)
    wrong = np.linalg.norm(vector - (pos[second] - pos[first] + shift @ cell), axis=1)
    assert (wrong <= 1e-8 + 1e-13 * far).all(), f"an edge misses its atom by {wrong.max():.2g} Å"


def physical(prediction: Prediction) -> None:
    """Finite symmetric tensors: of electrons 1 and more, of ions not negative; warnings in sentences."""
    for name, least in (("electronic", 1.0), ("ionic", 0.0)):
        tensor = getattr(prediction, name)
        assert tensor is not None
        assert np.isfinite(tensor).all(), f"the {name} tensor is not finite"
        assert np.allclose(tensor, tensor.T, rtol=1e-6, atol=1e-6), f"the {name} tensor is not symmetric"
        lowest = np.linalg.eigvalsh(tensor).min()
        assert lowest >= least - 1e-5, f"the {name} tensor has the eigenvalue {lowest}"
    sentences(prediction.warnings)


def sentences(texts: Iterable[str]) -> None:
    """Each is one for a person."""
    for text in texts:
        plain(text.replace("eV/Å^2", ""))
        assert text[:1].isupper() or text[:1].isalnum()
        assert text.rstrip()[-1] in ".:)", f"no sentence: {text!r}"
