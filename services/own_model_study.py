"""The study that ``measure`` writes of a person's own model: its cells, and tables without a paper.

It lies in the cache under a name that has a hash of what it says, so that the same question is the
same run, and everything that reads a run reads this one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from manifests import paths
from manifests.cell import sha256_hex
from manifests.errors import MachineError
from manifests.files import write_atomically
from orchestrator.model_files.intake import ModelFile

AS_GIVEN, INT8 = "model-file", "model-file-int8"
TIER = "quick"
_IMAGES = {
    "onnxruntime": "onnxruntime-cpu", "openvino": "openvino-cpu", "tensorflow": "tensorflow-cpu",
}  # fmt: skip
_OPENED_BY = {".onnx": ["onnxruntime", "openvino"], ".tflite": ["tensorflow", "openvino"]}
"""The first opens the file as it is, and everything else is held against what that answers."""
_QUANTIZED_BY = {".onnx": ["onnxruntime", "openvino"], ".tflite": ["openvino"]}
_MOST_AT_ONCE = 4
"""Samples in a batch where nothing is timed: quantizers keep all that lies between layers."""


class Question(NamedTuple):
    """What is asked of a model. ``side`` is that of its pictures in pixels, or any number where it
    takes none; ``pixels`` what it takes them as.
    """

    model: ModelFile
    batches: Sequence[int]
    side: int
    pixels: str
    calibration_samples: int
    test_samples: int

    @property
    def reference(self) -> str:
        """The framework that opens the file as it is."""
        return _OPENED_BY[self.model.suffix][0]


def written(question: Question) -> str:
    """Write the study; its id. Raises MachineError where the cache can't be written to."""
    study = _study(question)
    digest = sha256_hex((study + _TABLES).encode())[:8]
    name = f"measure-{question.model.name}-{digest}"
    folder = paths.own_studies() / name
    try:
        (folder / "published").mkdir(parents=True, exist_ok=True)
        write_atomically(folder / "study.toml", f"id = {json.dumps(name)}\n{study}".encode())
        write_atomically(folder / "published" / "tables.toml", _TABLES.encode())
    except OSError as error:
        raise MachineError(f"{folder} can't be written to: {error.strerror}") from error
    return name


def folder_of(study: str) -> Path:
    """Where a study that was written lies."""
    return paths.own_studies() / study


def _study(asked: Question) -> str:
    suffix = asked.model.suffix
    opened, quantized = _OPENED_BY[suffix], _QUANTIZED_BY[suffix]
    root = {"task": "quantize", "framework": opened[0], "technique": AS_GIVEN}
    at_once = asked.model.entry.batch or min(_MOST_AT_ONCE, max(asked.batches))
    parts = [
        _head(asked, opened),
        _group("quantize", opened[:1], AS_GIVEN, [at_once]),
        _group("quantize", opened[1:], AS_GIVEN, [at_once], root),
        _group("quantize", quantized, INT8, [at_once], root),
        _group("infer", opened, AS_GIVEN, asked.batches, {"task": "quantize"}),
        _group("infer", quantized, INT8, asked.batches, {"task": "quantize"}),
        *(_step(name, opened[0]) for name in opened[1:]),
    ]
    return "\n".join(parts)


def _head(asked: Question, frameworks: Sequence[str]) -> str:
    model = asked.model
    file = f"model_sha256 = {json.dumps(model.sha256)}\npixels = {json.dumps(asked.pixels)}"
    images = "\n".join(f"{name} = {json.dumps(_IMAGES[name])}" for name in frameworks)
    return f"""\
title = "{model.name}{model.suffix}, measured here"
authors = ["whoever measured it"]
year = 0
where = "no paper: written by repliquant measure"
about = "One model file in every toolchain that opens it, as it is and in INT8"
protocols = ["rigorous"]
unspecified = []

[axes]
model = {json.dumps(model.name)}
image_size = {asked.side}
batch_size = 1
seed = 0

[images]
{images}

[recipes.take]
calibration_images = {asked.calibration_samples}
test_images = {asked.test_samples}
{file}

[recipes.infer]
warm_up_s = 0.2
warm_up_count = 1
measure_s = 1.0
measure_count = 2
longest_s = 30.0
end_to_end_share = 0.0
{file}

[tiers.{TIER}]
about = "each call measured for a second in three processes; {{data}}"
repeats = 3
timeout_s = {{ train = 60, quantize = 900, infer = 300 }}
"""


def _group(
    task: str,
    frameworks: Sequence[str],
    technique: str,
    batches: Sequence[int],
    weights: dict[str, str] | None = None,
) -> str:
    origin = ", ".join(f"{key} = {json.dumps(value)}" for key, value in (weights or {}).items())
    return f"""\
[[cells]]
task = "{task}"
framework = {json.dumps(list(frameworks))}
technique = ["{technique}"]
recipe = "{"take" if task == "quantize" else "infer"}"
batch_size = {json.dumps(list(batches))}
estimate_s = {{ {TIER} = {12 if task == "quantize" else 6} }}
{f"weights = {{ {origin} }}" if origin else ""}
"""


def _step(framework: str, reference: str) -> str:
    """Between the file in the framework that it is held against and in another: the runtime."""
    return f"""\
[[ladder]]
framework = {json.dumps(framework)}
technique = "{AS_GIVEN}"
after_framework = {json.dumps(reference)}
after = "{AS_GIVEN}"
changes = "runtime"
"""


_TABLES = """\
[[table]]
id = "speed"
title = "One call on a batch"
place = "Measured here"
key = ["framework", "technique", "batch_size"]
select = { task = "infer" }

[[table.column]]
name = "latency"
label = "latency"
unit = "ms"
metric = "latency_s"
select.any = { task = "infer" }

[[table.column]]
name = "throughput"
label = "throughput"
unit = "items/s"
metric = "throughput_items_per_s"
select.any = { task = "infer" }

[[table.column]]
name = "proof"
label = "time in the promised type"
unit = "%"
metric = "promised_time_share"
select.any = { task = "infer" }

[[table]]
id = "model"
title = "The model: size, and what it answers beside the file as it was given"
place = "Measured here"
key = ["framework", "technique"]
select = { task = "quantize" }

[[table.column]]
name = "size"
label = "size"
unit = "MiB"
metric = "model_size_bytes"
select.any = { task = "quantize" }

[[table.column]]
name = "accuracy"
label = "accuracy"
unit = "%"
metric = "accuracy"
select.any = { task = "quantize" }

[[table.column]]
name = "agreement"
label = "top-1 agreement"
unit = "%"
metric = "agreement"
select.any = { task = "quantize" }
"""
