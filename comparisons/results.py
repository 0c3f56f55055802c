"""Everything that follows from one run and the paper it repeats, derived once for all formats."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from comparisons.claims import Judged, judge, load_claims
from comparisons.comparison import Comparison, compare_tables, describe_environments, describe_scope
from manifests.documents import DocumentError, read_toml
from manifests.manifest import Manifest
from manifests.plan import Plan
from papers.published import PublishedError, PublishedTable, load_published


class Paper(msgspec.Struct, frozen=True, kw_only=True):
    """What a study's file says of its paper."""

    title: str
    authors: list[str]
    year: int
    where: str = ""


class Evidence(NamedTuple):
    """Tables and verdicts of a run. ``plan`` is None where nothing was run."""

    study: str
    paper: Paper
    run: str
    plan: Plan | None
    manifests: list[Manifest]
    published: list[PublishedTable]
    comparisons: list[Comparison]
    claims: list[Judged]
    environments: list[str]

    @property
    def scope(self) -> str:
        """Tier, data set and protocol; nothing for no run."""
        return describe_scope(self.plan) if self.plan is not None else "no run"

    def noting(self, note: str) -> Evidence:
        """With a further line about the environments, where there is something to say."""
        return self._replace(environments=[*self.environments, note]) if note else self


def gather(
    study_folder: Path,
    plan: Plan | None = None,
    manifests: Sequence[Manifest] = (),
    run: str = "",
    claim: str = "",
) -> Evidence:
    """Raises PublishedError, UnknownClaimError."""
    published = load_published(study_folder)
    claims = load_claims(study_folder)
    comparisons = compare_tables(published, plan, list(manifests), run) if plan else []
    tier = plan.tier if plan else ""
    return Evidence(
        study=study_folder.name,
        paper=read_paper(study_folder),
        run=run,
        plan=plan,
        manifests=list(manifests),
        published=published,
        comparisons=comparisons,
        claims=judge(claims, published, comparisons, tier, claim),
        environments=describe_environments(list(manifests)) if manifests else [],
    )


def read_paper(study_folder: Path) -> Paper:
    """Raises PublishedError."""
    try:
        return read_toml(study_folder / "study.toml", Paper)
    except DocumentError as error:
        raise PublishedError(str(error)) from error
