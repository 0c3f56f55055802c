"""What an audit finds: facts about numbers, each with its rule and how sure it is."""

from __future__ import annotations

from typing import NamedTuple

from papers.audit import Kind, Sure

KINDS: dict[Kind, str] = {
    "derived": "derived columns, recomputed from the printed numbers they come from",
    "throughput": "latency times throughput is the batch size",
    "monotonic": "what can only rise or fall along an axis",
    "granularity": "an accuracy is a whole number of right answers over the size of a test set",
    "bound": "what physics or the hardware allow",
    "relation": "quantities that have to agree",
    "text": "numbers of the text, against one another and against the tables",
}


MOST_CERTAIN: dict[Kind, tuple[Sure, str]] = {
    "throughput": (
        "likely",
        "throughput may be all items over all time, where latency is a median of the calls",
    ),
}
"""How sure a finding of a kind can be at most, and how it may always have come about."""


class Finding(NamedTuple):
    """``where`` lists the places that it is about, ``innocent`` how it may have come about."""

    id: str
    kind: Kind
    place: str
    rule: str
    where: list[str]
    sure: Sure
    innocent: str


class Report(NamedTuple):
    """``checked`` counts, by kind, the numbers or statements that were looked at."""

    findings: list[Finding]
    checked: dict[str, int]
    notes: list[str]
