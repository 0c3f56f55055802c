"""Which version of this project is running: its number, its commit, whether it was changed."""

from __future__ import annotations

import os
import subprocess

from manifests.manifest import Kit
from orchestrator.places import ROOT

VERSION = "0.1.0"


def kit() -> Kit:
    """Commit and dirtiness are ``None`` outside a git checkout; an image knows its commit."""
    commit = _git("rev-parse", "HEAD")
    if commit is None:
        return Kit(version=VERSION, commit=os.environ.get("REPLIQUANT_COMMIT") or None)
    changes = _git("status", "--porcelain", "--untracked-files=no")
    return Kit(version=VERSION, commit=commit, dirty=None if changes is None else bool(changes))


def describe() -> str:
    """One word for documents: ``0.1.0``, ``0.1.0-4a1448e0a6ff``, ``0.1.0-4a1448e0a6ff+changes``."""
    found = kit()
    commit = f"-{found.commit[:12]}" if found.commit else ""
    return f"{found.version}{commit}{'+changes' if found.dirty else ''}"


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(ROOT), *arguments],
            capture_output=True, text=True, timeout=10, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
