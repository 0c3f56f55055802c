"""What a queue gave to the cells of one job: the node, the share of it, and who else was there."""

from __future__ import annotations

from typing import Dict, List, Optional

import msgspec


class Allocation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """``job`` as the scheduler writes it (``1043_7``), ``restarts`` how often it began anew.

    ``exclusive``: no other job may be on the node. ``others`` is how many were when the cells
    began; None with its reason where nobody could tell. ``place`` is the cell's in the job, from
    0, of ``cells``. ``gpus`` are UUIDs.
    """

    scheduler: str
    job: str
    node: str
    cluster: str = ""
    partition: str = ""
    account: str = ""
    qos: str = ""
    cpus: Optional[int] = None
    gpus: List[str] = []
    exclusive: bool = False
    others: Optional[int] = None
    restarts: int = 0
    place: int = 0
    cells: int = 1
    reasons: Dict[str, str] = {}
