"""``repliquant plan``: the cells of a study. This is also the dry run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Unpack

import click

from cli.commands.options import as_json
from services.parameters import NumberRange
from services.run_options import request_options

if TYPE_CHECKING:
    from comparisons.coverage import Coverage
    from manifests.plan import Plan, PlannedCell
    from orchestrator.engines.base import Engine
    from orchestrator.running.request import Prepared
    from services.selection import PlanChoices

_MOST_LINES = 100
_RIGHT = ("size", "batch", "seed", "repeat", "estimate")
_LEAST = ("repeat", "cell", "device", "framework", "protocol")
_SHOWN = ("framework", "task", "technique", "model", "device", "protocol")


@click.command("plan")
@click.argument("study")
@request_options
@click.option("--cost", is_flag=True, help="Only what it takes: time, disk, energy.")
@click.option("--watts", type=NumberRange(0, 1e6), help="What this machine draws, for --cost.")
@as_json
def command(
    study: str, as_json: bool, cost: bool, watts: float | None, **choices: Unpack[PlanChoices]
) -> None:
    """The cells of STUDY, with estimates and what would be skipped. Runs nothing.

    With --budget it also says which claims so much time is likely to leave undecided.
    """
    from orchestrator.running.request import Request, prepare

    request = Request(study, **choices)
    prepared = prepare(request)
    if as_json:
        _print_json(prepared, request.budget_s)
        return
    if cost:
        _print_cost(prepared, watts)
    else:
        _print(prepared)
    if request.budget_s is not None:
        _print_forecast(prepared, request.budget_s)


def _print_json(prepared: Prepared, budget_s: float | None) -> None:
    from cli.console import print_json
    from services.budget_forecast import forecast, forecast_data

    chosen = _chosen_plan(prepared)
    covered = _covered(chosen)
    print_json(
        {
            "run": str(prepared.run.folder),
            "published_numbers": [item._asdict() for item in covered],
            "plan": chosen,
            **(
                {"budget": forecast_data(forecast(prepared, budget_s))}
                if budget_s is not None
                else {}
            ),
        }
    )


def _print_forecast(prepared: Prepared, budget_s: float) -> None:
    from cli.console import out
    from services.budget_forecast import forecast, forecast_lines

    for line in forecast_lines(forecast(prepared, budget_s)):
        out().print(line, markup=False)


def _chosen_plan(prepared: Prepared) -> Plan:
    """The plan of the cells that were chosen alone."""
    import msgspec

    return msgspec.structs.replace(prepared.plan, cells=prepared.chosen)


def _print(prepared: Prepared) -> None:
    from cli.console import out
    from comparisons.comparison import describe_scope
    from services.phrases import duration, printable
    from services.skipped_cells import listed
    from services.tables import table

    plan = prepared.plan
    chosen, passed_over = listed(prepared.chosen)
    seeded = len({planned.cell.seed for planned in chosen}) > 1
    rows = [
        (
            cells[0].id if len(cells) == 1 else f"{len(cells):,} cells",
            *(getattr(cells[0].cell, name) for name in _SHOWN),
            str(cells[0].cell.image_size),
            _values(planned.cell.batch_size for planned in cells),
            *([_values(planned.cell.seed for planned in cells)] if seeded else []),
            _values(planned.cell.repeat for planned in cells),
            duration(sum(planned.estimate_s for planned in cells)) if not cells[0].skip else "–",
            state,
        )
        for state, cells in _gathered(prepared, chosen)
    ]
    columns = (
        "cell", "framework", "task", "technique", "model", "device", "protocol", "size", "batch",
        *(["seed"] if seeded else []), "repeat", "estimate", "state",
    )  # fmt: skip
    title = f"{plan.study} · {describe_scope(plan)}"
    summary = _summary(prepared)  # what is wrong with the study's tables is said before anything
    console = out()
    if rows:
        console.print(table(title, columns, rows, right=_RIGHT, least=_LEAST))
    for line in [*passed_over, *summary]:
        console.print(printable(line), markup=False)


def _print_cost(prepared: Prepared, watts: float | None) -> None:
    from cli.console import out

    console = out()
    plan = prepared.plan
    lines = [*_summary(prepared), *_disk(prepared), _energy(prepared, watts)]
    console.print(f"{plan.study} · tier {plan.tier} · {plan.dataset}", markup=False)
    for line in lines:
        console.print(line, markup=False)


def _disk(prepared: Prepared) -> list[str]:
    """As much a cell as in the study's run of most cells."""
    from services.phrases import size
    from services.runs import runs_of

    finished = {run.folder: len(list(run.cells.glob("*/manifest.json")))
                for run in runs_of(prepared.plan.study)}  # fmt: skip
    folder = max(finished, key=lambda folder: finished[folder], default=None)
    if folder is None or not finished[folder]:
        return ["disk for the run: not known before a first run"]
    taken = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    whole = taken / finished[folder] * len(prepared.chosen)
    return [f"disk for the run: about {size(whole)} (a cell takes what it took in {folder})"]


