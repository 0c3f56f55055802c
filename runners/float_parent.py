"""A model held against the float model that it was made from, when its cell has done its work.

The float parent is a model that was trained from the start, or a person's own file, whatever it
computes in: what it answered to the test images is an artifact of its cell. Where that can't serve
(other images, another size, not computed in float32), the framework's own ``float_session(job)``, a
function of its folder, answers anew.
A cell that takes what another made of a float model is held against that same float model, by the
answers that the cell between them passes on.

Nothing here is timed for a result, and nothing that goes wrong here makes the cell fail.
"""

from __future__ import annotations

import math
from typing import Any, List, NamedTuple, Optional, Sequence, Tuple

import msgspec
import numpy as np

from manifests.fidelity_summary import EXACT, FLOORED, ISOLATED, WORST_LAYER, Fidelity
from manifests.flags import P90_SAMPLES
from runners import fidelity
from runners.failures import first_line
from runners.fidelity import Layer, Noise
from runners.float_answers import FLOAT32, FloatModel, float_model, float_outputs, is_float32
from runners.job import Job
from runners.outputs import FLOAT_OUTPUTS_FILE, OUTPUTS_FILE, Outputs, answers, keep

Array = Any

UNTESTED_IMAGES = 128
"""How many images an inference cell of lower precision answers whose recipe tests none."""
LAYER_IMAGES = 8
"""On how many the layers are compared: every element of every layer counts, not every image."""


class Layers(NamedTuple):
    """What a framework finds; ``unmatched`` are layers that only one of both models has."""

    layers: List[Layer]
    unmatched: List[str]
    source: str


def record_fidelity(job: Job) -> None:
    """Record ``agreement``, ``kl_nats`` and ``sqnr_db``, and the job's ``fidelity``."""
    parent = float_model(job)
    if parent is None:
        return
    if job.outputs is None and (job.session is None or is_float32(job.proof)):
        return
    try:
        with job.phase("fidelity"):
            _hold_against(job, parent, _own_outputs(job))
    except Exception as error:  # noqa: BLE001  the cell has done what it was for
        why = f"{type(error).__name__}: {first_line(error)}"
        job.warn(f"not held against its float model: {why}")
        job.fidelity = Fidelity(parent=parent.id, reason=why)


def _own_outputs(job: Job) -> Optional[Outputs]:
    """Those that the accuracy was taken from; for lower precision that took none, of a few."""
    kept: Optional[Outputs] = job.outputs
    return kept or answers(job, job.session, job.data.test_places(UNTESTED_IMAGES))


def _hold_against(job: Job, parent: FloatModel, outputs: Optional[Outputs]) -> None:
    theirs, source = (
        float_outputs(job, parent, outputs.images) if outputs else (None, "nothing was answered")
    )
    if theirs is None or outputs is None:
        job.fidelity = Fidelity(parent=parent.id, reason=source)
        return
    if _left_a_model(job):
        keep(job, theirs, FLOAT_OUTPUTS_FILE, "the float model's answers to them")
    found = fidelity.agreement(theirs.predicted, outputs.predicted, outputs.labels)
    job.fidelity = Fidelity(
        parent=parent.id,
        parent_outputs=source,
        images=found.images,
        agreeing=found.agreeing,
        n10=found.n10,
        n01=found.n01,
    )
    against = f"against cell {parent.id}"
    job.record("agreement", [found.agreeing / found.images], items=found.images, source=against)
    _record_outputs(job, theirs, outputs, against)
    _record_layers(job, outputs.images[:LAYER_IMAGES])


def _left_a_model(job: Job) -> bool:
    """Whether others may start from what this cell made."""
    return any(artifact.path == OUTPUTS_FILE for artifact in job.artifacts)


def _record_outputs(job: Job, theirs: Outputs, ours: Outputs, against: str) -> None:
    if theirs.values is None or ours.values is None:
        whose = "this" if ours.values is None else "the float"
        why = f"{whose} model's session gives no outputs in floating point, only classes"
        for name in ("kl_nats", "sqnr_db"):
            job.record(name, [None], source=against, reason=why)
        return
    _record_divergence(job, theirs, ours, against)
    x, y, kind = _alike(theirs, ours)
    noise = fidelity.sqnr(x, y)
    assert job.fidelity is not None
    job.fidelity = msgspec.structs.replace(job.fidelity, outputs=kind)
    source = f"{kind}, {against}"
    job.record("sqnr_db", [noise.db], items=len(x), source=source, reason=_reason(noise))


