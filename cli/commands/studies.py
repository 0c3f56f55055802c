"""``repliquant studies``: the papers that there are; a new one; whether one's files are right."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from cli.commands.options import as_json

if TYPE_CHECKING:
    from papers.mistakes import Mistake

T = TypeVar("T", str, int)


class _Studies(click.Group):
    """``studies lad2023`` is ``studies show lad2023``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ("-h", "--help")):
            args = ["show", *args]
        return super().parse_args(ctx, args)


@click.group("studies", cls=_Studies, subcommand_metavar="[STUDY] | COMMAND [ARGS]...")
def command() -> None:
    """The studies there are; with a STUDY, its tiers, tables, and what the paper leaves open."""


@command.command("show")
@click.argument("study", required=False)
@as_json
def show(study: str | None, as_json: bool) -> None:
    """The studies there are; with a STUDY, its tiers, tables, and what the paper leaves open."""
    from cli.console import print_json
    from papers.study import load_study, study_ids

    if as_json:
        print_json([load_study(name) for name in ([study] if study else study_ids())])
    elif study:
        _one(study)
    else:
        _all()


@command.command("check")
@click.argument("studies", nargs=-1)
@as_json
def check(studies: tuple[str, ...], as_json: bool) -> int:
    """Everything that is wrong with the files of STUDIES (ids or folders; default: all).

    Exit status: 0 nothing but remarks, 1 something is wrong, 2 no such study.
    """
    from cli.console import print_json
    from papers.study import study_ids
    from services.study_check import check_study, folder_of

    folders = [folder_of(name) for name in studies or study_ids()]
    found = {folder: check_study(folder) for folder in folders}
    if as_json:
        print_json(
            [
                {"study": folder.name, "file": str(one.path), "line": one.line, "text": one.text,
                 "remark": one.remark}
                for folder, mistakes in found.items()
                for one in mistakes
            ]
        )  # fmt: skip
    else:
        for folder, mistakes in found.items():
            _tell(folder.name, mistakes)
    return int(any(not one.remark for mistakes in found.values() for one in mistakes))


def _tell(study: str, mistakes: Sequence[Mistake]) -> None:
    from services.phrases import count, printable

    wrong = [mistake for mistake in mistakes if not mistake.remark]
    for mistake in mistakes:
        click.echo(printable(f"{'remark: ' if mistake.remark else ''}{mistake}"))
    remarks = len(mistakes) - len(wrong)
    more = f", {count(remarks, 'remark')}" if remarks else ""
    click.echo(f"{study}: {count(len(wrong), 'mistake') if wrong else 'ok'}{more}")


@command.command("new")
@click.argument("study")
@click.option("--title", help="The paper's title.")
@click.option("--author", "authors", multiple=True, help="An author; once for each.")
@click.option("--year", type=int, help="When it appeared.")
@click.option("--where", help="Where it appeared.")
@click.option("--about", help="What it compares, in one sentence.")
@click.option("--framework", help="The framework, e.g. pytorch.")
@click.option("--technique", "techniques", multiple=True, help="A technique; once for each.")
@click.option("--model", help="The model, e.g. resnet18.")
@click.option("--extends", default="", help="Lay it over another study: only what differs.")
@click.option(
    "--into", type=click.Path(path_type=Path, file_okay=False),
    help="The folder of studies that it goes into (default: where the others are).",
)  # fmt: skip
def new(
    study: str,
    title: str | None,
    authors: tuple[str, ...],
    year: int | None,
    where: str | None,
    about: str | None,
    framework: str | None,
    techniques: tuple[str, ...],
    model: str | None,
    extends: str,
    into: Path | None,
) -> None:
    """Write a study called STUDY that plans and audits at once, for you to fill in.

    What isn't given is asked for on a terminal, and left to be filled in elsewhere.
    """
    from manifests import paths
    from papers.new_study import Answers, check_id, write_study

    check_id(study)
    default = Answers(study)
    answers = default._replace(extends=extends)
    if not extends:
        names = ", ".join(default.authors), ", ".join(default.techniques)
        answers = default._replace(
            title=_asked("Title", title, default.title),
            authors=authors or _split(_asked("Authors, with commas", None, names[0])),
            year=_asked("Year", year, default.year),
            where=_asked("Where it appeared", where, default.where),
            about=_asked("What it compares", about, default.about),
            framework=_asked("Framework", framework, default.framework),
            techniques=techniques or _split(_asked("Techniques, with commas", None, names[1])),
            model=_asked("Model (empty: as in the study that recipes come from)", model, ""),
        )
    folder = write_study(answers, into or paths.folders("studies")[0])
    click.echo(str(folder))
    name = folder if into else study
    click.echo(f"Next: put in the paper's numbers, then: repliquant studies check {name}", err=True)


def _asked(question: str, given: T | None, default: T) -> T:
    """What was given, else what a person at a terminal answers, else the default."""
    if given is not None or not sys.stdin.isatty():
        return default if given is None else given
    answer: T = click.prompt(question, default=default, err=True, type=type(default))
    return answer


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _all() -> None:
    from cli.console import out
    from papers.study import load_study, study_ids
    from services.tables import table

    loaded = [load_study(name) for name in study_ids()]
    rows = [
        (s.id, f"{s.title} ({', '.join(s.authors)} {s.year})", ", ".join(s.tiers)) for s in loaded
    ]
    console = out()
    console.print(table("Studies", ("study", "paper", "tiers"), rows))
    console.print("Next: repliquant plan STUDY", markup=False)


def _one(name: str) -> None:
    from cli.console import out
    from papers.paper import find_paper
    from services.tables import table

    paper = find_paper(name)
    study = paper.study
    console = out()
    console.print(
        f"{study.title}\n{', '.join(study.authors)} {study.year}, {study.where}\n{study.about}",
        markup=False,
    )
    tiers = [
        (key, tier.summary, tier.dataset, str(tier.repeats)) for key, tier in study.tiers.items()
    ]
    console.print(table("Tiers", ("tier", "what it spends", "data set", "repeats"), tiers))
    tables = [(t.file.id, t.file.title, t.file.place) for t in paper.tables]
    console.print(table("Tables", ("id", "title", "place"), tables))
    rows = [(c.id, c.text, c.found_in) for c in paper.claims.claim]
    console.print(table("What the paper claims (in our words)", ("claim", "says", "place"), rows))
    open_ = [(u.what, u.choice, u.why) for u in study.unspecified]
    console.print(table("What the paper leaves open", ("what", "our choice", "why"), open_))
