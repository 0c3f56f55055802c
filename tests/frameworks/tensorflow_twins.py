"""What cells on a GPU would do, run on a processor under TensorFlow 2.8 and a current one.

``python -m tests.frameworks.tensorflow_twins DATA FACT [ARGUMENTS]`` prints the fact as JSON;
tests/frameworks/test_tensorflow_twins.py reads it. Python 3.8 code.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from manifests.cell import Cell
from manifests.manifest import Proof
from runners.data import Data
from runners.events import Emitter
from runners.failures import Unsupported
from runners.job import Job
from runners.tensorflow import before_import

DATA = Path(sys.argv[1])
# TensorFlow after our own setup, which sets variables that it reads.
from runners.tensorflow import signature  # noqa: E402  isort: skip
from runners.tensorflow.parts import tensor_float32  # noqa: E402
from runners.tensorflow.parts.finetuning import train_application  # noqa: E402

import tensorflow as tf  # noqa: E402  isort: skip

ADAM = {"optimizer": "adam", "epochs": 2, "steps": 4, "train_images": 0, "test_images": 8,
        "learning_rate": 0.0001, "keep_weights": False}  # fmt: skip
INFER = {"warm_up_s": 0.0, "warm_up_count": 1, "measure_s": 0.0, "measure_count": 1}


def a_job(**changes: Any) -> Job:
    fields: dict[str, Any] = {
        "study": "shafique2023", "task": "train", "framework": "tensorflow",
        "technique": "amp-float16", "model": "mobilenet-v1", "dataset": "digits",
        "image_size": 32, "batch_size": 4, "seed": 0, "protocol": "rigorous", "tier": "quick",
        "recipe": ADAM,
    }  # fmt: skip
    folder = Path(tempfile.mkdtemp())
    return Job(Cell(**{**fields, **changes}), folder, Data(DATA), None, 2, Emitter(None))


def samples(job: Job, name: str) -> list[Any]:
    return [metric.samples for metric in job.metrics if metric.name == name]


def scaled_training(model: str, protocol: str) -> dict[str, Any]:
    """Eight float16 steps: how many applied, and what was flagged."""
    job = a_job(model=model, protocol=protocol)
    train_application(job, "mixed_float16")
    return {
        "steps": len(samples(job, "train_step_s")[0]),
        "applied": samples(job, "applied_steps")[0],
        "scale": samples(job, "loss_scale")[0][-1],
        "flags": [[flag.name, flag.detail] for flag in job.flags],
        "phases": [phase.name for phase in job.phases],
        "losses": samples(job, "train_loss")[0],
    }


def _as_if_on(capability: tuple[int, ...]) -> None:
    tensor_float32.compute_capability = lambda: capability


def tf32() -> dict[str, Any]:
    """What is allowed, and the variable, after the choice of each cell."""
    _as_if_on((9, 0))
    found: dict[str, Any] = {}
    given = os.environ["NVIDIA_TF32_OVERRIDE"]
    cells = {
        "float32 rigorous": {"technique": "float32"},
        "float32 as-published": {"technique": "float32", "protocol": "as-published"},
        "tf32 rigorous": {"technique": "tf32"},
        "keras-call rigorous on a processor": {"technique": "keras-call", "device": "cpu"},
    }
    for name, changes in cells.items():
        tf.config.experimental.enable_tensor_float_32_execution(True)
        os.environ["NVIDIA_TF32_OVERRIDE"] = given
        job = a_job(**{"device": "gpu", **changes})
        before_import(job.cell)
        if job.cell.device == "gpu":
            tensor_float32.choose(job)
        enabled = bool(tf.config.experimental.tensor_float_32_execution_enabled())
        found[name] = [enabled, os.environ.get("NVIDIA_TF32_OVERRIDE")]
    _as_if_on((7, 5))
    try:
        tensor_float32.choose(a_job(technique="tf32", device="gpu"))
    except Unsupported as refusal:
        found["tf32 on Turing"] = str(refusal)
    return found


def tf32_proofs() -> dict[str, Any]:
    """Coverage, fallbacks and source of a proof, by what TF32 is."""
    job = a_job(device="gpu")
    plain = Proof(
        promised="float32", operations={"float32": {"Conv2D": 3, "Relu": 9}}, coverage=1.0,
        fallback=[], source="by the graph",
    )  # fmt: skip
    half = Proof(
        promised="float16", operations={"float16": {"Conv2D": 3}, "float32": {"MatMul": 3}},
        coverage=0.5, fallback=[], source="by the graph",
    )  # fmt: skip
    found: dict[str, Any] = {}
    states = (("off", False, (9, 0), plain), ("on", True, (9, 0), plain),
              ("Turing", True, (7, 5), plain), ("float16 on", True, (9, 0), half))  # fmt: skip
    for name, allowed, capability, proof in states:
        tf.config.experimental.enable_tensor_float_32_execution(allowed)
        _as_if_on(capability)
        told = tensor_float32.qualified(job, proof)
        found[name] = [told.coverage, told.fallback, told.source]
    return found


def tensorrt_variables() -> dict[str, Any]:
    """What TF-TRT reads from the environment, and the level of its log, by cell."""
    native, level = "TF_TRT_ALLOW_ENGINE_NATIVE_SEGMENT_EXECUTION", "TF_CPP_MIN_LOG_LEVEL"
    found: dict[str, Any] = {}
    for name, technique, protocol, given in (
        ("rigorous", "tftrt-fp16", "rigorous", "2"),
        ("as-published", "tftrt-int8", "as-published", "2"),
        ("loud", "tftrt-int8", "as-published", "0"),
        ("keras-call", "keras-call", "rigorous", "2"),
    ):
        os.environ.pop(native, None)
        os.environ[level] = given
        before_import(a_job(technique=technique, protocol=protocol, device="gpu").cell)
        found[name] = [os.environ.get(native), os.environ[level]]
    return found


class Allocator:
    """Stands in for the counters that only a GPU has."""

    def reset(self, device: str) -> None:
        assert device == "GPU:0"

    def info(self, device: str) -> dict[str, int]:
        return {"current": 1, "peak": 2}


def memory() -> dict[str, list[str]]:
    """The labels of ``peak_memory_bytes`` of each way of calling, as if on a GPU."""
    counters = Allocator()
    tf.config.experimental.reset_memory_stats = counters.reset
    tf.config.experimental.get_memory_info = counters.info
    found: dict[str, list[str]] = {}
    for technique in ("keras-predict", "keras-call", "signature", "xla", "tf32"):
        job = a_job(task="infer", technique=technique, device="gpu", recipe=INFER)
        module = importlib.import_module(f"runners.tensorflow.{technique.replace('-', '_')}")
        module.begin = lambda job: None
        signature.begin = lambda job: None
        module.infer(job)
        peaks = [m.label for m in job.metrics if m.name == "peak_memory_bytes"]
        found[technique] = sorted(peaks)
    return found


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[2]](*sys.argv[3:])))
