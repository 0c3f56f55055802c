"""One table of every metric: its name, unit, meaning, direction, and what it can be at all."""

from __future__ import annotations

import math
from typing import Dict, Mapping, Optional, Sequence, Union

from manifests.metric_info import MetricInfo, arithmetic_metric, share_metric, time_metric

Number = Union[int, float]


METRICS: Dict[str, MetricInfo] = {
    "latency_s": time_metric("latency", "one call on a batch, inputs in place (compute only)"),
    "end_to_end_s": time_metric(
        "end-to-end time", "one call from uint8 pixels to predicted classes on the host"
    ),
    "throughput_items_per_s": MetricInfo(
        "throughput", "items/s", "all items over all time of the measured calls", "higher",
        timed=True, positive=True,
    ),
    "steps_per_call": MetricInfo(
        "steps per call", "count", "steps that one call made of its batch", None, positive=True
    ),
    "train_step_s": time_metric("time per training step", "one optimizer step on one batch"),
    "train_epoch_s": time_metric("time per epoch", "one pass over the training images"),
    "train_loss": MetricInfo("training loss", "nats", "mean cross-entropy of an epoch", "lower"),
    "calibration_s": time_metric("calibration time", "running the calibration images"),
    "convert_s": time_metric("conversion time", "turning a model into its deployed form"),
    "loss_scale": MetricInfo(
        "loss scale", "count",
        "factor by which the loss was multiplied before the float16 gradients", None,
        positive=True,
    ),
    "applied_steps": MetricInfo(
        "applied steps", "count", "optimizer steps that loss scaling did not skip", None, least=0
    ),
    "images_used": MetricInfo(
        "images used", "count", "different images that the cell took for a use (label)", None,
        least=0, exact=True,
    ),
    "optimizer_steps": MetricInfo(
        "optimizer steps", "count", "steps of training that the cell took", None, least=0,
        exact=True,
    ),
    "parameters": MetricInfo(
        "parameters", "count", "trained numbers in the model", None, positive=True, exact=True
    ),
    "peak_memory_bytes": MetricInfo(
        "peak memory", "bytes", "largest memory held; see its source", "lower", positive=True,
        compared=True,
    ),
    "energy_j": MetricInfo(
        "energy", "J", "energy over the measured phase", "lower", timed=True, least=0,
        compared=True,
    ),
    "energy_above_idle_j": MetricInfo(
        "energy above idle", "J", "energy over the measured phase without what an idle machine "
        "takes in that time", "lower", timed=True,
    ),
    "energy_per_item_j": MetricInfo(
        "energy per inference", "J", "energy of the measured calls over all their items", "lower",
        timed=True, least=0, compared=True,
    ),
    "power_w": MetricInfo(
        "power", "W", "mean power over the measured phase", "lower", timed=True, least=0,
        compared=True,
    ),
    "model_size_bytes": MetricInfo(
        "model size", "bytes", "the file that would be deployed", "lower", positive=True,
        exact=True, compared=True,
    ),
    "accuracy": share_metric("accuracy", "top-1 on the test split", proportion=True),
    "top5_accuracy": share_metric(
        "top-5 accuracy", "the right class among the five likeliest, on the test split",
        proportion=True,
    ),
    "agreement": share_metric(
        "top-1 agreement", "the class that the float parent puts first, on the test images",
        proportion=True,
    )._replace(compared=False),
    "kl_nats": MetricInfo(
        "divergence", "nats",
        "KL of the outputs from the float parent's by image: the mean, or as its label says",
        "lower", least=0,
    ),
    "sqnr_db": MetricInfo(
        "SQNR", "dB", "float parent's signal over the noise in the outputs, or in a layer (label)",
        "higher",
    ),
    "arena_bytes": MetricInfo(
        "arena", "bytes", "the memory that an interpreter for microcontrollers takes, or a part of "
        "it (label)", "lower", positive=True, exact=True,
    ),
    "multiply_adds": MetricInfo(
        "multiply-adds", "count", "in one call's convolutions and products, in those of one "
        "operation (label), or of one image by the network's structure (label image)", None,
        positive=True, exact=True,
    ),
    "depthwise_share": MetricInfo(
        "depthwise share", "fraction",
        "of depthwise convolutions among the convolutions and products, by layers or by "
        "multiply-adds (label)", None, least=0, most=1, exact=True,
    ),
    "bytes_moved": MetricInfo(
        "bytes moved", "bytes",
        "by a float32 call whose convolutions and products read their weights and input once and "
        "write their output once", None, positive=True, exact=True,
    ),
    "multiply_add_rate": MetricInfo(
        "multiply-adds per second", "MAC/s",
        "of the network's convolutions and products, by the latency; of a matrix product by type "
        "(label)", "higher", timed=True, positive=True,
    ),
    "equal_bytes": share_metric(
        "equal bytes", "of the answers to the same inputs, as other kernels (label) compute them"
    )._replace(compared=False, better=None, exact=True),
    "logit_difference": MetricInfo(
        "difference of logits", "fraction",
        "largest difference of the float model's logits from its training's, of the largest logit",
        "lower", least=0,
    ),
    "promised_share": MetricInfo(
        "operations in the promised type", "fraction",
        "by count: of the convolutions and products that one call executes", "higher", least=0,
        most=1, exact=True,
    ),
    "promised_time_share": MetricInfo(
        "time in the promised type", "fraction",
        "by time: of what the convolutions and products of one call take", "higher", timed=True,
        least=0, most=1,
    ),
    "equal_integers": arithmetic_metric(
        "integers equal to the equations'", "fraction",
        "of what a framework's quantizer (label) makes, those that the paper's equations give",
        "higher", 1,
    ),
    "equal_by_rule": arithmetic_metric(
        "integers equal by its own rule", "fraction",
        "those that the equations give with what the framework does otherwise (source)",
        "higher", 1,
    ),
    "scale_ulp": arithmetic_metric(
        "difference of scales", "count",
        "largest, of a quantizer's (label) from the equations', in units in the last place",
        "lower",
    ),
    "zero_point_difference": arithmetic_metric(
        "difference of zero points", "count",
        "largest, of a quantizer's (label) from the equations'", "lower",
    ),
    "rounding_error": arithmetic_metric(
        "rounding error", "fraction",
        "squares of what is not clipped, over the signal's, by tensor; label: the calibrator",
        "lower",
    ),
    "clipping_error": arithmetic_metric(
        "clipping error", "fraction",
        "squares of what is clipped, over the signal's, by tensor; label: the calibrator",
        "lower",
    ),
    "quantization_error": arithmetic_metric(
        "quantization error", "fraction",
        "squares of what the framework's own round trip loses, over the signal's, by tensor",
        "lower",
    ),
    "casts_differing": arithmetic_metric(
        "differing casts", "count",
        "numbers that the framework turns into other bits of a format (label) than IEEE 754 does",
        "lower",
    ),
    "flushed_gradients": arithmetic_metric(
        "gradients flushed to zero", "fraction",
        "of those of a training step that are not zero, in a format (label)", "lower", 1,
    ),
    "overflowed_gradients": arithmetic_metric(
        "gradients that overflow", "fraction",
        "of those of a training step that are not zero, in a format (label)", "lower", 1,
    ),
    "equal_inside": share_metric(
        "equal numbers inside",
        "of the whole numbers inside a network, as another runtime computes them",
    )._replace(compared=False),
    "layers_profiled": share_metric(
        "layers profiled", "of the layers with weights, those of which a profiler saw an operation"
    )._replace(compared=False),
    "batch_norms_left": MetricInfo(
        "BatchNorm left", "count", "BatchNorm operations that one call of a network executes: "
        "those that no convolution took in", "lower", least=0, exact=True,
    ),
    "f1": share_metric("F1", "harmonic mean of precision and recall on the test split"),
    "auc": share_metric("AUC", "area under the ROC curve on the test split"),
    "token_accuracy": share_metric(
        "token accuracy", "words of the test captions that come first, the right ones before them"
    ),
    "bleu": share_metric("BLEU-4", "captions told word by word against all of each picture's"),
    "exact_captions": share_metric("exact captions", "those told that are one of the picture's"),
    "token_agreement": share_metric(
        "token agreement", "words that the float parent puts first too, the right ones before them"
    )._replace(compared=False),
    "float_component": MetricInfo(
        "component in float", "count", "1 where a component (label) of the network is in float, "
        "else 0", "lower", least=0, most=1, exact=True,
    ),
    "removed_component": MetricInfo(
        "component taken out", "count", "1 where a component (label) was taken out of the network, "
        "which was trained anew without, else 0", "lower", least=0, most=1, exact=True,
    ),
    "op_time_s": MetricInfo(
        "operation time", "s", "time inside one operation (its label) per call", "lower",
        timed=True, least=0,
    ),
    "op_memory_bytes": MetricInfo(
        "operation memory", "bytes", "memory that one operation (its label) takes per call, as the "
        "profiler counts it; see its source", "lower", least=0,
    ),
    "outside_operations_s": MetricInfo(
        "time outside operations", "s",
        "of a profiled call, what lies between and around the operations", "lower", timed=True,
    ),
    "profiling_s": MetricInfo(
        "cost of profiling", "s", "what a profiled call takes more than one that isn't", "lower",
        timed=True,
    ),
    "device_time_s": MetricInfo(
        "device time", "s", "what the profiler counts on the GPU or the CPU (its label) per call",
        "lower", timed=True, least=0,
    ),
}  # fmt: skip

