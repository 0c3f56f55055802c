"""Everything that follows from one run and the paper it repeats, derived once for all formats."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from comparisons.claims import Judged, judge
from comparisons.comparison import Comparison, compare_tables, describe_environments, describe_scope
from manifests.manifest import Manifest
from manifests.plan import Plan
from papers.figures import Figure
from papers.ladders import Ladders
from papers.paper import open_paper
from papers.published import PublishedTable
from papers.study import Study


class Evidence(NamedTuple):
    """Tables and verdicts of a run. ``plan`` is None where nothing was run.

    ``ladders`` say how the study's speedups are taken apart, ``figures`` what the paper draws.
    """

    study: str
    paper: Study
    run: str
    plan: Plan | None
    manifests: list[Manifest]
    published: list[PublishedTable]
    comparisons: list[Comparison]
    claims: list[Judged]
    environments: list[str]
    ladders: Ladders
    figures: list[Figure]

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
    """The folder is that of a study. Raises PublishedError, UnknownClaimError."""
    paper = open_paper(study_folder)
    published, claims = paper.tables, paper.claims
    comparisons = compare_tables(published, plan, list(manifests), run) if plan else []
    tier = plan.tier if plan else ""
    judged = judge(claims, published, comparisons, tier, claim, paper.study.used, manifests)
    shown = {comparison.id for comparison in comparisons}
    return Evidence(
        study=study_folder.name,
        paper=paper.study,
        run=run,
        plan=plan,
        manifests=list(manifests),
        published=published,
        comparisons=comparisons,
        # Those of an experiment stand among the others where the run has it.
        claims=[one for one in judged if claim or not plan or one.claim.table in shown],
        environments=describe_environments(list(manifests)) if manifests else [],
        ladders=paper.ladders,
        figures=paper.figures,
    )
