"""``repliquant explain``: each speedup as calling convention x compiler x precision."""

from __future__ import annotations

from typing import Any

import click

from cli.commands.options import as_json


@click.command("explain")
@click.argument("study")
@click.argument("runs", nargs=-1)
@click.option("--model", default="", help="One model, e.g. mobilenet-v1.")
@click.option("--technique", default="", help="One technique, e.g. tftrt-int8.")
@click.option("--published", "only_published", is_flag=True, help="The paper's own numbers alone.")
@as_json
def command(
    study: str,
    runs: tuple[str, ...],
    model: str,
    technique: str,
    only_published: bool,
    as_json: bool,
) -> None:
    """Take the speedups of STUDY apart: published ones as far as the paper's rows allow, and
    those that RUNS measured (default: the latest run, where there is one).
    """
    from cli.console import print_json
    from comparisons.render import speedups

    found = _published(study)
    for run in [] if only_published else _runs(study, runs):
        found += _measured(study, run)
    chosen = _chosen(found, model, technique)
    if as_json:
        print_json([speedups.plain(explanation) for explanation in chosen])
    else:
        _print(study, chosen)


def show_ladder(study: str, run: Any) -> None:
    """What one run measured, taken apart; nothing where a study has no ladder."""
    found = _measured(study, run)
    if found:
        _print(study, found)


def _published(study: str) -> list[Any]:
    from comparisons.decomposition import explain_published
    from papers.paper import find_paper

    paper = find_paper(study)
    return explain_published(paper.tables, paper.ladders)


def _runs(study: str, names: tuple[str, ...]) -> list[Any]:
    from manifests.errors import InputError
    from services.runs import find_run, latest_run

    if names:
        return [find_run(name) for name in names]
    try:
        return [latest_run(study)]
    except InputError as error:
        click.echo(f"only the paper's own numbers: {error}", err=True)
        return []


def _measured(study: str, run: Any) -> list[Any]:
    from comparisons.decomposition import explain_measured, without_ladder
    from comparisons.measured import Points
    from manifests.errors import InputError
    from papers.paper import find_paper
    from services.runs import plan_of

    plan = plan_of(run)
    if plan.study != study:
        raise InputError(f"{run.folder} is a run of {plan.study}, not of {study}")
    ladders = find_paper(study).ladders
    for framework, techniques in without_ladder(plan, ladders).items():
        click.echo(
            f"{framework}: no ladder says what {', '.join(techniques)} stand on. "
            "Give [[ladder]] in study.toml",
            err=True,
        )
    return explain_measured(plan, Points(plan.cells, run.load().manifests), ladders)


def _chosen(found: list[Any], model: str, technique: str) -> list[Any]:
    """Those of that model and technique. Raises InputError with what there is."""
    from manifests.errors import InputError
    from manifests.select import nearest

    for what, wanted, known in (
        ("model", model, {item.point.get("model", "") for item in found}),
        ("technique", technique, {item.technique for item in found}),
    ):
        if wanted and wanted not in known:
            accepted = sorted(known)
            raise InputError(
                f"no {what} {wanted!r} here.{nearest(wanted, accepted)} "
                f"Accepted: {', '.join(accepted) or 'none'}"
            )
    return [
        item for item in found
        if model in ("", item.point.get("model", "")) and technique in ("", item.technique)
    ]  # fmt: skip


def _print(study: str, chosen: list[Any]) -> None:
    from cli.console import out, table
    from comparisons.render import speedups

    console = out()
    if not chosen:
        console.print(f"{study} has no speedups to take apart", markup=False)
        return
    refused = [item for item in chosen if item.total is None]
    known = [item for item in chosen if item.total is not None]
    for source in dict.fromkeys(item.source for item in known):
        rows = [speedups.row(item) for item in known if item.source == source]
        title = f"{study} · {source}"
        right, least = ("speedup", "n"), ("n", "flags")
        console.print(table(title, speedups.HEADER, rows, right=right, least=least))
    for state, count in _reasons(refused).items():
        console.print(f"{count} not measured: {state}", markup=False)
    for line in speedups.legend(known):
        console.print(line, markup=False)


def _reasons(refused: list[Any]) -> dict[str, int]:
    from collections import Counter

    return dict(Counter(item.state for item in refused).most_common())
