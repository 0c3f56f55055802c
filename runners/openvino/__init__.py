"""OpenVINO techniques, one file each; what they are made of is in ``parts``."""

from __future__ import annotations

import os
import sys
from typing import Any

from manifests.cell import Cell


def before_import(cell: Cell) -> None:
    """NNCF reports every call of it to its makers, with an identifier that it leaves in the home
    folder, unless it believes to run in their continuous integration. OpenVINO tells its own when
    it is imported, by a thread, and does without where the package for that isn't there.
    """
    os.environ.setdefault("NNCF_CI", "1")
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]


def float_session(job: Any) -> Any:
    """A session of the float32 model that the cell started from; imports OpenVINO."""
    from runners.openvino.parts import compiled, networks

    network = networks.trained(job)
    return compiled.session(job, compiled.compiled(job, network, "f32"))
