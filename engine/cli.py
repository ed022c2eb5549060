"""The command line: python -m engine fetch|train|evaluate|predict|screen, also installed as dielectric."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.config import BACKBONES, GraphConfig, IndexConfig, ModelConfig, TrainConfig
from engine.errors import EngineError, check, in_words
from engine.screening import command as screening

if TYPE_CHECKING:
    from engine.materials_project.fetch import FetchProgress
    from engine.prediction.low_dimensional import OwnResponse
    from engine.prediction.prediction import Prediction
    from engine.prediction.records import Matrix, Record
    from engine.runs.run import Run

ASKED = {"electronic": ("electronic",), "ionic": ("ionic",), "total": ("electronic", "ionic")}
TARGETS = {"electronic": ("electronic",), "ionic": ("ionic",), "both": ("electronic", "ionic")}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is 0, or 1 with one line on standard error. Wrong usage exits with 2."""
    options = _parser().parse_args(arguments)
    try:
        return options.command(options)
    except (EngineError, OSError) as error:
        words = in_words(error) if isinstance(error, OSError) else " ".join(str(error).split())
        print(f"error: {words}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 1


def _program() -> str:
    """What the user called: the console command, or the module."""
    called = Path(sys.argv[0]).name
    return called if called == "dielectric" else "python -m engine"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=_program(), description="Dielectric tensors of crystals.")
    commands = parser.add_subparsers(required=True, metavar="fetch|train|evaluate|predict|screen")

    predict = commands.add_parser(
        "predict", help="predict tensors for files (CIF, POSCAR, extxyz, XSF, JSON, phonopy.yaml, vasprun.xml)"
    )
    predict.add_argument("files", nargs="+", metavar="FILE")
    predict.add_argument("--model", metavar="NAME", help="a shipped model or a run's folder")
    predict.add_argument(
        "--target",
        choices=tuple(ASKED),
        default="total",
        help="compute no more than this; total, both parts, by default",
    )
    predict.add_argument(
        "--functional",
        choices=("PBE", "PBEsol"),
        default="PBE",
        help="of DFT; PBE, of the training set, by default",
    )
    predict.add_argument(
        "--ionic-method",
        choices=("full", "direct"),
        default="full",
        help="direct does without the potential's force constants, many times as fast; full by default",
    )
    predict.add_argument(
        "--setting", default="", metavar="NAME", help="of the space group where a CIF leaves it open: 'F d -3 m:2'"
    )
    predict.add_argument(
        "--orderings",
        action="store_true",
        help="answer a disordered crystal by at most ten ordered ones, with what they differ by",
    )
    predict.add_argument("--json", metavar="OUT", help="write JSON to a file, or to standard output with -")
    predict.add_argument("--csv", metavar="OUT", help="write CSV to a file, or to standard output with -")
    _add_spectrum_options(predict)
    predict.set_defaults(command=_predict)

    train = commands.add_parser("train", help="train a network; safe to interrupt and resume")
    train.add_argument("--run", type=Path, metavar="DIR", help="folder of the new run")
    train.add_argument("--resume", type=Path, metavar="DIR", help="go on with a run that was interrupted")
    train.set_defaults(command=_train)

    evaluate = commands.add_parser("evaluate", help="retrain on formula-grouped folds, report out-of-fold errors")
    evaluate.add_argument("--model", metavar="NAME", help="take the configuration of this model")
    evaluate.add_argument("--folds", type=int, default=5)
    evaluate.add_argument("--seeds", type=int, help="networks a fold; 3 by default, 5 for matbench")
    evaluate.add_argument(
        "--benchmark", choices=("external", "layered", "learning-curve", "matbench"), help="judge by this instead"
    )
    evaluate.add_argument("--json", metavar="OUT", help="write JSON to a file, or to standard output with -")
    evaluate.add_argument(
        "--run", type=Path, metavar="DIR", help="folder for the folds and the ensemble of their networks"
    )
    known = evaluate.add_mutually_exclusive_group()
    known.add_argument(
        "--networks",
        metavar="MODEL",
        help="take the networks of this model of the same folds, and teach how the potential is corrected alone",
    )
    known.add_argument(
        "--judge", metavar="MODEL", help="take the networks of this model of the same folds as they are"
    )
    many = evaluate.add_mutually_exclusive_group()
    many.add_argument("--workers", type=int, help="networks trained at once")
    many.add_argument(
        "--scheduler",
        dest="workers",
        metavar="ADDRESS",
        help="of Dask's, whose processes train them: tcp://host:8786, see docs/scale.md",
    )
    evaluate.set_defaults(command=_evaluate)

    fetch = commands.add_parser("fetch", help="fetch materials from Materials Project; safe to interrupt")
    which = fetch.add_mutually_exclusive_group(required=True)
    which.add_argument("--ids", metavar="ID,ID,...", help="these materials: mp-149,mp-2490")
    which.add_argument("--all", action="store_true", help="all that have dielectric tensors")
    fetch.add_argument("--out", type=Path, metavar="FILE", help="Parquet file to write")
    fetch.set_defaults(command=_fetch)

    screen = commands.add_parser("screen", help="predict many structures into one Parquet file; safe to interrupt")
    screening.add_options(screen, ASKED)
    screen.set_defaults(command=partial(screening.run, targets=ASKED))

    for command in (train, evaluate):
        _add_training_options(command)
    for command in (predict, train, evaluate, screen):
        command.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    return parser


