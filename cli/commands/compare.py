"""``repliquant compare``: two runs cell by cell, and what differs between their environments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli.commands.options import as_json
from services.parameters import NumberRange
from services.phrases import printable

if TYPE_CHECKING:
    from comparisons.differences import Differences
    from comparisons.pairs import Side
    from manifests.run_folder import Run
    from services.results import Results


@click.command("compare")
@click.argument("base")
@click.argument("new")
@click.option("--pool", is_flag=True, help="Pool runs of one side from different environments.")
@click.option(
    "--margin", type=NumberRange(0, 1), default=0.02, show_default=True,
    help="A ratio certainly this near to 1 counts as the same.",
)  # fmt: skip
@click.option("--changed", is_flag=True, help="Only what isn't the same.")
@as_json
def command(base: str, new: str, pool: bool, margin: float, changed: bool, as_json: bool) -> None:
    """Run NEW against run BASE: same, faster, slower, or undecided, for every cell.

    Each may be several runs, separated by commas; from three a side on they tell about
    configurations, where one run a side tells about these two runs.
    """
    from cli.console import print_json
    from comparisons.differences import compare_runs
    from comparisons.render.differences import names_of

    sides = [_runs(base), _runs(new)]
    _check_distinct(sides)
    loaded = [_load(runs) for runs in sides]
    _check_one_study([run for side in loaded for run in side])
    base_side, new_side = (_side(runs, pool) for runs in loaded)
    found = compare_runs(base_side, new_side, margin)
    if changed:
        found = found._replace(lines=[line for line in found.lines if line.verdict != "same"])
    if as_json:
        print_json(_plain(found))
    else:
        _print(found, names_of(base_side, new_side))


def _runs(names: str) -> list[Run]:
    from manifests.errors import InputError
    from services.runs import find_run

    runs = [find_run(name) for name in names.split(",") if name]
    if not runs:
        raise InputError(f"{names!r} is not a run; give a run's folder or id")
    return runs


def _check_distinct(sides: list[list[Run]]) -> None:
    """Each run once, by whatever name: repeats are different runs."""
    from manifests.errors import InputError

    seen = set()
    for run in (run for side in sides for run in side):
        folder = run.folder.resolve()
        if folder in seen:
            raise InputError(
                f"run {run.folder} is listed twice; repeats must be different runs. "
                "Name each run once, on one side"
            )
        seen.add(folder)


def _load(runs: list[Run]) -> list[Results]:
    from cli.console import warn
    from services.results import read_results

    loaded = [read_results(run) for run in runs]
    for results in loaded:
        warn(results.warnings)
    return loaded


def _check_one_study(loaded: list[Results]) -> None:
    from manifests.errors import InputError

    first, *others = loaded
    for other in others:
        if other.plan.study != first.plan.study:
            raise InputError(
                f"{first.run.folder} is a run of {first.plan.study}, {other.run.folder} one of "
                f"{other.plan.study}: they have no cell in common. Name runs of one study"
            )


def _side(loaded: list[Results], pool: bool) -> Side:
    from comparisons.differences import make_side

    runs = [(str(one.run.folder), one.manifests) for one in loaded]
    return make_side(runs, pool, [one.run.cell_folder for one in loaded])


def _plain(found: Differences) -> dict[str, object]:
    lines = [
        {**line._asdict(), "interval": list(line.interval) if line.interval else None}
        for line in found.lines
    ]
    environments = [difference._asdict() for difference in found.environments]
    return {**found._asdict(), "environments": environments, "lines": lines}


def _print(found: Differences, names: tuple[str, str]) -> None:
    from cli.console import out
    from comparisons.render import differences as words
    from services.tables import table

    console = out()
    columns = words.header(names)
    rows = [words.row(line) for line in found.lines]
    right = [*names, "ratio", "95 % interval", "p", "n"]
    console.print(table("Cell by cell", columns, rows, right=right, least=("p", "n", names[0])))
    for line in words.summary(found, names):
        console.print(printable(line), markup=False)
    environments = words.environments(found)
    if environments:
        title = "What differs between the environments"
        console.print(table(title, ("what", *names), environments))
    else:
        console.print("the environments are the same", markup=False)