def _energy(prepared: Prepared, watts: float | None) -> str:
    from services.phrases import significant

    seconds = sum(planned.estimate_s for planned in prepared.chosen if not planned.skip)
    each = 100 if watts is None else watts
    assumed = " (assumed; give what this machine draws: --watts)" if watts is None else ""
    return f"energy: about {significant(seconds / 3600 * each / 1000)} kWh at {each:g} W{assumed}"


def _gathered(prepared: Prepared, chosen: list[PlannedCell]) -> list[tuple[str, list[PlannedCell]]]:
    """Cells and their state, one by one; in a large plan those that differ in batch and repeat
    alone share a line.
    """
    one_by_one = len(chosen) <= _MOST_LINES
    found: dict[tuple[object, ...], list[PlannedCell]] = {}
    for planned in chosen:
        cell = planned.cell
        state = planned.skip or _state(prepared, planned)
        same = (
            (planned.id,) if one_by_one else (cell.image_size, *(getattr(cell, n) for n in _SHOWN))
        )
        found.setdefault((state, *same), []).append(planned)
    return [(str(key[0]), cells) for key, cells in found.items()]


def _values(numbers: Iterable[int]) -> str:
    return ", ".join(str(number) for number in sorted(set(numbers)))


def _state(prepared: Prepared, planned: PlannedCell) -> str:
    path = prepared.run.manifest_path(planned.id)
    return "has a manifest" if path.exists() else ""


def _summary(prepared: Prepared) -> list[str]:
    from services.phrases import count, duration, size

    chosen = [planned for planned in prepared.chosen if not planned.skip]
    todo = [planned for planned in chosen if not _state(prepared, planned)]
    seconds = sum(planned.estimate_s for planned in todo)
    sources = sorted({planned.estimate_source for planned in todo})
    about = f", about {duration(seconds)} (from {'; '.join(sources)})" if todo else ""
    lines = [
        f"{count(len(chosen), 'cell')}, {len(todo):,} to run{about}; "
        f"{len(prepared.chosen) - len(chosen):,} can't run here",
        f"run folder: {prepared.run.folder}",
        *prepared.plan.dataset_notes,
        *_coverage(_chosen_plan(prepared)),
    ]
    lines += _environments(prepared.where.engine, {planned.image for planned in chosen})
    if prepared.plan.downloads_bytes:
        lines.append(f"data set to download: {size(prepared.plan.downloads_bytes)}")
    if prepared.plan.weights_to_fetch:
        lines.append(f"weights to download: {', '.join(prepared.plan.weights_to_fetch)}")
    return lines


def _covered(plan: Plan) -> list[Coverage]:
    """For each table, how many of the paper's numbers the planned cells answer."""
    from comparisons.coverage import coverage
    from papers.paper import find_paper

    return coverage(find_paper(plan.study).tables, plan)


def _coverage(plan: Plan) -> list[str]:
    found = _covered(plan)
    printed, planned = sum(c.printed for c in found), sum(c.planned for c in found)
    lacking = [f"{c.table} {c.planned:,} of {c.printed:,}" for c in found if c.planned < c.printed]
    told = f" ({', '.join(lacking)})" if lacking else ""
    return [f"published numbers with a planned cell: {planned:,} of {printed:,}{told}"]


def _environments(engine: Engine, names: set[str]) -> list[str]:
    """The state of each image, and the disk that those not made yet will take."""
    from machine.inventory import free_bytes
    from manifests import paths
    from orchestrator.environments.images import load_image
    from services.phrases import size

    images = [load_image(name) for name in sorted(names)]
    lines = []
    missing_mb = 0
    for image in images:
        state = engine.status(image)
        missing_mb += image.file.disk_mb if state != "ready" else 0
        lines.append(f"image {image.name} ({engine.name}): {state}")
    if missing_mb:
        free = free_bytes(paths.cache())
        left = size(free) if free is not None else "?"
        lines.append(f"disk for images not made yet: {size(missing_mb * 2**20)} of {left} free")
    return lines
