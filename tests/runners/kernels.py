"""The module of kernels' names, without torch."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]


def _load() -> ModuleType:
    """The module alone: its package belongs to torch, which the host doesn't have."""
    path = ROOT / "runners" / "pytorch" / "parts" / "kernels.py"
    spec = importlib.util.spec_from_file_location("kernels_under_test", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


kernels = _load()
