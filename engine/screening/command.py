"""The command `screen`: its options, and what it prints."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import check

if TYPE_CHECKING:
    import pandas as pd

    from engine.screening.screening import Progress

SHOWN = ("source", "formula", "natoms", "n", "electronic", "ionic", "total", "gap", "metallic", "ionic_method")
TERMINAL = 20  # rows


def add_options(command: argparse.ArgumentParser, targets: dict[str, tuple[str, ...]]) -> None:
    """Those of `screen`, but for the device."""
    command.add_argument(
        "input",
        metavar="INPUT",
        help="a folder, an extended XYZ, CIF or JSON, a Parquet of structures, a text file of Materials Project "
        "IDs, IDs with commas between, or catalogue, petousis-2017, matbench-dielectric; or a screening's result",
    )
    command.add_argument("--out", type=Path, metavar="FILE.parquet", help="a row for each structure")
    command.add_argument("--resume", action="store_true", help="go on with a screening that was stopped or killed")
    command.add_argument("--model", default="", metavar="NAME", help="a shipped model or a run's folder")
    command.add_argument(
        "--method",
        choices=("full", "direct", "fast"),
        default="direct",
        help="of the ionic part: full asks the potential for force constants, direct is many times as fast (the "
        "default); fast is the model fast",
    )
    command.add_argument("--target", choices=tuple(targets), default="total", help="compute no more than this")
    command.add_argument("--functional", choices=("PBE", "PBEsol"), default="PBE")
    command.add_argument(
        "--out-of-fold",
        action="store_true",
        help="ask networks that were not trained on the formula where there are any: to compare with DFT",
    )
    command.add_argument(
        "--workers", type=int, metavar="N", help="processes of this machine; one a core by default"
    )
    command.add_argument(
        "--scheduler", default="", metavar="ADDRESS", help="of Dask's, tcp://host:8786, see docs/scale.md"
    )
    view = command.add_argument_group("views of the result, also of one that is there: INPUT without --out")
    view.add_argument("--top", type=int, metavar="N", help=f"the first N rows; {TERMINAL} by default")
    view.add_argument(
        "--by", default="", metavar="QUANTITY", help="largest first: n, total, merit, birefringence ..."
    )
    view.add_argument("--lowest", action="store_true", help="smallest first")
    view.add_argument("--where", default="", metavar="CONDITION", help="such as 'gap > 3 and metallic < 0.1'")
    view.add_argument("--csv", metavar="OUT", help="write the rows as CSV to a file, or to standard output with -")


def run(options: argparse.Namespace, targets: dict[str, tuple[str, ...]]) -> int:
    """Screen, then show a view of the result where one is asked for."""
    from engine.screening.ranking import best

    views = bool(options.top or options.by or options.where or options.csv)
    check(options.out is not None or views, "give --out FILE.parquet; without it, --top, --by or --where")
    if options.out is not None:
        _screen(options, targets[options.target])
    if views:
        all_rows = bool(options.csv) and options.top is None
        top = None if all_rows else options.top or TERMINAL
        rows = best(options.out or Path(options.input), options.by, top, options.where, options.lowest)
        _show_rows(rows, options)
    return 0


def _screen(options: argparse.Namespace, targets: tuple[str, ...]) -> None:
    from engine.processes import interruptible
    from engine.screening.parts import Settings
    from engine.screening.screening import screen

    settings = Settings(
        model=options.model,
        method=options.method,
        targets=targets,
        functional=options.functional,
        out_of_fold=options.out_of_fold,
        device=options.device,
    )
    with interruptible():
        found = screen(
            options.input,
            options.out,
            settings,
            resume=options.resume,
            scheduler=options.scheduler,
            workers=options.workers,
            show=_show_progress,
        )
    print(f"{options.out}: {found.rows:,} rows, {found.refused:,} of them refused", file=sys.stderr)


def _show_progress(progress: "Progress") -> None:
    if progress.state == "reading":
        line = "reading the input"
    elif progress.state == "waiting":
        line = "waiting for the scheduler"
    else:
        line = f"{progress.done:,} of {progress.structures:,} structures, {progress.refused:,} refused"
        if progress.seconds_left is not None:
            minutes, seconds = divmod(round(progress.seconds_left), 60)
            line += f", {progress.rate:.1f} a second, {minutes}:{seconds:02d} left"
    print(line, file=sys.stderr, flush=True)


def _show_rows(rows: "pd.DataFrame", options: argparse.Namespace) -> None:
    if options.csv:
        from engine.screening.ranking import LISTED

        text = rows.drop(columns=[name for name in LISTED if name in rows]).to_csv(index=False)
        if options.csv == "-":
            print(text, end="")
        else:
            Path(options.csv).write_text(text)
        return
    shown = list(dict.fromkeys([*SHOWN, *([options.by] if options.by else [])]))
    held = [name for name in shown if name in rows and rows[name].notna().any()]
    print(rows[held].to_string(index=False, na_rep="", float_format=lambda value: f"{value:.3f}"))
