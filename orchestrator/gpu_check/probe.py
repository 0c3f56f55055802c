"""Asking an interpreter for versions, memory, and the raw names of its kernels.

What it writes is described in runners/pytorch/parts/first_contact.py, which it runs.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from manifests import paths
from manifests.errors import RepliquantError
from manifests.files import write_atomically
from orchestrator.engines.base import Engine
from orchestrator.environments.images import load_image
from orchestrator.environments.pythons import clean_environment
from orchestrator.messages import Listener, LogLine

FILE = "probe.json"
_LONGEST_S = 90.0
_MODULE = "runners.pytorch.parts.first_contact"
Probe = dict[str, Any]


def probe(engine: Engine, image: str | None, left_s: float, tell: Listener) -> Probe:
    """The probe, or ``reason`` alone where there is none; it never ends the check."""
    if image is None:
        return {"reason": "the probe is PyTorch's, which is not checked here"}
    try:
        found = load_image(image)
        python = engine.interpreter(found)
        if python is None:
            why = f"the {engine.name} engine has no interpreter here that could be asked"
            return {"reason": why}
        tell(LogLine("probe: versions, memory, and the names of kernels"))
        engine.prepare(found, tell)
        return _asked(python, min(_LONGEST_S, max(1.0, left_s)))
    except (RepliquantError, OSError, ValueError, subprocess.TimeoutExpired) as error:
        return {"failed": True, "reason": str(error)}


def _asked(python: Path, timeout_s: float) -> Probe:
    with tempfile.TemporaryDirectory(prefix="gpu-check-") as folder:
        path = Path(folder) / FILE
        done = subprocess.run(
            [python, "-m", _MODULE, str(path)], stdin=subprocess.DEVNULL, cwd=folder,
            capture_output=True, text=True, errors="replace", timeout=timeout_s, check=False,
            env={**clean_environment(), "PYTHONPATH": paths.python_path()},
        )  # fmt: skip
        if not path.exists():
            last = done.stderr.strip().splitlines()[-1:] or ["it printed nothing"]
            return {
                "failed": True,
                "reason": f"{python} ended with {done.returncode}: {last[0][:300]}",
            }
        found: Probe = json.loads(path.read_text(encoding="utf-8"))
        return found


def memory_of(probe: Probe) -> int | None:
    """All memory of the first GPU that it may use, in bytes."""
    total = probe.get("device", {}).get("total_bytes")
    return total if isinstance(total, int) else None


def earlier(folder: Path) -> Probe | None:
    """What a check that was cut off had asked already."""
    try:
        found = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and "reason" not in found else None


def keep(folder: Path, probe: Probe) -> None:
    """Into the run's folder. Raises OSError."""
    text = json.dumps(probe, indent=1, sort_keys=True)
    write_atomically(folder / FILE, text.encode() + b"\n")