def _alike(theirs: Outputs, ours: Outputs) -> Tuple[Array, Array, str]:
    """Both as logits, or, where one has probabilities only, both as probabilities."""
    kinds = [theirs.kind, ours.kind]
    if kinds == [fidelity.LOGITS] * 2:
        return theirs.values, ours.values, fidelity.LOGITS
    kind = next(kind for kind in reversed(kinds) if kind != fidelity.LOGITS)
    x, y = (
        fidelity.probabilities(one.values, one.kind) if one.kind == fidelity.LOGITS else one.values
        for one in (theirs, ours)
    )
    return x, y, kind


def _record_divergence(job: Job, theirs: Outputs, ours: Outputs, against: str) -> None:
    values = fidelity.kl(theirs.values, theirs.kind, ours.values, ours.kind)
    floored = fidelity.is_floored(theirs.kind, ours.kind)
    lost = int(np.sum(~np.isfinite(values)))
    labels = [f"{FLOORED} {name}".strip() if floored else name for name in ("", "median", "p90")]
    if lost:
        why = f"{lost:,} of {len(values):,} images have no finite divergence"
        job.record("kl_nats", [None], labels[0], len(values), against, why)
        return
    found = fidelity.divergence(values, floored)
    few = len(values) < P90_SAMPLES
    p90 = None if few else found.p90
    for label, value in zip(labels, (found.mean, found.median, p90)):
        why = f"{len(values)} images: no p90" if value is None else ""
        job.record("kl_nats", [value], label, len(values), against, why)
    assert job.fidelity is not None
    job.fidelity = msgspec.structs.replace(
        job.fidelity, floored=floored, kl_low=found.low, kl_high=found.high
    )


def _record_layers(job: Job, images: Array) -> None:
    """Of the layers, where the technique gives them."""
    why = _why_no_layers(job)
    found = None
    if not why and callable(job.layers):
        try:
            found = job.layers(job.data.normalise(job.data.at(images).images))
        except Exception as error:  # noqa: BLE001  as above
            why = f"{type(error).__name__}: {first_line(error)}"
    assert job.fidelity is not None
    if found is None:
        job.fidelity = msgspec.structs.replace(job.fidelity, layers_reason=why)
        return
    for layer in found.layers:
        _record_layer(job, layer, len(images), found.source)
    job.fidelity = _with_layers(job.fidelity, found, len(images))
    _record_worst(job, found.layers, len(images))


def _why_no_layers(job: Job) -> str:
    if job.proof is not None and job.proof.promised == FLOAT32:
        return "the model computes in float32"
    if callable(job.layers):
        return ""
    return job.layers or "the technique gives no tensors from inside the model"


def _record_layer(job: Job, layer: Layer, images: int, source: str) -> None:
    noise = layer.cumulative
    told = f"cumulative, {source}"
    job.record("sqnr_db", [noise.db], layer.name, images, told, _reason(noise))
    if layer.isolated is not None:
        label = f"{layer.name} {ISOLATED}"
        alone = f"{ISOLATED}, float inputs, {source}"
        job.record("sqnr_db", [layer.isolated.db], label, images, alone, _reason(layer.isolated))


def _with_layers(kept: Fidelity, found: Layers, images: int) -> Fidelity:
    worst = fidelity.worst(found.layers)
    return msgspec.structs.replace(
        kept,
        worst_layer=worst.layer if worst else "",
        worst_by=worst.by if worst else "",
        layer_images=images,
        layer_source=found.source,
        unmatched=found.unmatched,
        layers_reason="" if found.layers else "no layer of both models could be matched",
    )


def _record_worst(job: Job, layers: Sequence[Layer], images: int) -> None:
    worst = fidelity.worst(layers)
    if worst is None:
        return
    layer = next(layer for layer in layers if layer.name == worst.layer)
    noise = layer.isolated if worst.by == fidelity.ISOLATED else layer.cumulative
    assert noise is not None and noise.db is not None and math.isfinite(noise.db)
    job.record("sqnr_db", [noise.db], WORST_LAYER, images, f"{worst.layer}, by {worst.by}")


def _reason(noise: Noise) -> str:
    return EXACT if noise.exact and not noise.reason else noise.reason