def _add_spectrum_options(command: argparse.ArgumentParser) -> None:
    files = command.add_argument_group(
        "files of one crystal",
        "In the axes of its structure; - for standard output. Charges: first index the field.",
    )
    files.add_argument("--born", metavar="OUT", help="Born charges and electronic tensor, phonopy's BORN")
    files.add_argument("--phonopy", metavar="OUT", help="zone-centre force constants too, phonopy_params.yaml")
    files.add_argument("--unitcell", metavar="OUT", help="both tensors, pydefect's unitcell.yaml")
    files.add_argument(
        "--spectrum",
        metavar="OUT",
        help="permittivity against frequency as CSV; OUT.yml: n and k as refractiveindex.info has them",
    )
    files.add_argument("--from", dest="start", type=float, metavar="F", help="first frequency; 20 by default")
    files.add_argument("--to", dest="stop", type=float, metavar="F", help="last frequency; 1500 by default")
    files.add_argument("--points", type=int, metavar="N", help="of frequencies; by default a round step, 1 cm^-1")
    files.add_argument("--damping", type=float, metavar="F", help="full width of each mode; 8 by default")
    files.add_argument(
        "--unit",
        choices=("cm^-1", "THz", "meV", "µm"),
        help="of these four but N; cm^-1 by default. For µm, a wavelength, damping is in cm^-1",
    )
    files.add_argument(
        "--field", type=float, nargs=3, metavar=("X", "Y", "Z"), help="of the light in OUT.yml; 1 0 0 by default"
    )


def _add_training_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--data", default="petousis-2017", metavar="NAME|FILE")
    command.add_argument(
        "--backbone",
        choices=BACKBONES,
        default="pretrained",
        help="a convolution network, or a readout on the SevenNet potential or on the network distilled from it",
    )
    command.add_argument("--tuned-layers", type=int, metavar="N", help="of the pretrained backbone; 0 by default")
    command.add_argument("--target", choices=tuple(TARGETS), default="both")
    command.add_argument("--epochs", type=int)
    command.add_argument("--batch-size", type=int)
    command.add_argument("--learning-rate", type=float)
    command.add_argument("--weight-decay", type=float)
    command.add_argument("--index-data", metavar="NAME|FILE", help="crystals known by n alone; '' for none")
    command.add_argument("--phonon-data", metavar="FILE", help="phonon data to learn from, see data/README.md")
    command.add_argument("--seed", type=int)
    for name, kind in (("--r-max", float), ("--lmax", int), ("--mul", int), ("--num-layers", int)):
        command.add_argument(name, type=kind, help="of the scratch backbone")


def _config(options: argparse.Namespace) -> TrainConfig:
    """What was asked for, over the defaults of the backbone."""

    def given(*names: str) -> dict[str, Any]:
        return {name: getattr(options, name) for name in names if getattr(options, name) is not None}

    model = ModelConfig(
        targets=TARGETS[options.target],
        backbone=options.backbone,
        **given("tuned_layers", "lmax", "mul", "num_layers"),
    )
    return TrainConfig.for_backbone(
        options.backbone,
        graph=GraphConfig(**given("r_max")),
        model=model,
        device=options.device,
        **given("epochs", "batch_size", "learning_rate", "weight_decay", "index_data", "phonon_data", "seed"),
    )


def _predict(options: argparse.Namespace) -> int:
    from engine.network.potential import keep_memory
    from engine.prediction.predictor import Predictor
    from engine.prediction.records import predict_files, records_to_csv, to_records

    keep_memory()
    predictor = Predictor.load(options.model, options.device)
    asked = _asked(options.target, predictor.targets)
    answers = predict_files(
        predictor,
        options.files,
        asked,
        options.functional,
        options.ionic_method,
        options.setting,
        options.orderings,
    )
    records = to_records(answers)
    wrote = _write_spectra(options, [answer for _, answer in answers if not isinstance(answer, str)])
    if options.json:
        _write(options.json, json.dumps(records, indent=1))
    if options.csv:
        _write(options.csv, records_to_csv(records))
    if not (options.json or options.csv or wrote):
        for record in records:
            print(_summary(record))
    refused = [error for record in records if (error := record["error"])]
    check(not refused, f"{len(refused)} of {len(records)} refused: {'; '.join(refused)}")
    return 0


