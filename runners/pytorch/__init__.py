"""PyTorch techniques, one file each; what they are made of is in ``parts``."""

from __future__ import annotations

from typing import Any


def float_session(job: Any) -> Any:
    """A session of the float32 model that the cell started from, on the cell's device."""
    from runners.pytorch.parts.models import device_of, trained_model
    from runners.pytorch.parts.sessions import session

    device = device_of(job)
    return session(trained_model(job).to(device), device)
