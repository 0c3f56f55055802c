"""The float model that a model was made from, and its answers to the test images.

Kept by the cell that trained it, passed on by the cell between, or computed anew by the framework's
own ``float_session(job)``, a function of its folder.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Optional, Tuple

import numpy as np

from manifests.manifest import Manifest
from runners import package
from runners.job import Job
from runners.outputs import FLOAT_OUTPUTS_FILE, OUTPUTS_FILE, Outputs, answers, read

Array = Any

FLOAT32 = "float32"


class FloatModel(NamedTuple):
    """The id of the cell that trained it, and the manifest of the one that this cell starts from.

    They are one cell, or the answers were ``passed_on``.
    """

    id: str
    parent: Manifest
    passed_on: bool = False


def float_model(job: Job) -> Optional[FloatModel]:
    """The float model that it was made from: trained from the start by the cell it starts from, or
    passed on by one that made something of it.

    An inference starts from a model that was held against it already in its own framework.
    """
    if job.cell.weights_from is None:
        return None
    parent = job.weights.manifest()
    if parent is None:
        return None
    if parent.cell.weights_from is None:
        return FloatModel(parent.id, parent)
    again = job.cell.task == "infer" and job.cell.framework == parent.cell.framework
    if again or not _has(parent, FLOAT_OUTPUTS_FILE) or parent.fidelity is None:
        return None
    return FloatModel(parent.fidelity.parent, parent, passed_on=True)


def _has(manifest: Manifest, name: str) -> bool:
    return any(artifact.path == name for artifact in manifest.artifacts)


def float_outputs(job: Job, model: FloatModel, images: Array) -> Tuple[Optional[Outputs], str]:
    """The float model's answers to those images and where they come from, or why there are none."""
    if model.passed_on:
        return _passed_on(job, model.parent, images)
    whole, why = kept_outputs(job, model.parent)
    if whole is not None:
        kept = _of_images(whole, images)
        if kept is not None:
            return kept, "kept by its cell"
        why = "its cell tested other images"
    float_session = getattr(package(job.cell.framework), "float_session", None)
    if float_session is None:
        return None, f"the float model's answers can't serve: {why}"
    found = answers(job, float_session(job), images)
    return found, f"computed in this cell: {why}"


def kept_outputs(job: Job, parent: Manifest) -> Tuple[Optional[Outputs], str]:
    """All that the parent's cell kept of a float32 model's answers to this cell's test split, or
    why that can't serve.
    """
    why = _why_not_kept(job, parent)
    return (None, why) if why else (read(job.weights.file(OUTPUTS_FILE)), "")


def _passed_on(job: Job, parent: Manifest, images: Array) -> Tuple[Optional[Outputs], str]:
    """Those that the cell between this one and the float model's left."""
    if _tested_the_same(job, parent):
        kept = _of_images(read(job.weights.file(FLOAT_OUTPUTS_FILE)), images)
        if kept is not None:
            return kept, f"passed on by cell {parent.id}"
    return None, f"the float model's answers can't serve: cell {parent.id} tested other images"


def _of_images(kept: Outputs, images: Array) -> Optional[Outputs]:
    """Those at these places, in their order; None where one is missing."""
    row_of = {int(place): row for row, place in enumerate(kept.images)}
    if not all(int(place) in row_of for place in images):
        return None
    return kept.at(np.array([row_of[int(place)] for place in images]))


def _why_not_kept(job: Job, parent: Manifest) -> str:
    """Why what the parent's cell left can't serve, "" where it can."""
    if not _has(parent, OUTPUTS_FILE):
        return "its cell kept none"
    if not is_float32(parent.proof) and not parent.cell.recipe.get("model_sha256"):
        return f"its cell computed in {parent.proof.promised if parent.proof else ''}"
    return "" if _tested_the_same(job, parent) else "its cell tested other images"


def _tested_the_same(job: Job, parent: Manifest) -> bool:
    data = parent.inputs.dataset
    theirs = data.splits.get("test") if data else None
    ours = job.data.meta.splits.get("test")
    return theirs is not None and ours is not None and theirs.sha256 == ours.sha256


def is_float32(proof: Any) -> bool:
    return proof is None or proof.promised == FLOAT32