def _write_spectra(options: argparse.Namespace, predictions: Sequence["Prediction"]) -> bool:
    """The files that hold one crystal; whether any was asked for."""
    from engine.prediction import spectra

    files = (
        (options.born, spectra.born_file),
        (options.phonopy, spectra.phonopy_file),
        (options.unitcell, spectra.unitcell_file),
        (options.spectrum, partial(_spectrum, options)),
    )
    asked = [(target, text) for target, text in files if target]
    check(
        not asked or len(predictions) == 1,
        "--born, --phonopy, --unitcell and --spectrum write the file of one crystal; "
        f"give a file that holds one, got {len(predictions)}",
    )
    for target, text in asked:
        _write(target, text(predictions[0]))
    return bool(asked)


def _spectrum(options: argparse.Namespace, prediction: "Prediction") -> str:
    import numpy as np

    from engine.prediction.spectra import Sweep, index_file, spectrum_file

    names = ("start", "stop", "points", "damping", "unit")
    sweep = Sweep(**{name: getattr(options, name) for name in names if getattr(options, name) is not None})
    if options.spectrum.endswith((".yml", ".yaml")):
        return index_file(prediction, sweep, np.array(options.field or (1.0, 0.0, 0.0)))
    return spectrum_file(prediction, sweep)


def _fetch(options: argparse.Namespace) -> int:
    from engine.data.datasets import fetched_root
    from engine.materials_project.client import key_from_environment
    from engine.materials_project.fetch import fetch, write_fetch

    ids = None if options.all else [one for one in options.ids.split(",") if one.strip()]
    found = fetch(ids, key_from_environment(), progress=_show_fetch)
    for one, reason in found.refused.items():
        print(f"{one}: {reason}", file=sys.stderr)
    name = "materials-project" if options.all else "materials-project-selection"
    out = options.out or fetched_root() / f"{name}-{found.db_version}.parquet"
    write_fetch(out, found)
    about = found.about()
    print(f"{out}: {len(found.materials):,} materials of database version {found.db_version}")
    print(f"routes: {about['routes']}")
    print(f"rejected: {about['rejections']}")
    print(f"not verifiable (triclinic or orthorhombic, turned back): {about['not_verifiable']}")
    check(not found.refused, f"{len(found.refused)} of {len(found.refused) + len(found.materials)} did not come")
    return 0


def _show_fetch(progress: "FetchProgress") -> None:
    if progress.waiting:
        line = f"waiting: {progress.waiting}"
    else:
        minutes, seconds = divmod(round(progress.seconds_left), 60)
        line = (
            f"{progress.done:,} of {progress.total:,} materials, {progress.rate:.0f} a second, "
            f"{minutes}:{seconds:02d} left"
        )
    print(line, file=sys.stderr, flush=True)


def _train(options: argparse.Namespace) -> int:
    from engine.network.potential import keep_memory
    from engine.runs.run import Run
    from engine.training.loop import EpochResult
    from engine.training.team import assembled

    def show(result: EpochResult) -> None:
        errors = "  ".join(f"{m.target} MARD {m.mard:.1f} %" for m in result.validation)
        print(
            f"epoch {result.epoch}/{result.epochs}  loss {result.train_loss:.4f}  "
            f"validation {result.validation_loss:.4f}  {errors}  {result.seconds:.1f} s",
            flush=True,
        )

    check(not (options.run and options.resume), "give --run for a new run or --resume for an old one, not both")
    keep_memory()
    team = assembled(options.device)
    run = Run.open(team.told(lambda: _run(options).folder))
    if not team.leads:
        run.work(show, team)
        return 0
    print(f"run {run.folder}", flush=True)
    state = run.work(show, team)
    if state == "finished":
        print(f"finished; predict with --model {run.folder}")
    else:
        print(f"stopped; go on with: python -m engine train --resume {run.folder}")
    return 0


def _run(options: argparse.Namespace) -> "Run":
    from engine.runs.run import Run

    return Run.open(options.resume) if options.resume else Run.create(_config(options), options.data, options.run)


