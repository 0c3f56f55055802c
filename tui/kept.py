"""What the screen remembers from one start to the next: study, theme, views, columns, order."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

import msgspec

from manifests import paths

_FILE = "screen.json"


class Order(msgspec.Struct, omit_defaults=True):
    """Of one list: what it is sorted by ("": its own order), and which columns are hidden."""

    sorted_by: str = ""
    turned: bool = False
    hidden: list[str] = []


class Kept(msgspec.Struct, omit_defaults=True):
    """``lists`` is by screen and list, e.g. ``results/rows``."""

    study: str = ""
    theme: str = ""
    view: str = ""
    lists: dict[str, Order] = {}


def read_kept() -> Kept:
    """What was kept; nothing where it can't be read."""
    with contextlib.suppress(OSError, msgspec.MsgspecError):
        return msgspec.json.decode(_path().read_bytes(), type=Kept)
    return Kept()


def write_kept(kept: Kept) -> None:
    """Whole or not at all; a cache that can't be written to is no reason to complain."""
    with contextlib.suppress(OSError):
        path = _path()
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=_FILE)
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.encode(kept))
        os.replace(name, path)


def _path() -> Path:
    return paths.cache() / _FILE
