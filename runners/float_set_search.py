"""Finding the components of a network that have to stay in float, or to be taken out, by trying.

Each step quantizes the network with some of its components left in float and runs it, in a child of
this process with a deadline: what a framework refuses, and what it crashes at, ends the child only.
The process must not have computed anything in the framework before, whose threads no child has.
"""

from __future__ import annotations

import json
import os
import re
import select
import signal
import time
from typing import Any, Callable, Dict, FrozenSet, List, NamedTuple, Optional, Sequence

import msgspec

from manifests.float_set import FloatSet, FloatSetStep
from runners import generated_modules, lifeline
from runners.ddmin import ddmin
from runners.failures import first_line, printable
from runners.job import Job

_WHERE = ("Exception encountered when calling layer", "in user code:")
_INNER = re.compile(r"^ *(\w+(?:Error|Exception): .+)$", re.MULTILINE)

Attempt = Callable[[FrozenSet[str]], Sequence[str]]
"""Quantizes and runs the network with these components left in float; the others that ended in
float all the same. Raises whatever the framework raises."""


def find_float_set(
    job: Job, components: Sequence[str], attempt: Attempt, deadline_s: float
) -> FloatSet:
    """A 1-minimal set of components that has to stay in float, and the steps to it.

    The same steps in the same order every time: the whole network first, then what it left in
    float by itself, then delta debugging from the smallest set that was accepted.
    """
    trials = _Trials(job, components, attempt, deadline_s)
    with job.phase("search"):
        first = trials.take([])
        start = _start(trials, first)
        kept = ddmin(start, trials.accepts) if start is not None else list(components)
    slow = any(step.outcome == "timeout" for step in trials.steps)  # which is no refusal
    minimal = start is not None and not slow
    return FloatSet(components=list(components), kept=kept, minimal=minimal, steps=trials.steps)


class Removal(NamedTuple):
    """``removed``: None where the network is refused whatever is taken out of it."""

    removed: Optional[List[str]]
    steps: List[FloatSetStep]


def find_removal(job: Job, parts: Sequence[str], attempt: Attempt, deadline_s: float) -> Removal:
    """A 1-minimal set of parts without which the network isn't refused, and the steps to it.

    ``attempt`` is given the parts that are taken out, and leaves nothing in float that the
    framework doesn't; what ends in float by itself is none of this search's concern.
    """
    trials = _Trials(job, parts, attempt, deadline_s, accepted=("ok", "float"))
    with job.phase("search"):
        removed = ddmin(list(parts), trials.accepts) if trials.accepts(parts) else None
    taken_out = [msgspec.structs.replace(one, kept=[], removed=one.kept) for one in trials.steps]
    return Removal(removed, taken_out)


def _start(trials: _Trials, first: FloatSetStep) -> Optional[List[str]]:
    """A set that is accepted; None where not even all of them are."""
    if first.outcome == "ok":
        return []
    for candidate in (first.in_float, trials.components):
        if candidate and trials.accepts(candidate):
            return list(candidate)
    return None


class _Trials:
    """Each set is tried once."""

    def __init__(
        self,
        job: Job,
        components: Sequence[str],
        attempt: Attempt,
        deadline_s: float,
        accepted: Sequence[str] = ("ok",),
    ) -> None:
        self.components = list(components)
        self.steps: List[FloatSetStep] = []
        self._accepted = accepted
        self._job = job
        self._attempt = attempt
        self._deadline_s = deadline_s
        self._known: Dict[FrozenSet[str], FloatSetStep] = {}

    def accepts(self, kept: Sequence[str]) -> bool:
        return self.take(kept).outcome in self._accepted

    def take(self, kept: Sequence[str]) -> FloatSetStep:
        chosen = frozenset(kept)
        if chosen not in self._known:
            ordered = [name for name in self.components if name in chosen]
            step = in_child(self._attempt, ordered, self._deadline_s)
            self._known[chosen] = step
            self.steps.append(step)
            self._job.events.step(len(self.steps))
        return self._known[chosen]


def in_child(attempt: Attempt, kept: Sequence[str], deadline_s: float) -> FloatSetStep:
    """One step, in a process of its own that ends with this one."""
    begin = time.monotonic()
    parent = os.getpid()
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(readable)
        _answer(attempt, kept, writable, parent)
    os.close(writable)
    try:
        said = _heard(readable, begin + deadline_s)
    finally:
        os.close(readable)
        status = _ended(child)
    found = _judged(said, status)
    return FloatSetStep(kept=list(kept), seconds=round(time.monotonic() - begin, 2), **found)


def _answer(attempt: Attempt, kept: Sequence[str], writable: int, parent: int) -> None:
    """The child's whole life."""
    try:
        for number in lifeline.ASKING:
            signal.signal(number, signal.SIG_DFL)
        lifeline.die_with(parent)
        said = _said(attempt, kept)
        os.write(writable, json.dumps(said).encode())
        generated_modules.remove()
    finally:
        os._exit(0)


def _said(attempt: Attempt, kept: Sequence[str]) -> Dict[str, Any]:
    try:
        in_float = list(attempt(frozenset(kept)))
    except BaseException as error:  # noqa: BLE001  also SystemExit: each is an outcome
        return {"outcome": "refused", "words": printable(refusal(error))}
    return {"outcome": "float" if in_float else "ok", "in_float": in_float}


def refusal(error: BaseException) -> str:
    """An error's kind and the first line that it says; Keras first says where, then what."""
    first = first_line(error)
    if first.startswith(_WHERE):
        inner = _INNER.findall(str(error))
        first = inner[-1].strip()[:300] if inner else first
        return first if inner else f"{type(error).__name__}: {first}"
    return f"{type(error).__name__}: {first}"


def _heard(readable: int, until: float) -> Optional[bytes]:
    """All that the child says; None where it takes too long."""
    found = b""
    while True:
        left = until - time.monotonic()
        if left <= 0 or not select.select([readable], [], [], left)[0]:
            return None
        chunk = os.read(readable, 65536)
        if not chunk:
            return found
        found += chunk


def _ended(child: int) -> int:
    """Its status; it is killed where it hasn't ended, having said everything that it has to say."""
    pid, status = os.waitpid(child, os.WNOHANG)
    if not pid:
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    return status


def _judged(said: Optional[bytes], status: int) -> Dict[str, Any]:
    if said is None:
        return {"outcome": "timeout", "words": "it took longer than a step may"}
    try:
        found: Dict[str, Any] = json.loads(said)
    except ValueError:
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        name = signal.Signals(number).name if number else "no signal"
        return {"outcome": "crashed", "words": f"the process ended by {name}"}
    return found
