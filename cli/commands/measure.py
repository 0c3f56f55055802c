"""``repliquant measure``: a person's own model file in every toolchain that opens it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.commands.options import as_json
from services.parameters import Batches, CountRange, Duration, NumberRange

if TYPE_CHECKING:
    from orchestrator.running.execute import Outcome
    from services.measure import Measuring
    from services.measure_rows import Row
    from services.measure_screen import Screen

PIXELS = ("0-255", "0-1", "-1-1", "imagenet")


@click.command("measure")
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--batch", "batches", type=Batches(), default=(), help="Batch sizes: 1,8,32.")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="A folder or archive of train/<class>/* and test/<class>/* pictures, or a NumPy file "
    "(.npy) of samples; random inputs without it.",
)
@click.option(
    "--pixels",
    type=click.Choice(PIXELS),
    default="0-1",
    show_default=True,
    help="What the model takes its pixels as; imagenet is torchvision's normalisation.",
)
@click.option(
    "--budget",
    "budget_s",
    type=Duration(),
    default=240.0,
    show_default="4m",
    help="How long cells may take: every toolchain once at the smallest batch size, the other "
    "sizes, and all again, as far as there is time.",
)
@click.option(
    "--accept",
    type=NumberRange(0, 100),
    default=99.0,
    show_default=True,
    metavar="PERCENT",
    help="The least top-1 agreement with the file as it is that the advice may take.",
)
@click.option(
    "--run", "run_dir", type=click.Path(path_type=Path), help="Folder of the run to go on with."
)
@click.option("--engine", default="auto", show_default=True, help="Where: auto, docker, local.")
@click.option("--threads", type=CountRange(0, 4096), default=0, help="0: all processors.")
@click.option("-v", "--verbose", is_flag=True, help="Show every line of an installation.")
@as_json
def command(
    model: Path,
    batches: tuple[int, ...],
    data: Path | None,
    pixels: str,
    budget_s: float,
    accept: float,
    run_dir: Path | None,
    engine: str,
    threads: int,
    verbose: bool,
    as_json: bool,
) -> int:
    """Measure MODEL, an .onnx or .tflite file, in every toolchain that opens it.

    As it is, and in INT8 where a toolchain can quantize it: latency, throughput, size, accuracy
    where --data has labels, else how far the answers agree with those of the file as it is, and how
    much of the time was really spent in INT8. It ends with one screen and a sentence of advice.

    It is a run like any other: show, report, compare, bundle and the screen take its folder. The
    same command goes on where it was stopped.
    """
    from orchestrator.running.request import Request
    from services.measure import measuring

    options = Request("", run_dir=run_dir, engine=engine, threads=threads)
    asked = measuring(model, batches, data, pixels, budget_s, options)
    outcome = _carry_out(asked, verbose)
    return _show(asked, outcome, accept / 100, as_json)


def _carry_out(asked: Measuring, verbose: bool) -> Outcome:
    from cli.console import err
    from services.measure import carry_out
    from services.progress import Progress

    try:
        with Progress(err(), verbose) as progress:
            return carry_out(asked, progress)
    except KeyboardInterrupt:
        click.echo("finished cells are kept; the same command goes on from here", err=True)
        raise


def _show(asked: Measuring, outcome: Outcome, accept: float, as_json: bool) -> int:
    from cli.console import print_json, warn
    from services.exports import save_tables
    from services.measure_rows import advice, rows
    from services.measure_screen import measure_screen
    from services.results import results_of

    results = results_of(outcome.prepared)
    warn(results.warnings)
    save_tables(results)
    found = rows(results.plan, results.manifests, asked.question.reference)
    sentence = advice(found, accept, asked.random)
    if as_json:
        print_json(
            {
                "run": str(results.run.folder),
                "study": results.plan.study,
                "model_sha256": asked.question.model.sha256,
                "data": results.plan.dataset_title or results.plan.dataset,
                "advice": sentence,
                "unknown": _unknown(asked),
                "rows": [_row_data(row) for row in found],
            }
        )
    else:
        for line in measure_screen(_screen(asked, outcome, found, sentence)):
            click.echo(line)
    return outcome.exit_status(results.manifests)


def _row_data(row: Row) -> dict[str, object]:
    ends = row.interval_s
    return {
        **row._asdict(),
        "latency_s": row.latency_s,
        "interval_s": [ends.low, ends.high] if ends else None,
        "proven": row.proven,
    }


def _unknown(asked: Measuring) -> list[str]:
    """What can't be known of such data."""
    if asked.random:
        return ["accuracy, and how good calibration is: the inputs are random (--data)"]
    return [] if asked.labelled else ["accuracy: the samples have no labels"]


def _screen(asked: Measuring, outcome: Outcome, found: list[Row], sentence: str) -> Screen:
    import os
    import shlex

    from services.measure_screen import Screen
    from services.phrases import size

    model, run = asked.question.model, outcome.prepared.run.folder
    folder = min(str(run), os.path.relpath(run), key=len)
    title = f"{model.name}{model.suffix} · {size(model.size_bytes)} · takes {model.entry.words}"
    return Screen(
        title, found, sentence, _unknown(asked), f"repliquant report {shlex.quote(folder)}"
    )
