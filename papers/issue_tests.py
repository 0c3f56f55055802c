"""What decides whether an issue that a paper lists is still one: tests over probes and profiles.

``studies/<id>/published/<table>.toml``, a test for each line of the table's CSV file, in its order.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from manifests.documents import DocumentError, converted_as_far, read_document
from papers.mistakes import Mistake, Place, as_mistake

KINDS = ("works", "covers", "refusal", "only_in", "profiled", "claim", "needs")


class IssueTest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of the kinds; they are asked of one framework, in each environment that was probed.

    framework: the framework.
    technique: the techniques that it is about; all of the framework's unless given.
    works: features. It is no issue where some technique runs each of them as it promises.
    covers: a technique. It is none where the techniques run every feature that this one runs.
    refusal: words. It is one where they stand in what a technique was refused with.
    only_in: words. It is one where they stand in the source of the proof of all that works.
    profiled: a task. It is none where a profiler saw every layer of a network in it.
    claim: the number of the claim that decides it.
    needs: the hardware without which nothing can be said.
    would_decide: how it would be decided there.
    """

    framework: str
    technique: list[str] = []
    works: list[str] = []
    covers: str = ""
    refusal: str = ""
    only_in: str = ""
    profiled: str = ""
    claim: str = ""
    needs: str = ""
    would_decide: str = ""

    @property
    def kinds(self) -> list[str]:
        """Which of ``KINDS`` it has; one, where it is right."""
        return [kind for kind in KINDS if getattr(self, kind)]


class IssuesFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file.

    issue: one for each line of the table.
    """

    issue: list[IssueTest]


def read_issue_tests(folder: Path, name: str, lines: int) -> tuple[list[IssueTest], list[Mistake]]:
    """The tests as far as they can be read, none for no name, and everything wrong with them."""
    if not name:
        return [], []
    try:
        document = read_document(folder / name)
    except DocumentError as error:
        return [], [as_mistake(error)]
    file, refused = converted_as_far(document, IssuesFile)
    found = [as_mistake(error) for error in refused]
    if file is None:
        return [], found
    return file.issue, [*found, *_mistakes(Place(document), file, lines)]


def _mistakes(place: Place, file: IssuesFile, lines: int) -> Iterator[Mistake]:
    if len(file.issue) != lines:
        yield place.at("issue").mistake(f"{len(file.issue)} tests for a table of {lines} issues")
    for index, test in enumerate(file.issue):
        if len(test.kinds) != 1:
            told = ", ".join(test.kinds) or "none"
            yield place.at("issue", index).mistake(
                f"expected one of {', '.join(KINDS)}, not {told}"
            )
