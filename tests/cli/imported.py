"""What a command has imported when it ends."""

from __future__ import annotations

import subprocess
import sys

from tests.conftest import ROOT, Workshop

FRAMEWORKS = ["torch", "tensorflow", "tf_keras", "ai_edge_litert", "tensorflow_model_optimization"]


PROGRAM = """
import atexit, sys
atexit.register(lambda: print("imported:", *sys.modules, file=sys.stderr))
from cli.main import main
main()
"""


def imported(workshop: Workshop, *arguments: str) -> set[str]:
    """The modules that a command has imported when it ends."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], cwd=ROOT, env=workshop.environment,
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return set(done.stderr.split("imported:")[1].split())
