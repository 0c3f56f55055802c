"""The processes that repeat one measured quantity of one cell, and the quadruples they make up.

The quadruple of a process is half its repeat's number: 0 and 1 are run forward and back, then 2 and
3. So everything follows from the manifests.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

from comparisons.sequential.estimate import Pair
from comparisons.sequential.looks import A_QUADRUPLE

Doubt = tuple[str, str]
"""A flag, and the cell that carries it."""


class Process(NamedTuple):
    """One process' value of a quantity, in the quantity's unit.

    ``value`` is None where the process has none: it failed, or can't be right. ``voided`` are the
    flags of what disturbed it from outside, ``unusable`` those for which its value isn't what it is
    called. Both are judged before the value is read. ``node`` is the one of a cluster that it ran
    on.
    """

    cell: str
    repeat: int
    value: float | None
    wall_s: float = 0.0
    voided: tuple[str, ...] = ()
    unusable: tuple[str, ...] = ()
    node: str = ""

    @property
    def quadruple(self) -> int:
        """Of every partner the same processes belong to it."""
        return self.repeat // A_QUADRUPLE


class Series:
    """A partner of a comparison; two are the same only where they are one object."""

    def __init__(self, processes: Sequence[Process]) -> None:
        self.processes = sorted(processes, key=lambda one: (one.repeat, one.cell))

    @cached_property
    def usable(self) -> list[tuple[int, float]]:
        """The repeat and the value of those whose value is what it is called."""
        return [
            (one.repeat, one.value)
            for one in self.processes
            if one.value is not None and not one.unusable
        ]

    @cached_property
    def positive(self) -> bool:
        """Whether it has logarithms."""
        return all(value > 0 for _, value in self.usable)

    @cached_property
    def quadruples(self) -> dict[int, Pair]:
        """The logarithms of those that are complete."""
        by_repeat: dict[int, list[float]] = {}
        for repeat, value in self.usable:
            by_repeat.setdefault(repeat, []).append(math.log(value))
        firsts = (repeat for repeat in by_repeat if not repeat % A_QUADRUPLE)
        return {
            repeat // A_QUADRUPLE: (
                statistics.fmean(by_repeat[repeat]),
                statistics.fmean(by_repeat[repeat + 1]),
            )
            for repeat in sorted(firsts)
            if repeat + 1 in by_repeat
        }

    @cached_property
    def voided(self) -> set[int]:
        """The quadruples in which something disturbed it."""
        return {one.quadruple for one in self.processes if one.voided}

    @cached_property
    def nodes(self) -> dict[int, set[str]]:
        """By quadruple, where its processes ran."""
        found: dict[int, set[str]] = {}
        for one in self.processes:
            found.setdefault(one.quadruple, set()).add(one.node)
        return found

    @cached_property
    def doubts(self) -> frozenset[Doubt]:
        """The flags for which processes are left out, each with its cell."""
        return frozenset(
            (flag, one.cell) for one in self.processes for flag in (*one.voided, *one.unusable)
        )

    @property
    def repeats(self) -> int:
        """How many processes were started, whatever became of them."""
        return max((one.repeat + 1 for one in self.processes), default=0)

    @property
    def spoilt(self) -> set[int]:
        """The quadruples that can't count any more: disturbed, or with a process of no use."""
        useless = {one.quadruple for one in self.processes if one.value is None or one.unusable}
        return self.voided | useless

    @property
    def mean(self) -> float:
        """The mean logarithm of all usable processes, the disturbed ones too."""
        return statistics.fmean(math.log(value) for _, value in self.usable)

    @property
    def wall_s(self) -> float:
        """How long one process takes."""
        return statistics.fmean(one.wall_s for one in self.processes) if self.processes else 0.0


class Shared(NamedTuple):
    """The quadruples that all partners have, by number; what is voided is so for all of them."""

    valid: list[int]
    voided: list[int]

    @property
    def processes(self) -> int:
        """A side."""
        return A_QUADRUPLE * len(self.valid)


def shared(partners: Sequence[Series]) -> Shared:
    """Judged by flags and nodes alone, before any value is compared: nothing is paired across
    nodes.
    """
    voided = set().union(*(one.voided for one in partners), _apart(partners))
    complete = set.intersection(*(set(one.quadruples) for one in partners)) if partners else set()
    return Shared(sorted(complete - voided), sorted(voided))


def _apart(partners: Sequence[Series]) -> set[int]:
    """The quadruples whose processes ran on more than one node."""
    nodes: dict[int, set[str]] = {}
    for one in partners:
        for number, where in one.nodes.items():
            nodes.setdefault(number, set()).update(where)
    return {number for number, where in nodes.items() if len(where) > 1}
