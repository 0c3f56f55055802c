"""Where things are: the project's folders, the cache, the runs."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "vendor"
"""What a folder that was packed to be carried has in place of installed packages."""
CELL_PACKAGES = ("machine", "manifests", "runners")
"""What of Repliquant's can be imported where a cell runs, whatever the engine."""
STUDIES = Path(os.environ.get("REPLIQUANT_STUDIES") or ROOT / "studies")
IMAGES = Path(os.environ.get("REPLIQUANT_IMAGES") or ROOT / "images")


def home() -> Path | None:
    """The user's home folder; None without HOME for a user number that nobody has."""
    found = os.path.expanduser("~")
    return Path(found) if os.path.isabs(found) else None


def cache() -> Path:
    """REPLIQUANT_CACHE, else the user's cache folder, else ``.cache`` here; not created here."""
    given = os.environ.get("REPLIQUANT_CACHE")
    if given:
        return Path(os.path.expanduser(given))
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):  # one that is relative is to be ignored, says the specification
        base = str((home() or ROOT) / ".cache")
    return Path(base) / "repliquant"


def runs() -> Path:
    """REPLIQUANT_RUNS, else ``runs`` in the working directory."""
    return Path(os.path.expanduser(os.environ.get("REPLIQUANT_RUNS") or "runs"))


def python_path() -> str:
    """PYTHONPATH of a process that runs a cell: what a cell imports, and what is carried with it.

    Nothing else of Repliquant's is found there, so that none of its packages hides one that the
    interpreter has of its own.
    """
    return os.pathsep.join(map(str, [in_a_cell(), VENDOR] if VENDOR.is_dir() else [in_a_cell()]))


def in_a_cell() -> Path:
    """A folder in the cache with a link to each of ``CELL_PACKAGES``, made where it is missing.

    Where links can't be made it is the folder of the whole project.
    """
    folder = cache() / "cell-packages" / hashlib.sha256(os.fsencode(ROOT)).hexdigest()[:16]
    try:
        for name in CELL_PACKAGES:
            _link(folder / name, ROOT / name)
    except OSError:
        return ROOT
    return folder.absolute()


def _link(link: Path, target: Path) -> None:
    if link.is_symlink() and os.readlink(str(link)) == str(target):
        return
    link.parent.mkdir(parents=True, exist_ok=True)
    made = link.with_name(f".{link.name}.{os.getpid()}")
    made.symlink_to(target, target_is_directory=True)
    os.replace(str(made), str(link))
