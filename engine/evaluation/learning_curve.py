"""Out-of-fold errors against the number of training crystals, for both backbones."""

import time
from dataclasses import dataclass
from pathlib import Path

from engine.config import TrainConfig
from engine.data.datasets import load_dataset
from engine.evaluation.cross_validation import cross_validate
from engine.evaluation.provenance import about, code_version
from engine.tensors.metrics import TargetMetrics
from engine.training.jobs import Workers

SHARES = (0.1, 0.25, 0.5, 1.0)
BACKBONES = ("pretrained", "scratch")


@dataclass(frozen=True, kw_only=True)
class Point:
    """Errors over crystals with entries under 100, of networks that learnt from about `crystals` tensors."""

    backbone: str
    share: float
    crystals: int
    metrics_in_range: tuple[TargetMetrics, ...]
    seconds: str


@dataclass(frozen=True, kw_only=True)
class LearningCurve:
    """All points; `about` as in `cross_validation.Evaluation`."""

    curves: tuple[Point, ...]
    about: dict[str, str]


def learning_curve(
    data: str, folds: int, folder: Path, workers: Workers = None, device: str = "auto"
) -> LearningCurve:
    """Cross-validate both backbones, one network a fold, on each of `SHARES` of all formulas; resumable."""
    started, code = time.perf_counter(), code_version()
    points = []
    for backbone in BACKBONES:
        for share in SHARES:
            config = TrainConfig.for_backbone(backbone, share=share, device=device)
            found = cross_validate(data, config, folds, folder / f"{backbone}-{share:g}", workers=workers)
            points.append(
                Point(
                    backbone=backbone,
                    share=share,
                    crystals=round(share * (1 - 1 / folds) * len(load_dataset(data))),
                    metrics_in_range=found.metrics_in_range,
                    seconds=found.about["seconds"],
                )
            )
    return LearningCurve(curves=tuple(points), about=about(data, config, 1, started, code) | {"folds": str(folds)})


def learning_curve_table(found: LearningCurve) -> str:
    """The points to read."""
    lines = ["backbone    crystals  target        MARD %  EwT10"]
    for point in found.curves:
        for m in point.metrics_in_range:
            lines.append(f"{point.backbone:<11} {point.crystals:>8}  {m.target:<12} {m.mard:6.1f} {m.ewt10:6.1f}")
    return "\n".join(lines)
