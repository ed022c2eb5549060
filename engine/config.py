"""Every default of the graph, the network and its training, in one place."""

from dataclasses import dataclass, field
from typing import Any

from engine.errors import check


@dataclass(frozen=True, kw_only=True)
class GraphConfig:
    """Which atoms are neighbours: those closer than `r_max` (Å), periodic images included."""

    r_max: float = 5.0

    def __post_init__(self) -> None:
        check(self.r_max > 0, f"r_max must be positive, got {self.r_max}")
        check(self.r_max <= 12, f"r_max must be at most 12 Å, got {self.r_max}: the graph grows with its cube")


BACKBONES = ("scratch", "pretrained", "distilled")


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """What the network is; `num_neighbors` is the training set's mean degree.

    The backbone "scratch" is the convolution network, whose size the next fields give; "pretrained" is the
    potential of potential.py, of which only the readout is trained, and of the potential its last `tuned_layers`;
    "distilled" is the small network of distilled.py in the potential's place, for which no force constants of the
    potential are computed.
    The readout "mean" takes the mean of
    the atoms' outputs; "dipoles" couples the atoms' electronic polarisabilities as dipoles.py says, smeared by
    `sigma` (Å). The ionic readout is "mean" or "springs", the potential's force constants as springs.py says; with
    `direct`, the network has force constants of its own, see direct.py, for crystals that come without.
    """

    targets: tuple[str, ...] = ("electronic", "ionic")
    backbone: str = "scratch"
    tuned_layers: int = 0
    readout: str = ""
    ionic_readout: str = ""
    direct: bool = False
    readout_width: int = 0
    sigma: float = 1.2
    lmax: int = 2
    mul: int = 64
    num_layers: int = 2
    num_basis: int = 10
    radial_width: int = 64
    num_neighbors: float = 30.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "targets", tuple(self.targets))
        check(
            bool(self.targets) and set(self.targets) <= {"electronic", "ionic"},
            f"targets must be electronic, ionic or both, got {self.targets}",
        )
        check(
            self.backbone in BACKBONES,
            f"backbone must be {', '.join(BACKBONES[:-1])} or {BACKBONES[-1]}, got {self.backbone!r}",
        )
        pretrained, taught = self.backbone == "pretrained", self.backbone != "scratch"
        check(
            0 <= self.tuned_layers <= 5,
            f"tuned_layers must be 0 to 5, the layers of the potential, got {self.tuned_layers}",
        )
        check(
            pretrained or not self.tuned_layers,
            f"tuned_layers must be 0 on the backbone {self.backbone}, got {self.tuned_layers}; choose pretrained",
        )
        if not self.readout:
            object.__setattr__(self, "readout", "dipoles" if taught else "mean")
        if not self.ionic_readout:
            object.__setattr__(self, "ionic_readout", "springs" if taught else "mean")
        if not self.readout_width:
            object.__setattr__(self, "readout_width", 160 if self.backbone == "distilled" else 256)
        check(self.readout in ("mean", "dipoles"), f"readout must be mean or dipoles, got {self.readout!r}")
        check(
            self.ionic_readout in (("mean", "springs") if taught else ("mean",)),
            f"the ionic readout of a {self.backbone} backbone cannot be {self.ionic_readout!r}",
        )
        check(
            not self.direct or (self.readout == "dipoles" and self.has_charges),
            "direct force constants need the readouts dipoles and springs",
        )
        check(0.5 <= self.sigma <= 5, f"sigma must be between 0.5 and 5 Å, got {self.sigma}")
        check(self.readout_width >= 1, f"readout_width must be at least 1, got {self.readout_width}")
        check(2 <= self.lmax <= 4, f"lmax must be 2, 3 or 4 to reach a tensor, got {self.lmax}")
        check(self.mul >= 4, f"mul must be at least 4, got {self.mul}")
        check(1 <= self.num_layers <= 6, f"num_layers must be 1 to 6, got {self.num_layers}")
        check(self.num_basis >= 2, f"num_basis must be at least 2, got {self.num_basis}")
        check(self.radial_width >= 1, f"radial_width must be at least 1, got {self.radial_width}")
        check(self.num_neighbors > 0, f"num_neighbors must be positive, got {self.num_neighbors}")

    @property
    def has_charges(self) -> bool:
        """Whether the ionic part is made of Born charges and springs."""
        return self.ionic_readout == "springs" and "ionic" in self.targets

    @property
    def asks_potential(self) -> bool:
        """Whether the ionic part takes force constants of the potential where they are known."""
        return self.has_charges and self.backbone == "pretrained"

    @property
    def frozen(self) -> bool:
        """Whether the backbone stays as it comes, so that its features are computed once."""
        return self.backbone != "scratch" and not self.tuned_layers


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """One training run, complete: with the same data and seed it gives the same weights on a CPU.

    `rattle` (Å) is the standard deviation of the displacements that atoms get, anew in every step, while their
    crystal keeps its label: a network that sees few crystals then learns no single geometry by heart. A pretrained
    backbone is not rattled; its tuned layers learn at `tuned_rate` and without weight decay. `index_data` names a
    data set whose crystals without a tensor teach the mean of the electronic tensor by their refractive index;
    empty for none. `phonon_data` is a file of data/phonons.py whose Born charges and electronic tensors (PBEsol)
    teach a pretrained backbone's readouts too; empty for none. Only a `share` of all formulas teaches.
    """

    graph: GraphConfig = field(default_factory=GraphConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    epochs: int = 30
    batch_size: int = 16
    index_data: str = ""
    phonon_data: str = ""
    learning_rate: float = 5e-3
    tuned_rate: float = 1e-4
    weight_decay: float = 0.1
    clip_norm: float = 10.0
    rattle: float = 0.06
    average_decay: float = 0.99
    validation_share: float = 0.1
    share: float = 1.0
    seed: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        check(self.epochs >= 1, f"epochs must be at least 1, got {self.epochs}")
        check(self.batch_size >= 1, f"batch_size must be at least 1, got {self.batch_size}")
        check(self.learning_rate > 0, f"learning_rate must be positive, got {self.learning_rate}")
        check(self.tuned_rate > 0, f"tuned_rate must be positive, got {self.tuned_rate}")
        check(self.weight_decay >= 0, f"weight_decay must not be negative, got {self.weight_decay}")
        check(self.clip_norm > 0, f"clip_norm must be positive, got {self.clip_norm}")
        check(0 <= self.rattle < 0.5, f"rattle must be between 0 and 0.5 Å, got {self.rattle}")
        check(0 <= self.average_decay < 1, f"average_decay must be in [0, 1), got {self.average_decay}")
        check(
            not self.phonon_data or self.model.backbone != "scratch",
            "phonon_data teaches a pretrained backbone's readouts alone; choose pretrained, or leave it out",
        )
        check(
            0 < self.validation_share < 0.9,
            f"validation_share must be between 0 and 0.9, got {self.validation_share}",
        )

        check(0 < self.share <= 1, f"share must be above 0 and at most 1, got {self.share}")

    @classmethod
    def for_backbone(cls, backbone: str, **changes: Any) -> "TrainConfig":
        """The defaults of a backbone, with some values changed."""
        if backbone != "scratch":
            changes = (DISTILLED if backbone == "distilled" else PRETRAINED) | changes
            changes.setdefault("model", ModelConfig(backbone=backbone))
        return cls(**changes)


PRETRAINED: dict[str, Any] = {
    "epochs": 30,
    "batch_size": 32,
    "learning_rate": 2e-3,
    "weight_decay": 1.0,
    "index_data": "matbench-dielectric",
}


DISTILLED: dict[str, Any] = PRETRAINED | {"epochs": 16}


@dataclass(frozen=True, kw_only=True)
class LaterConfig:
    """How a step of training goes that comes after all else; `ionic_weight` is of ionic tensors in its loss."""

    batch_size: int = 16
    learning_rate: float = 2e-3
    weight_decay: float = 0.3
    clip_norm: float = 2.0
    average_decay: float = 0.99
    ionic_weight: float = 0.5


@dataclass(frozen=True, kw_only=True)
class PhononConfig(LaterConfig):
    """How phonon data teach charges and force constants; `charge_weight` is of Born charges in the loss."""

    epochs: int = 10
    charge_weight: float = 2.0

    @classmethod
    def for_backbone(cls, backbone: str) -> "PhononConfig":
        """The defaults of a backbone."""
        return cls(epochs=6) if backbone == "distilled" else cls()


@dataclass(frozen=True, kw_only=True)
class PotentialConfig(LaterConfig):
    """How the correction of the potential's force constants is taught last; chosen on the first fold.

    Crystals of more than `most_atoms`, or of more than `most_effort`, see force_constants.py, do not teach.
    """

    epochs: int = 12
    most_atoms: int = 16
    most_effort: float = 600.0


# Of the network without equivariance, plain_network.py.
PLAIN = TrainConfig(model=ModelConfig(targets=("electronic",), mul=128, num_layers=3), learning_rate=2e-3)


@dataclass(frozen=True, kw_only=True)
class IndexConfig:
    """The readout of the refractive index that matbench.py judges: networks and a kernel on the same features.

    Labels count as n^2 - 1 of at least `floor`; `blend` is the kernel's share of the prediction. `kernel_length`
    is a distance of crystals in units of the mean one, `kernel_noise` and `kernel_error` are index_kernel.py's.
    """

    width: int = 256
    crystal_width: int = 128
    epochs: int = 20
    batch_size: int = 32
    learning_rate: float = 2e-3
    weight_decay: float = 1.0
    clip_norm: float = 10.0
    average_decay: float = 0.99
    floor: float = 0.3
    kernel_length: float = 2.0
    kernel_noise: float = 0.01
    kernel_error: float = 0.03
    blend: float = 0.35
    seeds: int = 5
    device: str = "auto"

    def __post_init__(self) -> None:
        check(self.seeds >= 1, f"seeds must be at least 1, got {self.seeds}")
        check(self.epochs >= 1, f"epochs must be at least 1, got {self.epochs}")
        check(self.floor > 0, f"floor must be positive, got {self.floor}")
        check(0 <= self.blend <= 1, f"blend must be in [0, 1], got {self.blend}")
