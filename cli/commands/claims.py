"""``repliquant claims``: what a paper claims, on its own numbers and on yours."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from cli.commands.options import as_json, in_format

if TYPE_CHECKING:
    from comparisons.results import Evidence
    from services.verdict_screen import Shown


@click.command("claims")
@click.argument("study")
@click.argument("run", required=False)
@click.option("--claim", "wanted", default="", help="One claim, by its number (C2) or its id.")
@click.option("--published-only", is_flag=True, help="The paper's own numbers only; needs no run.")
@click.option("-v", "--verbose", is_flag=True, help="The whole table, with place and evidence.")
@in_format(("rich", "md"), also="and --json")
@as_json
def command(
    study: str,
    run: str | None,
    wanted: str,
    published_only: bool,
    verbose: bool,
    format_: str,
    as_json: bool,
) -> None:
    """Verdicts on what STUDY's paper claims, on one screen: on RUN (default: the latest), or on
    the paper's own numbers. --verbose has both beside each other, with all of the evidence.

    reproduced or not, where nothing that the claim depends on differs from the paper; else holds
    here or does not hold here; undecided, with the reason and what would decide it; not measured;
    untestable. docs/claims.md says how that is decided.
    """
    from cli.console import print_json
    from comparisons.render import claims as words

    shown = _evidence(study, run, wanted, published_only)
    found = shown.evidence
    if as_json:
        print_json({"run": found.run, "claims": words.plain(found.claims)})
    elif format_ == "md":
        click.echo(words.render_markdown(found.claims, found.scope), nl=False)
    elif wanted or verbose:
        show_claims(found, full=bool(wanted))
    else:
        show_screen(shown)


def show_screen(shown: Shown) -> None:
    """One screen of verdicts on standard output."""
    from cli.console import out
    from services.consoles import screen_width
    from services.verdict_screen import verdict_screen

    for line in verdict_screen(shown, screen_width(sys.stdout)):
        out().print(line, no_wrap=True, overflow="ignore", crop=False)


def show_claims(found: Evidence, full: bool = False) -> None:
    """The table of verdicts for people; ``full`` adds the test and the cells of each."""
    from cli.console import out
    from comparisons.claims import count_verdicts
    from comparisons.render import claims as words
    from services.phrases import printable
    from services.tables import table

    console = out()
    rows = [words.row(judged) for judged in found.claims]
    console.print(table(f"Claims of {found.study} · {found.scope}", words.HEADER, rows))
    for judged in found.claims if full else ():
        for label, text in words.details(judged):
            console.print(printable(f"{label}: {text}"), markup=False)
    counts = ", ".join(f"{n} {state}" for state, n in count_verdicts(found.claims).items())
    console.print(f"measured: {counts}", markup=False)


def _evidence(study: str, run: str | None, wanted: str, published_only: bool) -> Shown:
    from cli.console import warn
    from papers.paper import find_paper
    from services.results import judge_claims, judge_published, read_results
    from services.runs import find_run, latest_run
    from services.verdict_screen import Shown

    paper = find_paper(study)
    paper.check_claims()
    if published_only:
        return Shown(judge_published(study, wanted))
    results = read_results(find_run(run) if run else latest_run(study), study)
    warn(results.warnings)
    return Shown(judge_claims(results, wanted), results)
