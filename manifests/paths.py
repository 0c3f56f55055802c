"""Where things are: the project's folders, the cache, the runs."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "vendor"
"""What a folder that was packed to be carried has in place of installed packages."""
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
    """PYTHONPATH of a process that runs our code: this project, and what is carried with it."""
    return os.pathsep.join(map(str, [ROOT, VENDOR] if VENDOR.is_dir() else [ROOT]))
