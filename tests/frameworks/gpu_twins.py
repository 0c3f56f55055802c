"""What a GPU's paths do, with the GPU's own calls played; run inside the PyTorch environment.

``python -m tests.frameworks.gpu_twins DATA WEIGHTS FOLDER`` prints a line for each that passed.
"""

import contextlib
import sys
import types
from pathlib import Path
from typing import Any

import torch

from manifests.cell import Cell
from runners.data import Data
from runners.events import Emitter
from runners.failures import Unsupported, classify
from runners.job import Job, Weights
from runners.pytorch.parts import compiled, memory, sessions, tensorrt, torchao_linear, training
from runners.pytorch.parts.models import trained_model
from runners.pytorch.parts.steps import begin
from runners.training import AdamRecipe

CPU = torch.device("cpu")
INFER = {"warm_up_s": 0.0, "warm_up_count": 1, "measure_s": 0.0, "measure_count": 2,
         "end_to_end_share": 0.25, "test_images": 10}  # fmt: skip


def a_job(technique: str, recipe: Any = None) -> Job:
    data, weights, folder = map(Path, sys.argv[1:])
    cell = Cell(
        study="shafique2023", task="infer", framework="pytorch", technique=technique,
        model="mobilenet-v1", dataset="digits", image_size=48, batch_size=8, seed=0,
        protocol="rigorous", tier="quick", recipe=recipe or INFER, device="cpu",
        weights_from="0" * 12,
    )  # fmt: skip
    return Job(cell, folder, Data(data), Weights(weights), 1, Emitter(None))


def float16_training_scales_its_loss() -> None:
    """GradScaler skips steps until its scale fits; the weights stay finite and move in the end."""
    recipe = AdamRecipe(optimizer="adam", epochs=1, train_images=0, test_images=0,
                        learning_rate=1e-3)  # fmt: skip
    job = a_job("amp-float16")
    batch = job.data.train(8, 0)
    model = training.new_model(job).train()
    precision = training.autocast(CPU, torch.float16)
    assert precision.scaled and not training.autocast(CPU, torch.bfloat16).scaled
    step = training.step_function(model, recipe, CPU, precision)
    before = [weight.detach().clone() for weight in model.parameters()]
    images, labels = job.data.normalise(batch.images), batch.labels.astype("int64")
    for _ in range(20):
        assert 0 < step(images, labels, 1e-3) < 20
        assert all(torch.isfinite(weight).all() for weight in model.parameters())
        moved = [not torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True)]
        if any(moved):
            return
    raise AssertionError("every step was skipped")


class FakeEvent:
    """CUDA's event on a queue that takes 4 ms for each call."""

    clock_ms = 0.0

    def __init__(self, enable_timing: bool) -> None:
        assert enable_timing
        self.at = -1.0

    def record(self) -> None:
        self.at = FakeEvent.clock_ms

    def synchronize(self) -> None:
        assert self.at >= 0

    def elapsed_time(self, end: "FakeEvent") -> float:
        return end.at - self.at


def events_time_a_call_in_seconds() -> None:
    def call() -> None:
        FakeEvent.clock_ms += 4.0

    torch.cuda.Event, torch.cuda.synchronize = FakeEvent, lambda: None
    assert sessions.event_stopwatch(call) == 0.004


def a_gpu_session_is_timed_by_events() -> None:
    ready = sessions.session(torch.nn.Identity(), torch.device("cuda"))
    assert ready.stopwatch is sessions.event_stopwatch
    assert ready.synchronise is torch.cuda.synchronize
    assert sessions.session(torch.nn.Identity(), CPU).stopwatch is None


def memory_is_recorded_when_it_runs_out() -> None:
    job = a_job("float32")
    torch.cuda.reset_peak_memory_stats = lambda: None
    torch.cuda.current_device = lambda: 0
    torch.cuda.max_memory_allocated = lambda: 79_000_000_000
    torch.cuda.max_memory_reserved = lambda: 80_000_000_000
    try:
        with memory.watching_memory(job, torch.device("cuda"), "train"):
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
    except torch.OutOfMemoryError as error:
        assert classify(error).status == "oom"
    found = {(m.label, m.source): m.samples for m in job.metrics if m.name == "peak_memory_bytes"}
    assert found["allocator", "torch.cuda.max_memory_allocated"] == [79_000_000_000]
    assert found["reserved", "torch.cuda.max_memory_reserved"] == [80_000_000_000]


def float8_is_refused_in_torchaos_words() -> None:
    try:
        torchao_linear.quantized_session(
            a_job("float8-torchao"), CPU,
            lambda torchao: torchao.Float8DynamicActivationFloat8WeightConfig(),
        )  # fmt: skip
    except Unsupported as refusal:
        assert str(refusal).startswith("torchao: AssertionError: "), refusal
    else:
        raise AssertionError("a processor took float8")


