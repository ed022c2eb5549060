"""The models that ship with the program, and the folder of any other."""

from pathlib import Path

from engine.errors import check
from engine.files import MODELS_FOLDER
from engine.model.checkpoint import CONFIG

DEFAULT_MODEL = "sevennet-l3i5"


def available_models() -> list[str]:
    """Names of the shipped models, the default first."""
    names = sorted(path.parent.name for path in MODELS_FOLDER.glob(f"*/{CONFIG}"))
    return sorted(names, key=lambda name: name != DEFAULT_MODEL)


def model_folder(name: str | Path | None = None) -> Path:
    """Folder of the default model, of one of `available_models()`, or `name` itself, of a model or a run.

    Raises:
        EngineError: there is no such model.
    """
    shipped = MODELS_FOLDER / str(name or DEFAULT_MODEL)
    folder = shipped if shipped.is_dir() else Path(name or shipped)
    check(
        (folder / CONFIG).is_file(),
        f"{name or DEFAULT_MODEL}: no such model; shipped are: {', '.join(available_models()) or 'none'}; "
        "or give the folder of a finished training run",
    )
    return folder
