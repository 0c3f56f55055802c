"""Whether this machine is as it should be for measuring: its settings, and who else is busy."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from machine import quiet, rapl
from machine.conditions import conditions
from machine.inventory import described
from services.diagnosis import Diagnosis
from services.phrases import printable
from services.tuning import Tuning, conditions_words, hidden_words, tunings

if TYPE_CHECKING:
    from manifests.hardware import Conditions, Gpu

LOOK_S = 1.0
BRIEF_LOOK_S = 0.5
_TUNE = "repliquant doctor --tune prints the commands"
_WAIT = "close it, or wait: repliquant run --wait-quiet 60"


def tunings_here() -> tuple[list[Tuning], str]:
    """What could be changed on this machine, and what of it can't be told."""
    now = conditions()
    return list(tunings(now, described(), rapl.only_for_root())), hidden_words(now)


def settings(
    now: Conditions, gpus: Mapping[int, Gpu], locked: list[str], root: Path = Path("/")
) -> Iterator[Diagnosis]:
    """How the machine is set. ``locked`` are energy counters that only root may read."""
    found = list(tunings(now, gpus, locked, root))
    wanted = [item for item in found if item.wanted]
    if wanted:
        yield Diagnosis("advice", "settings", _named(wanted), _TUNE)
    else:
        yield Diagnosis("ok", "settings", conditions_words(now) or "nothing is shown here")
    choices = [item for item in found if not item.wanted]
    if choices:
        yield Diagnosis("note", "settings, a choice", _named(choices), _TUNE)
    hidden = hidden_words(now)
    if hidden:
        yield Diagnosis("note", "settings not shown", hidden, "null with this reason in manifests")


def _named(found: list[Tuning]) -> str:
    return ", ".join(f"{item.what} {item.found}" for item in found)


def business(watch: quiet.Looks, rest_s: float = 0.0) -> Diagnosis:
    """Whether others are busy: since the watch began, and for the rest of a look from now on."""
    time.sleep(max(0.0, rest_s))
    busy = watch.look()
    if busy is None:
        return Diagnosis("note", "others", "who is busy can't be told on this system")
    if quiet.is_quiet(busy):
        return Diagnosis("ok", "others", f"take {busy.others:.0%} of the processors")
    return Diagnosis("advice", "others", printable(quiet.busy_words(busy)), _WAIT)
