"""``order.json``: everything that the launcher of a cell needs, written before it is handed over.

With ``handle.json`` beside it, which is the engine's own, whoever comes later can follow the cell
and collect what it left. ``events.jsonl``, ``log.txt``, ``telemetry.jsonl`` and ``manifest.json``
are the launcher's to write.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import List, Optional
from urllib.parse import unquote_to_bytes

import msgspec

from manifests.cell import Cell
from manifests.manifest import Context

ORDER_NAME = "repliquant/order"
ORDER_VERSION = 1
ORDER_SCHEMA = f"{ORDER_NAME}/{ORDER_VERSION}"
FILE_NAME = "order.json"

_URI = "file://"
INTERVAL_S = 0.2
GRACE_S = 15.0


class CellOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One attempt at one cell.

    ``data`` (its pack), ``weights`` (the folder of the cell it starts from) and ``pretrained``
    are paths as the host has them; an engine that shows them under other names passes those to
    the launcher. ``timeout_s`` is the cell's own time, from the launcher's start; None: no limit.
    ``grace_s`` after it was asked to end the cell is killed, and so is its sampler. ``gpus`` are
    UUIDs, or the driver's numbers where nobody tells UUIDs; ``cpus`` empty means all.
    ``interval_s`` lies between two samples of telemetry; None: nothing is sampled. ``outlives``
    says that the cell goes on when the orchestrator dies.
    """

    schema: str = ORDER_SCHEMA
    cell: Cell
    context: Context
    threads: int = 0
    cpus: List[int] = []
    gpus: List[str] = []
    memory_bytes: Optional[int] = None
    timeout_s: Optional[float] = None
    grace_s: float = GRACE_S
    data: Optional[str] = None
    weights: Optional[str] = None
    pretrained: Optional[str] = None
    interval_s: Optional[float] = INTERVAL_S
    outlives: bool = False


def path_text(path: Optional[Path]) -> Optional[str]:
    """A path as an order holds it: one that is no UTF-8 is spelled as a URI."""
    if path is None:
        return None
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return path.absolute().as_uri()
    return str(path)


def path_given(text: str) -> str:
    """The path that ``path_text`` spelled."""
    return os.fsdecode(unquote_to_bytes(text[len(_URI) :])) if text.startswith(_URI) else text
