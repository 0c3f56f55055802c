"""What is expected of each cell of ``gpu-check``, as data, and where a manifest differs from it.

Coverages are lower bounds: MobileNet's depthwise convolutions, half of its convolutions, have no
tensor-core kernels, and torchao leaves them as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from manifests.cell import Cell
from manifests.flags import IMPOSSIBLE
from manifests.manifest import Manifest
from manifests.msgspec_threads import looked_at
from orchestrator.gpu_check.sizes import runs_out, saved_bytes

_LARGE = 1000


class Expected(NamedTuple):
    """``refusal`` is a pattern: ``unsupported`` for a reason that has it is as expected too.

    ``shows`` and ``never``: data types that the proof has to have, and must not. ``coverage`` is
    the least share in the promised type. ``faster``: than the plain way. ``applied``: the loss
    scale is recorded and no timed step was skipped. ``steps``: how many were timed.
    """

    statuses: tuple[str, ...] = ("ok",)
    refusal: str = ""
    shows: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    coverage: float = 0.0
    faster: bool = False
    applied: bool = False
    steps: int = 0

    def told(self) -> str:
        """In words, for the page."""
        words = [" or ".join(self.statuses)]
        words += [f"shows {kind}" for kind in self.shows]
        words += [f"no {kind}" for kind in self.never]
        words += [f"covered ≥ {self.coverage:.0%}"] if self.coverage else []
        words += [f"{self.steps} steps"] if self.steps else []
        words += ["every step applied, loss scale recorded"] if self.applied else []
        words += ["faster"] if self.faster else []
        words += [f"or unsupported: /{self.refusal}/"] if self.refusal else []
        return ", ".join(words)


LADDER_STEPS = 30
_NO_TORCHAO = "torchao"
_NO_TENSORRT = "tensorrt"
_NO_COMPILER = "torch.compile needs"
_NO_GPU = "needs an NVIDIA GPU"
_OLD_GPU = "compute capability|CUDA capability"
_PLAIN = Expected(shows=("float32",), never=("tf32", "float16", "bfloat16"), coverage=0.99)
_LOW = ("tf32",)

_Table = Mapping[tuple[str, str], Expected]
"""By task and technique; what isn't named has to be ``ok``."""

_TORCH_GPU: _Table = {
    ("train", "float32"): _PLAIN,
    ("train", "tf32"): Expected(shows=("tf32",), coverage=0.5, faster=True),
    ("train", "amp-float16"): Expected(
        shows=("float16",), never=_LOW, coverage=0.9, faster=True, applied=True),
    ("train", "amp-bfloat16"): Expected(shows=("bfloat16",), never=_LOW, coverage=0.9, faster=True),
    ("infer", "float32"): _PLAIN,
    ("infer", "channels-last"): _PLAIN,
    ("infer", "tf32"): Expected(shows=("tf32",), coverage=0.3),
    ("infer", "cuda-graph"): _PLAIN._replace(faster=True),
    ("infer", "cuda-graph-float16"): Expected(
        shows=("float16",), never=_LOW, coverage=0.9, faster=True),
    ("infer", "compiled"): Expected(
        shows=("float32",), coverage=0.99, faster=True, refusal=_NO_COMPILER),
    ("infer", "compiled-bfloat16"): Expected(
        shows=("bfloat16",), coverage=0.9, faster=True, refusal=_NO_COMPILER),
    ("infer", "compiled-float16"): Expected(
        shows=("float16",), coverage=0.9, faster=True, refusal=_NO_COMPILER),
    ("infer", "int8-torchao"): Expected(
        shows=("int8",), coverage=0.3, refusal=f"{_NO_TORCHAO}|{_NO_COMPILER}"),
    ("infer", "float8-torchao"): Expected(
        shows=("float8",), coverage=0.3, refusal=f"{_NO_TORCHAO}|{_NO_COMPILER}|{_OLD_GPU}"),
    ("infer", "tensorrt-float32"): Expected(
        shows=("float32",), never=("tf32",), coverage=0.9, faster=True, refusal=_NO_TENSORRT),
    ("infer", "tensorrt-tf32"): Expected(shows=("tf32",), faster=True, refusal=_NO_TENSORRT),
    ("infer", "tensorrt-float16"): Expected(
        shows=("float16",), coverage=0.5, faster=True, refusal=_NO_TENSORRT),
    ("infer", "tensorrt-int8"): Expected(
        shows=("int8",), coverage=0.3, faster=True, refusal=f"{_NO_TENSORRT}|modelopt"),
}  # fmt: skip
_TENSORFLOW_GPU: _Table = {
    ("train", "float32"): Expected(shows=("float32",), coverage=0.99),
    ("train", "amp-float16"): Expected(shows=("float16",), coverage=0.9, faster=True, applied=True),
    ("infer", "keras-call"): Expected(shows=("float32",), coverage=0.99),
    ("infer", "signature"): Expected(shows=("float32",), coverage=0.99, faster=True),
    ("infer", "tftrt-fp32"): Expected(faster=True, refusal="(?i)tensorrt"),
    ("infer", "tftrt-fp16"): Expected(faster=True, refusal="(?i)tensorrt"),
    ("infer", "tftrt-int8"): Expected(faster=True, refusal="(?i)tensorrt"),
    ("quantize", "tftrt-int8"): Expected(refusal="(?i)tensorrt"),
}
_CPU: _Table = {
    ("train", "float32"): Expected(shows=("float32",), never=("bfloat16",), coverage=1.0, steps=5),
    ("train", "amp-float16"): Expected(("unsupported",), refusal=_NO_GPU),
    ("train", "amp-bfloat16"): Expected(
        shows=("bfloat16",), coverage=0.9, steps=5, refusal="No OpKernel was registered"),
    ("infer", "float32"): Expected(shows=("float32",), never=("bfloat16",), coverage=1.0),
    ("infer", "channels-last"): Expected(shows=("float32",), coverage=1.0),
    ("infer", "compiled"): Expected(shows=("float32",), coverage=1.0, refusal=_NO_COMPILER),
    ("infer", "cuda-graph"): Expected(("unsupported",), refusal=_NO_GPU),
    ("infer", "tensorrt-float16"): Expected(("unsupported",), refusal=_NO_GPU),
}  # fmt: skip


