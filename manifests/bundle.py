"""Cells that one job of a queue runs, one after the other, and what it writes beside each.

``bundles.jsonl`` has one bundle a line; the task of an array with number n runs the n-th.
"""

from __future__ import annotations

from pathlib import Path
from typing import List

import msgspec

FILE_NAME = "bundles.jsonl"
BEGUN = "begun.json"
"""Written when a job begins a cell, by the one job that may run it."""

END = "end.json"
"""Written when the cell's launcher has ended, after its manifest."""


class BundledCell(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """``handle`` is the name in the folder's handle.json while this attempt is the one to run.

    ``launcher`` is the command, ``needs`` are the folders of the cells that have to be ok first.
    """

    cell: str
    folder: str
    handle: str
    launcher: List[str]
    needs: List[str] = []


class Bundle(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """``late_s``: so long after its end a file of another job may still not be seen."""

    cells: List[BundledCell]
    exclusive: bool = False
    late_s: float = 120.0


class Begun(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Which job began a cell, where, and as which of its cells (``place``, from 0)."""

    handle: str
    job: str
    restarts: int
    node: str
    place: int
    began_at: str


class End(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How a cell's launcher ended. ``manifest_sha256`` is empty where it left no manifest."""

    handle: str
    job: str
    node: str
    code: int
    signal: int
    manifest_sha256: str


def read_bundle(folder: Path, number: int) -> Bundle:
    """The ``number``-th bundle, from 1. Raises OSError, IndexError or msgspec.MsgspecError."""
    with open(str(folder / FILE_NAME), "rb") as file:
        for at, line in enumerate(file, start=1):
            if at == number:
                return msgspec.json.decode(line, type=Bundle)
    raise IndexError(f"{folder / FILE_NAME} has no line {number}")
