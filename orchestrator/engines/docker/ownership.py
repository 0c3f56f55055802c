"""Whose the files of a cell's folder are: its user's while it runs, ours again afterwards."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from manifests.files import where_possible


def entries(folder: Path) -> Iterator[str]:
    """The folder itself and everything in it; links are not followed."""
    yield str(folder)
    for place, folders, files in os.walk(folder):
        yield from (os.path.join(place, name) for name in (*folders, *files))


def claim(folder: Path) -> None:
    """Make what a container left ours; links, pipes and the like, which nobody asked for, go."""
    for path in list(entries(folder)):
        kind = os.lstat(path).st_mode
        if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
            os.unlink(path)
        elif os.getuid() == 0:
            with where_possible("files can't be given to another user here"):
                os.chown(path, 0, 0, follow_symlinks=False)
