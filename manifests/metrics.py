"""One table of every metric: its unit, what it means, and which direction is better."""

from __future__ import annotations

from typing import Dict, NamedTuple, Optional


class MetricInfo(NamedTuple):
    """``better`` is "lower", "higher" or None where neither is."""

    unit: str
    meaning: str
    better: Optional[str]


METRICS: Dict[str, MetricInfo] = {
    "latency_s": MetricInfo("s", "one call on a batch, inputs in place (compute only)", "lower"),
    "end_to_end_s": MetricInfo(
        "s", "one call from uint8 pixels to predicted classes on the host", "lower"
    ),
    "throughput_items_per_s": MetricInfo(
        "items/s", "all items over all time of the measured calls", "higher"
    ),
    "steps_per_call": MetricInfo("count", "steps that one call made of its batch", None),
    "train_epoch_s": MetricInfo("s", "one pass over the training images", "lower"),
    "train_step_s": MetricInfo("s", "one optimizer step on one batch", "lower"),
    "train_loss": MetricInfo("nats", "mean cross-entropy of an epoch", "lower"),
    "calibration_s": MetricInfo("s", "running the calibration images", "lower"),
    "convert_s": MetricInfo("s", "turning a model into its deployed form", "lower"),
    "model_size_bytes": MetricInfo("bytes", "the file that would be deployed", "lower"),
    "loss_scale": MetricInfo(
        "count", "factor by which the loss was multiplied before the float16 gradients", None
    ),
    "applied_steps": MetricInfo("count", "optimizer steps that loss scaling did not skip", None),
    "parameters": MetricInfo("count", "trained numbers in the model", None),
    "accuracy": MetricInfo("fraction", "top-1 on the test split", "higher"),
    "peak_memory_bytes": MetricInfo("bytes", "largest memory held; see its source", "lower"),
    "energy_j": MetricInfo("J", "energy over the measured phase", "lower"),
    "op_time_s": MetricInfo("s", "time inside one operation (its label) per call", "lower"),
}