TIMED = tuple(name for name, info in METRICS.items() if info.timed)
COMPARED = tuple(name for name, info in METRICS.items() if info.compared)


def left_out(name: str, recipe: Mapping[str, object]) -> bool:
    """Whether a cell of this recipe doesn't take the metric: another cell of its point does."""
    if name == "model_size_bytes":
        return recipe.get("keep_weights") is False
    of_test_images = is_proportion(name) or name in ("kl_nats", "sqnr_db")
    return of_test_images and recipe.get("evaluate") is False


def is_proportion(name: str) -> bool:
    """Whether it counts images among those tested; not known of an unknown one."""
    info = METRICS.get(name)
    return info is not None and info.proportion


def is_exact(name: str) -> bool:
    """Whether it is the same in every process."""
    info = METRICS.get(name)
    return info is not None and info.exact


def impossible(
    name: str, samples: Sequence[Optional[Number]], most_bytes: Optional[int] = None
) -> str:
    """What of these samples can't be, in words; "" where all can.

    ``most_bytes`` is the memory that the machine has, where it is known.
    """
    info = METRICS.get(name)
    most = most_bytes if name == "peak_memory_bytes" else None
    found = [s for s in samples if s is not None]
    # A manifest has thousands of samples, and a run thousands of manifests.
    if not found or (math.isfinite(sum(found)) and not _outside(found, info, most)):
        return ""
    why = [_why(value, info, most) for value in found]
    wrong = [index for index, reason in enumerate(why) if reason]
    if not wrong:
        return ""
    first = wrong[0]
    of = f" ({len(wrong):,} of {len(found):,} samples)" if len(found) > 1 else ""
    return f"{info.name if info else name} can't be {found[first]:.6g}: {why[first]}{of}"


def _outside(
    found: Sequence[Number], info: Optional[MetricInfo], most_bytes: Optional[int]
) -> bool:
    return any(_why(end, info, most_bytes) for end in (min(found), max(found)))


def _why(value: Number, info: Optional[MetricInfo], most_bytes: Optional[int]) -> str:
    if not math.isfinite(value):
        return "it is no finite number"
    if info is None:
        return ""
    if info.positive and value <= 0:
        return "it has to be more than 0"
    if info.least is not None and value < info.least:
        return f"it has to be at least {info.least:g}"
    if info.most is not None and value > info.most:
        return f"it has to be at most {info.most:g}"
    if most_bytes is not None and value > most_bytes:
        return f"the machine has {most_bytes:,} bytes"
    return ""