def expected_of(cell: Cell, memory_bytes: int | None = None) -> Expected:
    """What is expected of a planned cell on a GPU of that memory, or on a processor."""
    if cell.device == "cpu":
        return _CPU.get((cell.task, cell.technique), Expected())
    if cell.task == "train" and cell.batch_size >= _LARGE:
        return _beyond(cell, memory_bytes)
    table = _TORCH_GPU if cell.framework == "pytorch" else _TENSORFLOW_GPU
    found = table.get((cell.task, cell.technique), Expected())
    return found._replace(steps=_steps(cell)) if cell.task == "train" else found


def _beyond(cell: Cell, memory_bytes: int | None) -> Expected:
    """float32 runs out; mixed precision keeps about half of it, which fits or nearly so."""
    if not runs_out(cell.batch_size, memory_bytes):
        return Expected(("ok", "oom"))
    half = saved_bytes(cell.batch_size) / 2 < 0.8 * (memory_bytes or 0)
    if cell.technique == "float32":
        return Expected(("oom",))
    return Expected(("ok",) if half and cell.framework == "pytorch" else ("ok", "oom"))


def _steps(cell: Cell) -> int:
    """As the runners count them: whole batches, one at least, and no more than the recipe's."""
    recipe = msgspec.convert(cell.recipe, looked_at(_Steps))
    whole = max(1, recipe.train_images // cell.batch_size)
    return recipe.epochs * min(whole, recipe.steps or whole)


class _Steps(msgspec.Struct):
    """What of a training's recipe says how many steps it takes."""

    epochs: int
    train_images: int
    steps: int = 0


def differences(expected: Expected, manifest: Manifest, speedup: float | None) -> list[str]:
    """Where the manifest isn't as expected, in words; none where it is."""
    status, reason = manifest.status, manifest.reason
    refused = bool(expected.refusal) and status == "unsupported"
    if refused and re.search(expected.refusal, reason):
        return []
    if refused:
        return [f"it is unsupported for another reason than /{expected.refusal}/: {reason}"]
    if status not in expected.statuses:
        said = f": {reason}" if reason else ""
        return [f"it is {status}, not {' or '.join(expected.statuses)}{said}"]
    if status != "ok":
        return []
    found = [*_proof(expected, manifest), *_steps_taken(expected, manifest)]
    found += [f"{flag.name}: {flag.detail}" for flag in manifest.flags if flag.name == IMPOSSIBLE]
    if expected.faster and (speedup is None or speedup <= 1):
        told = "its speedup isn't known" if speedup is None else f"its speedup is {speedup:.2f}"
        found.append(f"{told}, not above 1")
    return found


def _proof(expected: Expected, manifest: Manifest) -> list[str]:
    if not (expected.shows or expected.never or expected.coverage):
        return []
    proof = manifest.proof
    if proof is None:
        return ["it has no proof of precision"]
    found = [
        f"its proof shows no {kind} (it shows {', '.join(proof.operations) or 'nothing'})"
        for kind in expected.shows
        if not proof.operations.get(kind)
    ]
    for kind in expected.never:
        names = proof.operations.get(kind, {})
        if names:
            found.append(f"its proof shows {kind}: {', '.join(list(names)[:3])}")
    if proof.coverage is None or proof.coverage < expected.coverage:
        covered = "unknown" if proof.coverage is None else f"{proof.coverage:.0%}"
        found.append(f"{proof.promised} covers {covered}, not {expected.coverage:.0%} or more")
    return found


def _steps_taken(expected: Expected, manifest: Manifest) -> list[str]:
    timed = manifest.metric("train_step_s")
    count = len(timed.samples) if timed else 0
    found = []
    if expected.steps and count != expected.steps:
        found.append(f"it timed {count} steps, not {expected.steps}")
    if not expected.applied:
        return found
    if manifest.metric("loss_scale") is None:
        found.append("it has no loss scale")
    applied = manifest.metric("applied_steps", "timed")
    number = applied.samples[0] if applied and applied.samples else None
    if number != count:
        shown = "an unknown number" if number is None else str(number)
        found.append(f"{shown} of {count} timed steps were applied")
    return found
