"""What the starts of a run have spent of a budget.

Environments, data and waiting for a quiet machine leave no manifest, so that it is kept beside the
plan; a start that was killed leaves what its manifests say.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

import msgspec

from manifests.files import write_atomically
from manifests.manifest import Manifest
from manifests.run_folder import Run
from services.quadruple_choice import spent_s

_MOST_BYTES = 1000


class _Spent(msgspec.Struct):
    spent_s: float


def spent_by_starts_s(run: Run, manifests: Sequence[Manifest]) -> float:
    """Seconds; what can't be read there counts as nothing."""
    kept_s = 0.0
    with contextlib.suppress(OSError, msgspec.MsgspecError), _path(run).open("rb") as file:
        kept_s = msgspec.json.decode(file.read(_MOST_BYTES), type=_Spent).spent_s
    return max(spent_s(manifests), kept_s)


def keep_spent(run: Run, seconds: float) -> None:
    """On a full disk nothing is kept: the manifests tell the most of it."""
    with contextlib.suppress(OSError):
        write_atomically(_path(run), msgspec.json.encode(_Spent(round(seconds, 1))) + b"\n")


def _path(run: Run) -> Path:
    return run.folder / "spent.json"
