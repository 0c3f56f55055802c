"""Eager-mode quantization as lad2023 used it: fuse, stub, observe, convert."""

from __future__ import annotations

import warnings
from typing import Any, Dict, NamedTuple, Tuple

import torch
from torch.ao import quantization

from runners.data import batches
from runners.failures import Unsupported
from runners.job import Job
from runners.pytorch.parts.models import (
    Stubbed,
    empty_stubbed_model,
    load_trained,
    load_weights,
)
from runners.pytorch.parts.sessions import session

_OBSERVERS = {
    "minmax": quantization.MinMaxObserver,
    "moving-average": quantization.MovingAverageMinMaxObserver,
    "": quantization.HistogramObserver,
}
_UNFUSED, _ENDS_FLOAT = "unfused", "ends-float"
"""The same for what of the network is fused before, and what of it is quantized."""
_PER_TENSOR, _SYMMETRIC = "per-tensor", "symmetric"
"""What a variant's name ends in, in this order, where weights or activations are other ones."""


def quiet() -> None:
    """Eager and FX quantization say at every call that they are deprecated; once is enough."""
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    warnings.filterwarnings("ignore", category=UserWarning, module="torch")


def choose_backend() -> str:
    """The quantized engine of this processor; set for the process. Raises Unsupported."""
    supported = torch.backends.quantized.supported_engines
    for name in ("x86", "fbgemm", "qnnpack"):
        if name in supported:
            torch.backends.quantized.engine = name
            return name
    raise Unsupported(f"torch has no int8 engine for this processor; it has {supported}")


class Structure(NamedTuple):
    """What a variant's name says of the network; ``observer`` is the rest of the name."""

    observer: str
    fused: bool
    float_ends: bool


def structure_of(variant: str) -> Structure:
    """What the variant's name ends in, where it says something of the network."""
    rest, unfused = _without(variant, _UNFUSED)
    rest, float_ends = _without(rest, _ENDS_FLOAT)
    return Structure(rest, not unfused, float_ends)


def observed_model(job: Job) -> torch.nn.Module:
    """The parent's model, fused unless the variant says not to, with observers that wait for
    calibration.
    """
    structure = structure_of(job.cell.variant)
    model = empty_stubbed_model(job, structure.float_ends)
    load_trained(job, model)
    return _prepared(model, structure)


def converted_model(job: Job) -> torch.nn.Module:
    """The int8 model that the parent cell saved."""
    structure = structure_of(job.cell.variant)
    prepared = _prepared(empty_stubbed_model(job, structure.float_ends), structure)
    model: torch.nn.Module = quantization.convert(prepared)
    model.load_state_dict(load_weights(job))
    return model


def calibrating_config(variant: str) -> Any:
    """torch's default for this processor, but for what ``variant`` names.

    The default observes histograms of activations, which are asymmetric; weights have a scale for
    each channel.
    """
    default = quantization.get_default_qconfig(choose_backend())
    if not variant:
        return default
    observer, symmetric = _without(variant, _SYMMETRIC)
    observer, per_tensor = _without(observer, _PER_TENSOR)
    kept = dict(default.activation.p.keywords)  # reduce_range, where the kernels need it
    if symmetric:
        kept.update(_symmetric(bool(kept.pop("reduce_range", False))))
    weight = quantization.default_weight_observer if per_tensor else default.weight
    return quantization.QConfig(_OBSERVERS[observer].with_args(**kept), weight)


def _symmetric(reduced: bool) -> Dict[str, Any]:
    """An observer's arguments. The kernels take unsigned activations, so that zero is the middle
    of their range; of the reduced one torch's observers find it only where its ends are given.
    """
    ends = {"quant_min": 0, "quant_max": 127} if reduced else {}
    return {"qscheme": torch.per_tensor_symmetric, **ends}


def _without(variant: str, ending: str) -> Tuple[str, bool]:
    """The rest of a variant's name, and whether it has that ending."""
    if variant == ending or variant.endswith(f"-{ending}"):
        return variant[: -len(ending)].rstrip("-"), True
    return variant, False


def record_scheme(job: Job, model: torch.nn.Module) -> None:
    """Record how the converted model quantizes: read from its weights and its zero points."""
    weights, zeros = set(), set()
    for module in model.modules():
        weight = getattr(module, "weight", None)
        if not callable(weight) or not hasattr(module, "zero_point"):
            continue
        scheme = str(weight().qscheme())
        weights.add("per channel" if "per_channel" in scheme else "per tensor")
        zeros.add(int(module.zero_point))  # type: ignore[arg-type]
    job.settings["torch.ao weights"] = " and ".join(sorted(weights)) or "none"
    job.settings["torch.ao zero points of activations"] = (
        ", ".join(map(str, sorted(zeros))) or "none"
    )


def _prepared(model: Stubbed, structure: Structure) -> torch.nn.Module:
    pairs = model.fusible() if structure.fused else []
    fused = quantization.fuse_modules(model, pairs) if pairs else model
    fused.qconfig = calibrating_config(structure.observer)
    for name in model.float_layers:
        getattr(fused, name).qconfig = None
    prepared: torch.nn.Module = quantization.prepare(fused)
    return prepared


def qat_model(job: Job) -> torch.nn.Module:
    """The parent's model, fused, with fake quantization, in training mode."""
    model = empty_stubbed_model(job)
    load_trained(job, model)
    model.train()
    pairs = model.fusible()
    fused = quantization.fuse_modules_qat(model, pairs) if pairs else model
    fused.qconfig = quantization.get_default_qat_qconfig(choose_backend())
    prepared: torch.nn.Module = quantization.prepare_qat(fused)
    return prepared


def calibrate(job: Job, model: torch.nn.Module, images: int) -> None:
    """Show training images to the observers; records ``calibration_s``."""
    observing = session(model, torch.device("cpu"))
    part = job.data.calibration(images, job.cell.seed)
    with job.phase("calibrate"):
        for done, batch in enumerate(batches(job.data, part, job.cell.batch_size)):
            observing.call(observing.place(batch.images))
            job.events.step(
                min((done + 1) * job.cell.batch_size, len(part.labels)), len(part.labels)
            )
    job.record("calibration_s", [job.last_phase_s("calibrate")], items=len(part.labels))
