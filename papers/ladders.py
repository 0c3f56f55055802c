"""The ladders of speedups: which technique stands on which, and what changes on the step up.

The rungs of a framework's own techniques are data beside its runners
(``runners/<framework>/ladder.toml``); ``[[ladder]]`` of a study adds to them or replaces them, also
from one framework to another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import msgspec

from manifests.documents import read_toml
from manifests.runner_files import framework_folders

SPLITTING, CALLING, COMPILER, PRECISION, LAYOUT, RUNTIME = (
    "batch splitting", "calling convention", "compiler", "precision", "memory layout", "runtime",
)  # fmt: skip
KINDS = (SPLITTING, CALLING, LAYOUT, RUNTIME, COMPILER, PRECISION)


class Rung(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A step of a ladder.

    technique: what is reached.
    after: the technique that it stands on.
    changes: what changes between the two: calling convention, memory layout, runtime, compiler,
        precision, or another word.
    framework: of ``technique``; in a framework's own file it is that one.
    after_framework: of ``after``, where that is another framework.
    """

    technique: str
    after: str
    changes: str
    framework: str = ""
    after_framework: str = ""


class LadderFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``ladder.toml`` of a framework.

    rung: the steps between its techniques.
    """

    rung: list[Rung]


class Node(NamedTuple):
    """A way to run a model."""

    framework: str
    technique: str

    def beside(self, framework: str) -> str:
        """What it is called where ``framework`` is understood."""
        return self.technique if self.framework == framework else " ".join(self)


class Ladders:
    """All rungs that hold for a study; of two with one technique the later."""

    def __init__(self, rungs: Iterable[Rung]) -> None:
        self._rungs = {Node(rung.framework, rung.technique): rung for rung in rungs}

    def below(self, node: Node) -> Node | None:
        """What a node stands on; None for a root, and for what no rung is about."""
        rung = self._rungs.get(node)
        if rung is None:
            return None
        return Node(rung.after_framework or rung.framework, rung.after)

    def changes(self, node: Node) -> str:
        """What changes on the step up to a node that stands on another."""
        return self._rungs[node].changes

    def path_to(self, node: Node) -> list[Node]:
        """From the root of the ladder up to ``node``; the node alone where none is about it."""
        path = [node]
        while (below := self.below(path[0])) is not None and below not in path:
            path.insert(0, below)
        return path

    def nodes(self) -> set[Node]:
        """Every technique that stands on another, and every one that others stand on."""
        return {node for rung in self._rungs for node in (rung, self.below(rung)) if node}

    def circle(self) -> list[Node]:
        """Rungs that stand on one another; none where all is well."""
        for start in self._rungs:
            path = [start]
            while (below := self.below(path[-1])) is not None:
                path.append(below)
                if below == start:
                    return path
                if below in path[:-1]:
                    break
        return []


def ladders_of(own: Iterable[Rung]) -> Ladders:
    """Those of the frameworks, and what a study says of its own. Raises DocumentError."""
    return Ladders([*framework_rungs(), *own])


def framework_rungs() -> Iterator[Rung]:
    """The rungs beside the runners of every framework."""
    for folder in framework_folders().values():
        if (folder / "ladder.toml").is_file():
            yield from _rungs(folder / "ladder.toml")


@cache
def _rungs(path: Path) -> list[Rung]:
    name = path.parent.name
    found = read_toml(path, LadderFile).rung
    return [msgspec.structs.replace(rung, framework=rung.framework or name) for rung in found]
