"""Whether the issues that a paper lists are still such: then, where older versions were probed, and
now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from comparisons.points import Point, Points
from manifests.probe_record import AS_PROMISED
from manifests.runner_files import readable_frameworks
from papers.issue_tests import IssueTest

_PROBE = "probe"
_PROFILED = "layers_profiled"
NOT_PROBED = "not probed"


class Answer(NamedTuple):
    """In one environment. ``solved`` is None where nothing was probed that tells."""

    solved: bool | None
    evidence: str
    version: str = ""


class JudgedIssue(NamedTuple):
    """``then`` are the answers of older environments, by name."""

    now: Answer
    then: dict[str, Answer]
    elsewhere: str = ""

    @property
    def state(self) -> str:
        """still so, no longer so, not so then either, can't tell here, or who decides."""
        if self.elsewhere or self.now.solved is None:
            return self.elsewhere or NOT_PROBED
        if not self.now.solved:
            return "still so"
        known = [answer for answer in self.then.values() if answer.solved is not None]
        if known and all(answer.solved for answer in known):
            return "no longer so, and not so in " + ", ".join(one.version for one in known)
        since = f", since a version after {known[-1].version}" if known else ""
        return f"no longer so{since}"


def with_verdicts(
    issues: Sequence[dict[str, str]], tests: Sequence[IssueTest], points: Points
) -> list[dict[str, str]]:
    """The lines of a table of issues, with what was found of each."""
    if not tests:
        return list(issues)
    judged = [judge_issue(test, points) for test in tests]
    return [
        {**issue, "here": one.state, "evidence": _evidence(one)}
        for issue, one in zip(issues, judged, strict=True)
    ]


def judge_issue(test: IssueTest, points: Points) -> JudgedIssue:
    """By its test, in the study's own environment and in each other that has cells of it."""
    if test.needs:
        return JudgedIssue(
            Answer(None, f"would decide: {test.would_decide}"), {},
            f"can't tell here: needs {test.needs}",
        )  # fmt: skip
    if test.claim:
        return JudgedIssue(Answer(None, ""), {}, f"claim {test.claim} decides")
    own = [point for point in points.all if point.cell.framework == test.framework]
    environments = list(dict.fromkeys(point.cell.environment for point in own))
    answers = {
        name: _answer(test, [point for point in own if point.cell.environment == name])
        for name in environments
    }
    now = answers.pop("", Answer(None, NOT_PROBED))
    return JudgedIssue(now, answers)


def _answer(test: IssueTest, points: list[Point]) -> Answer:
    version = _version(test.framework, points)
    return _KINDS[test.kinds[0]](test, points)._replace(version=version)


def _version(framework: str, points: Iterable[Point]) -> str:
    """Of the framework's first package that is there."""
    found = readable_frameworks().get(framework)
    for point in points:
        packages = point.manifest.environment.packages if point.manifest else {}
        for name in found.packages if found else ():
            if name in packages:
                return f"{found.title if found else framework} {packages[name]}"
    return framework


def _probes(test: IssueTest, points: list[Point]) -> list[Point]:
    return [
        point
        for point in points
        if point.cell.task == _PROBE
        and point.manifest is not None
        and point.manifest.probe is not None
        and (not test.technique or point.cell.technique in test.technique)
    ]


def _working(points: Iterable[Point]) -> dict[str, list[str]]:
    """Feature -> the techniques that run it as they promise."""
    found: dict[str, list[str]] = {}
    for point in points:
        probe = point.manifest.probe if point.manifest else None
        if probe is not None:
            names = found.setdefault(point.cell.feature, [])
            if probe.outcome in AS_PROMISED:
                names.append(point.cell.technique)
    return found


def _timed_out(test: IssueTest, points: list[Point]) -> set[str]:
    """Features of which a probe took too long: on a quiet machine it may work."""
    return {
        point.cell.feature
        for point in points
        if point.cell.task == _PROBE
        and point.manifest is not None
        and point.manifest.status == "timeout"
        and (not test.technique or point.cell.technique in test.technique)
    }


def _works(test: IssueTest, points: list[Point]) -> Answer:
    by_feature = _working(_probes(test, points))
    if not set(test.works) <= set(by_feature):
        return Answer(None, NOT_PROBED)
    lacking = {feature for feature in test.works if not by_feature[feature]}
    if lacking & _timed_out(test, points):
        return Answer(None, NOT_PROBED)
    told = "; ".join(
        f"{feature} by {', '.join(by_feature[feature]) or 'no technique'}" for feature in test.works
    )
    return Answer(not lacking, told)


def _covers(test: IssueTest, points: list[Point]) -> Answer:
    ours = _working(_probes(test, points))
    theirs = _working(_probes(IssueTest(framework="", technique=[test.covers]), points))
    wanted = [feature for feature, names in theirs.items() if names]
    if not wanted or not set(wanted) <= set(ours):
        return Answer(None, NOT_PROBED)
    lacking = [feature for feature in wanted if not ours[feature]]
    if not _timed_out(test, points).isdisjoint(lacking):
        return Answer(None, NOT_PROBED)
    techniques = ", ".join(test.technique)
    told = f"of {len(wanted)} features that {test.covers} runs, {techniques} lacks "
    return Answer(not lacking, told + (", ".join(lacking) or "none"))


def _refusal(test: IssueTest, points: list[Point]) -> Answer:
    probes = _probes(test, points)
    refused = [
        point.cell.feature
        for point in probes
        if point.manifest and point.manifest.probe and test.refusal in point.manifest.probe.words
    ]
    if not probes:
        return Answer(None, NOT_PROBED)
    told = f"{', '.join(test.technique)} asks for a {test.refusal}: "
    return Answer(not refused, told + (", ".join(refused) or "never"))


def _only_in(test: IssueTest, points: list[Point]) -> Answer:
    sources = [
        point.manifest.probe.source
        for point in _probes(test, points)
        if point.manifest and point.manifest.probe and point.manifest.probe.outcome in AS_PROMISED
    ]
    if not sources:
        return Answer(None, NOT_PROBED)
    inside = sum(test.only_in in source for source in sources)
    told = f"{inside} of {len(sources)} that work run in {test.only_in} alone"
    return Answer(inside < len(sources), told)


def _profiled(test: IssueTest, points: list[Point]) -> Answer:
    for point in points:
        metric = point.manifest.metric(_PROFILED) if point.manifest else None
        if (
            point.cell.task == test.profiled
            and metric is not None
            and metric.samples[0] is not None
        ):
            share = metric.samples[0]
            told = f"the profiler saw operations of {share:.0%} of {metric.items} layers"
            return Answer(share == 1.0, told)
    return Answer(None, NOT_PROBED)


_KINDS: dict[str, Callable[[IssueTest, list[Point]], Answer]] = {
    "works": _works, "covers": _covers, "refusal": _refusal, "only_in": _only_in,
    "profiled": _profiled,
}  # fmt: skip


def _evidence(judged: JudgedIssue) -> str:
    parts = [judged.now.evidence] if judged.now.evidence != NOT_PROBED else []
    parts += [
        f"{answer.version}: {answer.evidence}"
        for answer in judged.then.values()
        if answer.solved is not None
    ]
    return " · ".join(part for part in parts if part)