def fake_tensorrt(built: list[dict[str, Any]], explicit: bool) -> types.ModuleType:
    """torch_tensorrt whose engines are the exported programs themselves."""

    def old(program: Any, inputs: Any, *, enabled_precisions: Any, min_block_size: int) -> Any:
        built.append({"enabled_precisions": enabled_precisions, "inputs": inputs[0].shape})
        return program.module()

    def new(program: Any, inputs: Any, *, use_explicit_typing: bool, min_block_size: int) -> Any:
        built.append({"use_explicit_typing": use_explicit_typing, "inputs": inputs[0].shape})
        return program.module()

    module = types.ModuleType("torch_tensorrt")
    module.dynamo = types.SimpleNamespace(compile=new if explicit else old)  # type: ignore[attr-defined]
    return module


def an_engine_is_built_by_what_this_tensorrt_accepts() -> None:
    tensorrt.begin_on_gpu = begin
    for explicit, key in ((False, "enabled_precisions"), (True, "use_explicit_typing")):
        built: list[dict[str, Any]] = []
        sys.modules["torch_tensorrt"] = fake_tensorrt(built, explicit)
        job = a_job("tensorrt-float16")
        tensorrt.time_engine(job, "float16", torch.float16)
        assert key in built[0] and built[0]["inputs"] == (8, 3, 48, 48)
        names = [metric.name for metric in job.metrics]
        assert {"convert_s", "latency_s", "end_to_end_s", "accuracy"} <= set(names)
        assert job.proof is not None and job.proof.coverage is None


def int8_engines_are_calibrated_on_one_batch_of_training_images() -> None:
    tensorrt.begin_on_gpu = begin
    built: list[dict[str, Any]] = []
    sys.modules["torch_tensorrt"] = fake_tensorrt(built, True)
    shown: list[int] = []

    def quantize(model: Any, config: str, forward_loop: Any) -> Any:
        assert config == "int8"
        handle = model.register_forward_hook(lambda m, inputs, out: shown.append(len(inputs[0])))
        forward_loop(model)
        handle.remove()
        return model

    utils = types.ModuleType("modelopt.torch.quantization.utils")
    utils.export_torch_mode = torch.no_grad  # type: ignore[attr-defined]
    library = types.ModuleType("modelopt.torch.quantization")
    library.quantize, library.INT8_DEFAULT_CFG = quantize, "int8"  # type: ignore[attr-defined]
    sys.modules["modelopt.torch.quantization"] = library
    sys.modules["modelopt.torch.quantization.utils"] = utils
    job = a_job("tensorrt-int8")
    tensorrt.time_int8_engine(job)
    assert shown == [8] and len(built) == 1
    assert job.data.used["calibration"] == 8


def without_tensorrt_the_imports_own_words_are_the_reason() -> None:
    tensorrt.begin_on_gpu = begin
    sys.modules["torch_tensorrt"] = None  # type: ignore[assignment]
    try:
        tensorrt.time_engine(a_job("tensorrt-float32"), "float32", torch.float32)
    except Unsupported as refusal:
        assert "torch_tensorrt: " in str(refusal) and "Error: " in str(refusal)
    else:
        raise AssertionError("it was not refused")


class FakeGraph:
    """Records nothing: a replay computes what the capture computed, from the static input."""

    replayed = 0

    def replay(self) -> None:
        FakeGraph.replayed += 1


class FakeStream:
    def wait_stream(self, other: Any) -> None:
        pass


def a_graph_is_replayed_once_a_call() -> None:
    torch.cuda.Stream = FakeStream
    torch.cuda.current_stream = FakeStream
    torch.cuda.stream = lambda stream: contextlib.nullcontext()
    torch.cuda.CUDAGraph = FakeGraph
    torch.cuda.graph = lambda graph: contextlib.nullcontext()
    job = a_job("cuda-graph")
    model = compiled.channels_last(trained_model(job), CPU)
    ready = compiled.graphed_session(job, model, CPU)
    images = job.data.normalise(job.data.timed(8))
    answer = ready.call(ready.place(images))
    assert FakeGraph.replayed == 1 and answer.shape == (8, 10) and ready.fixed_batch
    assert job.last_phase_s("capture") > 0


def main() -> None:
    for twin in (
        float16_training_scales_its_loss,
        float8_is_refused_in_torchaos_words,
        an_engine_is_built_by_what_this_tensorrt_accepts,
        int8_engines_are_calibrated_on_one_batch_of_training_images,
        without_tensorrt_the_imports_own_words_are_the_reason,
        events_time_a_call_in_seconds,
        a_gpu_session_is_timed_by_events,
        memory_is_recorded_when_it_runs_out,
        a_graph_is_replayed_once_a_call,
    ):
        twin()
        print(f"passed: {twin.__name__}")


if __name__ == "__main__":
    main()
