"""A hash of the code that shapes a network, so that none is taken up again that other code has made."""

import ast
from collections.abc import Collection, Iterable
from hashlib import sha256
from pathlib import Path

ENGINE = Path(__file__).resolve().parents[1]
# What a training runs through: the graph, the features and force constants, the network, the losses and the loop.
SHAPING = (
    "config.py",
    "tensors/tensors.py",
    "tensors/irreps.py",
    "crystals/graph.py",
    "crystals/neighbours.py",
    "network",
    "training",
)

# What phonon data teach last runs through beside it, and nothing else does.
SHAPING_PHONONS = ("network/direct.py", "training/phonon_training.py", "training/potential_training.py")


def code_fingerprint(
    parts: Iterable[str] = SHAPING, without: Collection[str] = SHAPING_PHONONS, folder: Path = ENGINE
) -> str:
    """Hash of what modules do: their statements, without comments, docstrings and layout.

    Args:
        parts: files, and folders of files, below `folder`.
        without: files of these that do not count.
    """
    digest, left_out = sha256(), {folder / name for name in without}
    for part in parts:
        path = folder / part
        modules = sorted(path.rglob("*.py")) if path.is_dir() else [path]
        for module in (one for one in modules if one not in left_out):
            digest.update(f"{module.relative_to(folder)}\n{_statements(module)}\n".encode())
    return digest.hexdigest()


def _statements(module: Path) -> str:
    tree = ast.parse(module.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return ast.dump(tree)
