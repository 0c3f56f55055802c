"""Where things are: the project's folders, the cache, the runs."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STUDIES = Path(os.environ.get("REPLIQUANT_STUDIES") or ROOT / "studies")
IMAGES = Path(os.environ.get("REPLIQUANT_IMAGES") or ROOT / "images")


def cache() -> Path:
    """REPLIQUANT_CACHE, else the user's cache folder; not created here."""
    given = os.environ.get("REPLIQUANT_CACHE")
    if given:
        return Path(given)
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base) / "repliquant"


def runs() -> Path:
    """REPLIQUANT_RUNS, else ``runs`` in the working directory."""
    return Path(os.environ.get("REPLIQUANT_RUNS") or "runs")
