"""``repliquant explain --pareto``: accuracy or fidelity against latency, network by network."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from comparisons.pareto import Network


def pareto_networks(study: str, runs: tuple[str, ...], model: str, by: str) -> list[Network]:
    """Those of the runs (default: the latest) with that model, by that quality, or by the first
    that is known. Raises InputError with what there is.
    """
    from comparisons.pareto import preferred
    from manifests.errors import InputError
    from manifests.suggest import check
    from services.results import pareto_networks, read_results
    from services.runs import find_run, latest_run

    chosen = [find_run(name) for name in runs] or [latest_run(study)]
    found = []
    for run in chosen:
        every = pareto_networks(read_results(run, study))
        found += [one for one in every if one.by == by] if by else preferred(every)
    if model:
        known = sorted({one.key["model"] for one in found})
        check("model", model, known, InputError, after=" here")
    return [one for one in found if model in ("", one.key["model"])]


def print_pareto(study: str, found: list[Network]) -> None:
    """A table for each, what is on the front first; then what isn't compared, and why."""
    from cli.console import out
    from comparisons.render import pareto
    from services.tables import table

    console = out()
    if not found:
        console.print(
            f"{study}: no network was measured in two ways that have a latency and a quality",
            markup=False,
        )
        return
    for network in found:
        rows = pareto.rows(network)
        least = ("remark", "really ran")
        console.print(table(pareto.title(network), pareto.header(network), rows, least=least))
        for line in pareto.reasons(network):
            console.print(f"without a number: {line}", markup=False)
    console.print(pareto.LEGEND, markup=False)
