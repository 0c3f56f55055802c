"""``repliquant studies``: the papers that come with the kit."""

from __future__ import annotations

import click

from cli.commands.options import as_json


@click.command("studies")
@click.argument("study", required=False)
@as_json
def command(study: str | None, as_json: bool) -> None:
    """The studies there are; with a STUDY, its tiers, tables, and what the paper leaves open."""
    from cli.console import print_json
    from papers.study import load_study, study_ids

    if as_json:
        print_json([load_study(name) for name in ([study] if study else study_ids())])
    elif study:
        _one(study)
    else:
        _all()


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
    from comparisons.claims import load_claims
    from manifests.paths import STUDIES
    from papers.published import load_published
    from papers.study import load_study
    from services.tables import table

    study = load_study(name)
    published = load_published(STUDIES / name)
    claims = load_claims(STUDIES / name).claim
    console = out()
    console.print(
        f"{study.title}\n{', '.join(study.authors)} {study.year}, {study.where}\n{study.about}",
        markup=False,
    )
    tiers = [
        (key, tier.summary, tier.dataset, str(tier.repeats)) for key, tier in study.tiers.items()
    ]
    console.print(table("Tiers", ("tier", "what it spends", "data set", "repeats"), tiers))
    tables = [(t.file.id, t.file.title, t.file.place) for t in published]
    console.print(table("Tables", ("id", "title", "place"), tables))
    rows = [(c.id, c.text, c.found_in) for c in claims]
    console.print(table("What the paper claims (in our words)", ("claim", "says", "place"), rows))
    open_ = [(u.what, u.choice, u.why) for u in study.unspecified]
    console.print(table("What the paper leaves open", ("what", "our choice", "why"), open_))
