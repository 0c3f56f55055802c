"""A cell that was interrupted and is begun again: the earlier attempt aside, a new one in place."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import msgspec

from manifests import order
from manifests.codec import read_struct
from manifests.files import sync_folder, write_atomically
from manifests.order import CellOrder

_KEPT = ("cell.json", "handle.json")


def aside(folder: Path, why: str, job: str) -> int:
    """Put what an attempt left beside the cell's folder; the number of the new one.

    The new folder is whole before it takes the place of the old one. Raises OSError.
    """
    number = 1
    while folder.with_name(f"{folder.name}.attempt-{number}").exists():
        number += 1
    fresh = folder.with_name(f".{folder.name}.{job}")
    shutil.rmtree(str(fresh), ignore_errors=True)
    fresh.mkdir()
    for name in _KEPT:
        shutil.copyfile(str(folder / name), str(fresh / name))
    ordered = read_struct(folder / order.FILE_NAME, CellOrder)
    context = msgspec.structs.replace(ordered.context, attempt=number + 1, why_again=why)
    ordered = msgspec.structs.replace(ordered, context=context)
    write_atomically(fresh / "context.json", msgspec.json.encode(context) + b"\n")
    write_atomically(fresh / order.FILE_NAME, msgspec.json.encode(ordered) + b"\n")
    os.rename(str(folder), str(folder.with_name(f"{folder.name}.attempt-{number}")))
    os.rename(str(fresh), str(folder))
    sync_folder(folder.parent)
    return number + 1
