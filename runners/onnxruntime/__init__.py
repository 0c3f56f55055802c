"""ONNX Runtime techniques, one file each; what they are made of is in ``parts``."""

from __future__ import annotations

import os
from typing import Any

from manifests.cell import Cell


def before_import(cell: Cell) -> None:
    """A cell tells nobody outside of what it runs."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


def float_session(job: Any) -> Any:
    """A session of the float32 model that the cell started from, on the cell's device."""
    from runners.onnxruntime.parts.models import float_model
    from runners.onnxruntime.parts.sessions import session

    return session(job, float_model(job))
