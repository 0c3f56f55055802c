"""Larq techniques, one file each; what they are made of is in ``parts``."""

from __future__ import annotations

import os

from manifests.cell import Cell


def before_import(cell: Cell) -> None:
    """Larq's layers are Keras 2's; TensorFlow reads which Keras it brings when it is imported."""
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
