"""What a built wheel holds: everything inside one import name, ``repliquant``.

A checkout that is installed for development (``--editable``) stays as it is.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDERS = (
    "manifests", "machine", "runners", "papers", "comparisons", "orchestrator", "services", "cli",
    "tui", "studies", "images", "docs",
)  # fmt: skip
FILES = ("Dockerfile", "LICENSE", "README.md", "requirements.txt", "pyproject.toml")


class OneImportName(BuildHookInterface):  # type: ignore[misc]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        inside = {name: f"repliquant/{name}" for name in (*FOLDERS, *FILES)}
        build_data["force_include"].update({**inside, "repliquant.py": "repliquant/__init__.py"})
        commit = commit_of(Path(self.root))
        if commit:
            file = Path(tempfile.mkdtemp(prefix="repliquant-")) / "commit.txt"
            file.write_text(commit)
            build_data["force_include"][str(file)] = "repliquant/commit.txt"


def commit_of(root: Path) -> str:
    """The commit of a checkout in which nothing was changed; empty for any other folder."""
    git = ["git", f"--git-dir={root / '.git'}", f"--work-tree={root}", "-C", str(root)]
    try:
        changed = subprocess.check_output([*git, "status", "--porcelain"], text=True)
        head = subprocess.check_output([*git, "rev-parse", "HEAD"], text=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return "" if changed.strip() else head.strip()