def _evaluate(options: argparse.Namespace) -> int:
    from engine.evaluation.cross_validation import cross_validate, to_json, to_table
    from engine.evaluation.layered import layered_table, set_aside_layered
    from engine.evaluation.learning_curve import learning_curve, learning_curve_table
    from engine.model.shipped_models import model_folder
    from engine.prediction.predictor import Predictor
    from engine.runs.job import runs_root

    if options.benchmark == "matbench":
        return _matbench(options)
    if options.benchmark == "external":
        return _external(options)
    config = _config(options)
    if options.model:
        predictor = Predictor.load(options.model, "cpu")
        options.backbone = predictor.model_config.backbone
        config = replace(_config(options), graph=predictor.graph_config, model=predictor.model_config)
    seeds = 3 if options.seeds is None else options.seeds
    check(seeds >= 1, f"seeds must be at least 1, got {seeds}")
    folder = (options.run or runs_root() / "evaluate").resolve()
    if options.benchmark == "layered":
        layered = set_aside_layered(options.data, config, folder, seeds, options.workers)
        document, table = to_json(layered), layered_table(layered)
    elif options.benchmark == "learning-curve":
        curve = learning_curve(options.data, options.folds, folder, options.workers, options.device)
        document, table = to_json(curve), learning_curve_table(curve)
    else:
        known = options.networks or options.judge
        networks = None if known is None else model_folder(known)
        found = cross_validate(
            options.data, config, options.folds, folder, seeds, options.workers, networks, not options.judge
        )
        document = to_json(found)
        table = f"{to_table(found)}\nthe networks of all folds are a model: predict with --model {folder}"
    if options.json:
        _write(options.json, document)
    if options.json != "-":
        print(table)
    return 0


def _matbench(options: argparse.Namespace) -> int:
    from engine.evaluation.matbench.matbench import matbench_json, matbench_table, run_matbench
    from engine.runs.job import runs_root

    given = {"seeds": options.seeds, "epochs": options.epochs}
    config = IndexConfig(
        device=options.device, **{name: value for name, value in given.items() if value is not None}
    )
    report = run_matbench(config, (options.run or runs_root() / "matbench").resolve(), options.workers)
    if options.json:
        _write(options.json, matbench_json(report))
    if options.json != "-":
        print(matbench_table(report))
    return 0


def _external(options: argparse.Namespace) -> int:
    from engine.evaluation.cross_validation import to_json
    from engine.evaluation.external import external_table, external_test
    from engine.network.potential import keep_memory
    from engine.runs.job import runs_root

    keep_memory()
    folder = (options.run or runs_root() / "external").resolve()
    report = external_test(folder, options.model, options.workers, options.device)
    if options.json:
        _write(options.json, to_json(report))
    if options.json != "-":
        print(external_table(report))
    return 0


def _asked(target: str, known: Sequence[str]) -> tuple[str, ...]:
    """The parts of a target; of the total, those that the model has."""
    return tuple(part for part in ASKED[target] if target != "total" or part in known)


def _summary(record: "Record") -> str:
    from engine.prediction.records import PARTS
    from engine.prediction.spread import in_words

    if record["error"] or not record["read_as"]:
        return f"{record['source']}: refused"
    parts = [f"{record['source']}: {record['formula']}, structure Cartesian axes"]
    parts += [_tensor_line(target, record[target]) for target in PARTS if record[target]]
    if box := record["low_dimensional"]:
        parts += _own_lines(box)
    elif record["n"]:
        parts.append(f"  n          {record['n']:.3f}")
    if own := record["dft"]:
        parts.append("  DFT, of the file:")
        parts += [_tensor_line(target, own[target]) for target in PARTS if own[target]]
    parts += [f"  note: {note}" for note in record["read_as"]["assumed"] + record["warnings"]]
    if (mark := record["approximation"]) and mark["number"] == mark["count"]:
        parts.append(f"spread: {in_words(mark)}")
    return "\n".join(parts)


def _own_lines(own: "OwnResponse") -> list[str]:
    """The principal polarisabilities of what stands in a box."""
    found = {
        "electronic": (own["electronic_along"], own["electronic_across"]),
        "static": (own["static_along"], own["static_across"]),
    }
    lines = []
    for name, (along, across) in found.items():
        if across is not None:
            values = " ".join(f"{x:.3f}" for x in along or ())
            values += f"{' along, ' if along else ''}{' '.join(f'{x:.3f}' for x in across)}"
            lines.append(f"  {own['kind']} itself: {name} polarisability ({own['unit']}) {values}")
    return [line + (" across" if own["dimensionality"] else "") for line in lines]


def _tensor_line(name: str, matrix: "Matrix | None") -> str:
    return f"  {name:<10} " + "  ".join(" ".join(f"{x:8.3f}" for x in row) for row in matrix or ())


def _write(target: str, text: str) -> None:
    if target == "-":
        print(text)
    else:
        Path(target).write_text(text)
