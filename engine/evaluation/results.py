"""Where the figures in a results file come from: the code, the day and the machine that measured them."""

from dataclasses import dataclass
from pathlib import Path

from engine.data.datasets import index_materials
from engine.evaluation.provenance import CHANGED, UNKNOWN
from engine.files import RESULTS_FOLDER, read_json

NOT_RECORDED = "a machine that is not recorded"


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What is written in a results file of the measurement itself.

    Attributes:
        code: commit, with `CHANGED` where files differed from it; `UNKNOWN` where the file does not say.
        date: as the file has it, empty where it has none.
        machine: processor, cores, accelerator and versions.
        index_data: data set whose refractive indices taught beside the tensors, empty where none did.
        phonon_count: number of crystals whose phonon calculations taught; each fold's training left out those of
            its formulas.
    """

    code: str
    date: str
    machine: str
    index_data: str
    phonon_count: int = 0

    @property
    def doubt(self) -> str:
        """Why the figures cannot be traced to a commit, a sentence; empty where they can."""
        if self.code == UNKNOWN:
            return "It is not recorded which code measured these figures."
        if self.code.endswith(CHANGED):
            return f"No commit holds the code that measured these figures: {self.code}."
        return ""

    def age(self, model: "Origin") -> str:
        """That the model was trained anew since, a sentence; empty where it was not, or no date is known."""
        if self.date and self.date < model.date:
            return f"Measured on {self.date}, before the model was trained anew on {model.date}."
        return ""

    @property
    def index_count(self) -> int:
        """Number of refractive indices that taught; each fold's training left out those of its formulas."""
        return len(index_materials(self.index_data, ()))


def results_file(name: str) -> Path:
    """The results file of a benchmark or of a shipped model."""
    return RESULTS_FOLDER / f"{name}.json"


def read_origin(path: Path) -> Origin | None:
    """The origin of the figures in a results file; None where there is no such file.

    Raises:
        EngineError: the file is damaged.
    """
    if not path.is_file():
        return None
    content = read_json(path)
    facts = content.get("about", content)
    return Origin(
        code=str(facts.get("code") or UNKNOWN),
        date=str(facts.get("date") or ""),
        machine=_machine(facts.get("machine")),
        index_data=str(facts.get("index_data") or ""),
        phonon_count=int(facts.get("phonon_crystals") or 0),
    )


def _machine(found: object) -> str:
    """As `provenance.machine` writes it; older files have a dictionary."""
    if isinstance(found, dict):
        return ", ".join(f"{name} {value}" for name, value in found.items() if value is not None)
    return str(found or NOT_RECORDED)
