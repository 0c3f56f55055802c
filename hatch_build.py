"""What a built wheel holds: everything inside one import name, ``repliquant``.

A checkout that is installed for development (``--editable``) stays as it is.
"""

from __future__ import annotations

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
