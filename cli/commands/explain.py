"""``repliquant explain``: each speedup as calling convention x compiler x precision."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli.commands.options import as_json

if TYPE_CHECKING:
    from comparisons.best_batches import BestBatch
    from comparisons.decomposition import Explanation
    from manifests.run_folder import Run
    from services.results import Results


@click.command("explain")
@click.argument("study")
@click.argument("runs", nargs=-1)
@click.option("--model", default="", help="One model, e.g. mobilenet-v1.")
@click.option("--technique", default="", help="One technique, e.g. tftrt-int8.")
@click.option("--published", "only_published", is_flag=True, help="The paper's own numbers alone.")
@click.option("--best", is_flag=True, help="The batch size to choose for each technique.")
@click.option(
    "--within",
    "limit_ms",
    type=click.FloatRange(min=0, min_open=True),
    metavar="MS",
    help="With --best: also the best batch size of those answered in so many milliseconds.",
)
@click.option("--pareto", is_flag=True, help="Accuracy or fidelity against latency.")
@click.option(
    "--by",
    type=click.Choice(("accuracy", "agreement", "sqnr")),
    help="With --pareto: the quality; by itself the first that is known.",
)
@as_json
def command(
    study: str,
    runs: tuple[str, ...],
    model: str,
    technique: str,
    only_published: bool,
    best: bool,
    limit_ms: float | None,
    pareto: bool,
    by: str | None,
    as_json: bool,
) -> None:
    """Take the speedups of STUDY apart: published ones as far as the paper's rows allow, and
    those that RUNS measured (default: the latest run, where there is one).
    """
    from cli.console import print_json
    from comparisons.render import speedups
    from services.results import explain_speedups, read_results, without_ladder

    if pareto or by:
        if best or only_published or technique or limit_ms is not None:
            raise click.UsageError("--pareto compares all that a run measured: only --model, --by")
        _print_pareto(study, runs, model, by or "", as_json)
        return
    if best or limit_ms is not None:
        if only_published:
            raise click.UsageError("--best is about what a run measured: leave out --published")
        _print_best(study, _best(study, runs, limit_ms, (model, technique)), limit_ms, as_json)
        return
    found = _published(study)
    for run in [] if only_published else _runs(study, runs):
        results = read_results(run, study)
        for line in without_ladder(results):
            click.echo(line, err=True)
        found += explain_speedups(results)
    chosen = _chosen(found, model, technique)
    if as_json:
        print_json([speedups.plain(explanation) for explanation in chosen])
    else:
        _print(study, chosen)


def _print_pareto(study: str, runs: tuple[str, ...], model: str, by: str, as_json: bool) -> None:
    from cli.console import print_json
    from cli.pareto_tables import pareto_networks, print_pareto
    from comparisons.render.pareto import plain

    found = pareto_networks(study, runs, model, by)
    if as_json:
        print_json([plain(network) for network in found])
    else:
        print_pareto(study, found)


def _best(
    study: str, runs: tuple[str, ...], limit_ms: float | None, wanted: tuple[str, str]
) -> list[BestBatch]:
    """Of that model and technique. Raises InputError with what there is."""
    from manifests.errors import InputError
    from manifests.suggest import check
    from services.results import best_batch_sizes, read_results
    from services.runs import find_run, latest_run

    chosen = [find_run(name) for name in runs] or [latest_run(study)]
    found = [one for run in chosen for one in best_batch_sizes(read_results(run, study), limit_ms)]
    for what, name in zip(("model", "technique"), wanted, strict=True):
        if name:
            check(what, name, sorted({one.way[what] for one in found}), InputError, after=" here")
            found = [one for one in found if one.way[what] == name]
    return found


def _print_best(study: str, found: list[BestBatch], limit_ms: float | None, as_json: bool) -> None:
    from cli.console import out, print_json
    from comparisons.render import batch_sizes
    from services.tables import table

    if as_json:
        print_json([batch_sizes.plain(one) for one in found])
        return
    if not found:
        out().print(f"{study}: no technique was measured at two batch sizes", markup=False)
        return
    rows = [batch_sizes.row(one) for one in found]
    out().print(table(f"{study} · batch sizes", batch_sizes.header(limit_ms), rows))
    out().print(batch_sizes.legend(found), markup=False)


def show_ladder(results: Results) -> None:
    """What one run measured, taken apart; nothing where a study has no ladder."""
    from services.results import explain_speedups

    found = explain_speedups(results)
    if found:
        _print(results.plan.study, found)


def _published(study: str) -> list[Explanation]:
    from services.results import published_speedups

    return published_speedups(study)


def _runs(study: str, names: tuple[str, ...]) -> list[Run]:
    from manifests.errors import InputError
    from services.runs import find_run, latest_run

    if names:
        return [find_run(name) for name in names]
    try:
        return [latest_run(study)]
    except InputError as error:
        click.echo(f"only the paper's own numbers: {error}", err=True)
        return []


def _chosen(found: list[Explanation], model: str, technique: str) -> list[Explanation]:
    """Those of that model and technique. Raises InputError with what there is."""
    from manifests.errors import InputError
    from manifests.suggest import check

    for what, wanted, known in (
        ("model", model, {item.point.get("model", "") for item in found}),
        ("technique", technique, {item.technique for item in found}),
    ):
        if wanted:
            check(what, wanted, sorted(known), InputError, after=" here")
    return [
        item for item in found
        if model in ("", item.point.get("model", "")) and technique in ("", item.technique)
    ]  # fmt: skip


def _print(study: str, chosen: list[Explanation]) -> None:
    from cli.console import out
    from comparisons.render import speedups
    from services.tables import table

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


def _reasons(refused: list[Explanation]) -> dict[str, int]:
    from collections import Counter

    return dict(Counter(item.state for item in refused).most_common())
