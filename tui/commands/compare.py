"""``repliquant compare``: two runs cell by cell, and what differs between their environments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tui.commands.options import NumberRange, as_json

if TYPE_CHECKING:
    from manifests.manifest import Manifest
    from manifests.plan import Plan
    from manifests.store import Run
    from tables.differences import Side

    Loaded = tuple[Run, Plan, list[Manifest]]

COLUMNS = ("cell", "metric", "base", "new", "ratio", "95 % interval", "p", "n", "verdict")


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
    """Run NEW against run BASE: same, faster, slower, or can't tell, for every cell.

    Each may be several runs, separated by commas, whose processes then count as repeats.
    """
    from tables.differences import compare_runs
    from tui.console import print_json

    sides = [_runs(base), _runs(new)]
    _check_distinct(sides)
    loaded = [_load(runs) for runs in sides]
    _check_one_study([run for side in loaded for run in side])
    found = compare_runs(_side(loaded[0], pool), _side(loaded[1], pool), margin)
    if changed:
        found = found._replace(lines=[line for line in found.lines if line.verdict != "same"])
    if as_json:
        print_json(_plain(found))
    else:
        _print(found)


def _runs(names: str) -> list[Run]:
    from orchestrator.errors import InputError
    from tui.runs import find_run

    runs = [find_run(name) for name in names.split(",") if name]
    if not runs:
        raise InputError(f"{names!r} names no run; give a run's folder or id")
    return runs


def _check_distinct(sides: list[list[Run]]) -> None:
    """Each run once, by whatever name: its processes are no repeats of themselves."""
    from orchestrator.errors import InputError

    seen = set()
    for run in (run for side in sides for run in side):
        folder = run.folder.resolve()
        if folder in seen:
            raise InputError(
                f"run {run.folder} is named twice: a process is no repeat of itself, and a run is "
                "the same as itself. Name each run once, on one side"
            )
        seen.add(folder)


def _load(runs: list[Run]) -> list[Loaded]:
    from tui.runs import load_planned

    return [(run, *load_planned(run)) for run in runs]


def _check_one_study(loaded: list[Loaded]) -> None:
    from orchestrator.errors import InputError

    run, plan, _ = loaded[0]
    for other, others, _ in loaded[1:]:
        if others.study != plan.study:
            raise InputError(
                f"{run.folder} is a run of {plan.study}, {other.folder} one of {others.study}: "
                "they have no cell in common. Name runs of one study"
            )


def _side(loaded: list[Loaded], pool: bool) -> Side:
    from orchestrator.errors import InputError
    from tables.differences import PoolingError, make_side

    try:
        return make_side([(str(run.folder), manifests) for run, _, manifests in loaded], pool)
    except PoolingError as error:
        raise InputError(str(error)) from error


def _plain(found: Any) -> dict[str, Any]:
    lines = [
        {**line._asdict(), "interval": list(line.interval) if line.interval else None}
        for line in found.lines
    ]
    environments = [difference._asdict() for difference in found.environments]
    return {**found._asdict(), "environments": environments, "lines": lines}


def _print(found: Any) -> None:
    from tui.console import out, table

    console = out()
    if found.environments:
        title = "What differs between the environments"
        console.print(table(title, ("what", "base", "new"), found.environments))
    else:
        console.print("the environments are the same", markup=False)
    rows = [_row(line) for line in found.lines]
    console.print(
        table("Cell by cell", COLUMNS, rows, right=COLUMNS[2:8], least=("p", "n", "base"))
    )
    for line in _summary(found):
        console.print(line, markup=False)


def _row(line: Any) -> tuple[str, ...]:
    from tables.render.words import NONE, number

    interval = f"{line.interval.low:.3f} to {line.interval.high:.3f}" if line.interval else NONE
    return (
        line.cell, line.metric, number(line.base), number(line.new),
        f"{line.ratio:.3f}" if line.ratio is not None else NONE, interval,
        f"{line.p:.2g}" if line.p is not None else NONE, f"{line.n_base}/{line.n_new}",
        line.verdict,
    )  # fmt: skip


def _summary(found: Any) -> list[str]:
    import collections

    counts = collections.Counter(line.verdict for line in found.lines)
    lines = [
        ", ".join(f"{n} {verdict}" for verdict, n in sorted(counts.items())) or "no cell of both"
    ]
    reasons = collections.Counter(line.why for line in found.lines if line.why)
    lines += [f"can't tell {n} times: {why}" for why, n in reasons.items()]
    for side, titles in (("base", found.only_base), ("new", found.only_new)):
        if titles:
            more = f" and {len(titles) - 5} more" if len(titles) > 5 else ""
            lines.append(f"only in {side}: {', '.join(titles[:5])}{more}")
    lines.append(
        "ratio = new / base; p is corrected for the number of comparisons (Benjamini-Hochberg); "
        "n counts processes"
    )
    return lines
