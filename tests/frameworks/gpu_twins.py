"""What a GPU's paths do, with the GPU's own calls played; run inside the PyTorch environment.

``python -m tests.frameworks.gpu_twins DATA WEIGHTS FOLDER`` prints a line for each that passed.
"""

import contextlib
import os
import sys
import types
from pathlib import Path
from typing import Any

import msgspec
import torch

from manifests.cell import Cell
from runners.data import Data
from runners.events import Emitter
from runners.failures import Unsupported, classify
from runners.job import Job, Weights
from runners.pytorch.parts import (
    compiled,
    exported,
    graphs,
    kernels,
    low_precision,
    memory,
    proof,
    sessions,
    steps,
    tensorrt,
    torchao_linear,
    training,
)
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
        with memory.watching_memory(job, torch.device("cuda")):
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
    except torch.OutOfMemoryError as error:
        assert classify(error).status == "oom"
    found = {(m.label, m.source): m.samples for m in job.metrics if m.name == "peak_memory_bytes"}
    assert found["allocator", "torch.cuda.max_memory_allocated"] == [79_000_000_000]
    assert found["reserved", "torch.cuda.max_memory_reserved"] == [80_000_000_000]


def float8_is_refused_in_torchaos_words() -> None:
    try:
        torchao_linear.quantized_session(
            a_job("float8-torchao"), CPU, "Float8DynamicActivationFloat8WeightConfig"
        )
    except Unsupported as refusal:
        assert str(refusal).startswith("torchao: AssertionError: "), refusal
    else:
        raise AssertionError("a processor took float8")


def fake_tensorrt(built: list[dict[str, Any]], version: str) -> types.ModuleType:
    """torch_tensorrt whose engines are the exported programs themselves.

    The parameters are those of dynamo/_compiler.py: of v2.6.0 and v2.8.0, and of a later commit,
    which takes types from the graph and has no parameter for them.
    """

    def compile(
        program: Any,
        inputs: Any = None,
        *,
        disable_tf32: bool = False,
        enabled_precisions: Any = None,
        min_block_size: int = 5,
        use_explicit_typing: bool = False,
        **kwargs: Any,
    ) -> Any:
        built.append({"tf32": not disable_tf32, "precisions": enabled_precisions,
                      "explicit": use_explicit_typing, "inputs": tuple(inputs[0].shape)})  # fmt: skip
        assert min_block_size == 1 and not kwargs
        return program.module()

    def later(
        program: Any, inputs: Any = None, *, disable_tf32: bool = False, min_block_size: int = 5,
        **kwargs: Any,
    ) -> Any:  # fmt: skip
        assert not kwargs, kwargs
        return compile(program, inputs, disable_tf32=disable_tf32, min_block_size=min_block_size)

    module = types.ModuleType("torch_tensorrt")
    module.__version__ = version  # type: ignore[attr-defined]
    chosen = later if version == "2.12.0" else compile
    module.dynamo = types.SimpleNamespace(compile=chosen)  # type: ignore[attr-defined]
    return module


def an_engine_is_built_by_what_this_tensorrt_accepts() -> None:
    tensorrt.begin_on_gpu = begin
    built: list[dict[str, Any]] = []
    for version in ("2.6.0", "2.12.0"):
        sys.modules["torch_tensorrt"] = fake_tensorrt(built, version)
        job = a_job("tensorrt-float16")
        tensorrt.time_engine(job, "float16", torch.float16)
        names = [metric.name for metric in job.metrics]
        assert {"convert_s", "latency_s", "end_to_end_s", "accuracy"} <= set(names)
        assert job.proof is not None and job.proof.coverage is None
        assert "the profiler saw no kernel: CUPTI may be refused" in job.proof.source
    shape = (8, 3, 48, 48)
    assert built == [
        {"tf32": False, "precisions": None, "explicit": True, "inputs": shape},
        {"tf32": False, "precisions": None, "explicit": False, "inputs": shape},
    ]


def tensorrt_is_told_whether_float32_may_be_tf32() -> None:
    library = fake_tensorrt([], "2.8.0")
    assert tensorrt.options_of(library, torch.float32)["disable_tf32"] is True
    assert tensorrt.options_of(library, torch.float32, tf32=True)["disable_tf32"] is False
    assert tensorrt.options_of(library, torch.float16)["disable_tf32"] is True
    assert tensorrt.options_of(library, torch.int8)["disable_tf32"] is True


def explicit_typing_and_int8_go_together_from_2_8_on() -> None:
    for version, explicit in (("2.6.0a0", False), ("2.7.0", False), ("2.8.0a0+nv25.08", True)):
        options = tensorrt.options_of(fake_tensorrt([], version), torch.int8)
        assert ("use_explicit_typing" in options) is explicit, version
        assert ("enabled_precisions" in options) is not explicit, version
        assert tensorrt.options_of(fake_tensorrt([], version), torch.float16)["use_explicit_typing"]
    old = tensorrt.options_of(fake_tensorrt([], "2.6.0"), torch.int8)
    assert old["enabled_precisions"] == {torch.float32, torch.int8}
    assert set(tensorrt.options_of(fake_tensorrt([], "2.12.0"), torch.int8)) == {
        "min_block_size", "disable_tf32",
    }  # fmt: skip


def the_older_export_is_the_second_way() -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise RuntimeError("Attempting to use FunctionalTensor on its own. Instead, please use it")

    public, torch.export.export = torch.export.export, refuse
    try:
        program = tensorrt._export(torch.nn.Linear(4, 2), torch.zeros(1, 4))
    finally:
        torch.export.export = public
    assert program.module()(torch.zeros(1, 4)).shape == (1, 2)


def fake_modelopt(shown: list[int]) -> None:
    def quantize(model: Any, config: str, forward_loop: Any) -> Any:
        assert config == "int8" and shown == [0], "the extension is compiled before"
        handle = model.register_forward_hook(lambda m, inputs, out: shown.append(len(inputs[0])))
        forward_loop(model)
        handle.remove()
        return model

    base = "modelopt.torch.quantization"
    found = {name: types.ModuleType(name) for name in (base, f"{base}.utils", f"{base}.extensions")}
    library, utils, extensions = found.values()
    utils.export_torch_mode = torch.no_grad  # type: ignore[attr-defined]
    extensions.get_cuda_ext = lambda: shown.append(0)  # type: ignore[attr-defined]
    library.quantize, library.INT8_DEFAULT_CFG = quantize, "int8"  # type: ignore[attr-defined]
    sys.modules.update(found)


def int8_engines_are_calibrated_on_one_batch_of_training_images() -> None:
    tensorrt.begin_on_gpu = begin
    built: list[dict[str, Any]] = []
    sys.modules["torch_tensorrt"] = fake_tensorrt(built, "2.8.0")
    shown: list[int] = []
    fake_modelopt(shown)
    job = a_job("tensorrt-int8")
    tensorrt.time_int8_engine(job)
    assert shown == [0, 8] and len(built) == 1
    assert job.data.used["calibration"] == 8


def a_failure_of_the_builder_is_no_refusal() -> None:
    tensorrt.begin_on_gpu = begin
    library = fake_tensorrt([], "2.8.0")
    sys.modules["torch_tensorrt"] = library

    def failing(error: Exception) -> BaseException:
        def compile(program: Any, inputs: Any = None, **_: Any) -> Any:
            raise error

        library.dynamo.compile = compile
        try:
            tensorrt.time_engine(a_job("tensorrt-float32"), "float32", torch.float32)
        except Exception as raised:
            return raised
        raise AssertionError("it passed")

    for status, text in (
        ("crashed", "CUDA error: an illegal memory access was encountered"),
        ("crashed", "CUDA error: CUBLAS_STATUS_NOT_SUPPORTED when calling `cublasLtMatmul`"),
        ("oom", "[virtualMemoryBuffer.cpp] Error Code 2: OutOfMemory (no further information)"),
        ("unsupported", "Conversion of function aten.frob not currently supported!"),
    ):
        assert classify(failing(RuntimeError(text))).status == status, text
    assert classify(failing(KeyError("0"))).status == "crashed"


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
    ready = graphs.graphed_session(job, model, CPU)
    images = job.data.normalise(job.data.timed(8))
    answer = ready.call(ready.place(images))
    assert FakeGraph.replayed == 1 and answer.shape == (8, 10) and ready.fixed_batch
    assert job.last_phase_s("capture") > 0


def a_graphs_memory_is_watched_from_its_capture_on() -> None:
    """Its replays ask the allocator for nothing; the capture's peak must not be reset."""
    seen: list[str] = []
    job = a_job("cuda-graph")
    names = ("reset_peak_memory_stats", "max_memory_allocated", "max_memory_reserved")
    for name in names:
        setattr(torch.cuda, name, lambda name=name: seen.append(name) or 7)
    graphs.graphed_session = lambda *_: seen.append("capture")
    graphs.time_session = lambda *_, **options: seen.append(options["watching"].__name__)
    graphs.time_graph(job, torch.nn.Identity(), torch.device("cuda"), "float32")
    assert seen == [names[0], "capture", "watching_driver", *names[1:]]


def cupti_is_kept_for_graphs_before_cuda_12_6() -> None:
    for version, kept in (("11.8", "0"), ("12.1", "0"), ("12.6", None), ("13.0", None),
                          (None, None)):  # fmt: skip
        os.environ.pop("TEARDOWN_CUPTI", None)
        graphs.keep_cupti(version)
        assert os.environ.get("TEARDOWN_CUPTI") == kept, version


def weight_casts(model: Any, inputs: torch.Tensor) -> int:
    """Tensors that one call casts to another type."""
    with torch.inference_mode(), torch.profiler.profile() as profiler:
        model(inputs)
    return sum(event.count for event in profiler.key_averages() if event.key == "aten::_to_copy")


def low_precision_casts_no_weight_again() -> None:
    job = a_job("cuda-graph-float16")
    inputs = torch.zeros(2, 3, 48, 48)
    again = compiled.Autocast(trained_model(job), CPU, torch.bfloat16).eval()
    once = low_precision.InLowPrecision(trained_model(job), torch.bfloat16).eval()
    assert weight_casts(again, inputs) > 20
    assert weight_casts(once, inputs) <= 3
    norms = [m for m in once.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert norms and all(norm.weight.dtype == torch.float32 for norm in norms)
    convolutions = [m for m in once.modules() if isinstance(m, torch.nn.Conv2d)]
    assert all(one.weight.dtype == torch.bfloat16 for one in convolutions)
    close = torch.allclose(once(inputs), again(inputs), atol=0.2)
    assert close and once(inputs).dtype == torch.float32


def int8_is_compiled_with_its_baselines_settings() -> None:
    import torch._inductor.config as inductor
    from torchao import quantization

    names = ("coordinate_descent_tuning", "coordinate_descent_check_all_directions",
             "force_fuse_int_mm_with_mul")  # fmt: skip
    before = [getattr(inductor, name) for name in names]
    products = torch.nn.Sequential(torch.nn.Linear(32, 32))
    config = quantization.Int8DynamicActivationInt8WeightConfig
    quantization.quantize_(products, torchao_linear.configured(config, CPU))
    assert [getattr(inductor, name) for name in names] == before
    quantization.quantize_(torch.nn.Sequential(torch.nn.Linear(32, 32)), config())
    assert [getattr(inductor, name) for name in names] != before, "torchao's own way sets them"


def without_vnni_the_range_is_reduced() -> None:
    import torchao.utils

    known = torchao.utils.should_reduce_range
    try:
        for reduced in (True, False):
            torchao.utils.should_reduce_range = lambda device, reduced=reduced: reduced
            job = a_job("ptq-pt2e")
            model = exported.observed(job, torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3)))
            highest = {m.quant_max for m in model.modules() if hasattr(m, "quant_max")}
            assert (127 in highest and 255 not in highest) is reduced, highest
            assert job.settings == {"reduce_range": str(reduced)}
    finally:
        torchao.utils.should_reduce_range = known


def rigorous_lets_cudnn_try_and_says_so() -> None:
    steps.device_of = lambda job: torch.device("cuda")
    rigorous, published = a_job("float32"), a_job("float32")
    published.cell = msgspec.structs.replace(published.cell, protocol="as-published")
    for job, tried in ((rigorous, "True"), (published, "False")):
        steps.begin(job)
        assert job.settings["torch.backends.cudnn.benchmark"] == tried
        assert job.settings["torch.backends.cuda.matmul.allow_tf32"] == "False"
    steps.begin(rigorous, tf32=True)
    assert rigorous.settings["torch.backends.cudnn.allow_tf32"] == "True"
    steps.begin(published)


def processors_techniques_are_refused_on_a_gpu() -> None:
    from runners.pytorch import dynamic, ptq_eager, qat_eager

    for run in (dynamic.quantize, dynamic.infer, ptq_eager.quantize, ptq_eager.infer,
                qat_eager.train, qat_eager.infer):  # fmt: skip
        job = a_job("float32")
        job.cell = msgspec.structs.replace(job.cell, device="gpu")
        try:
            run(job)
        except Unsupported as refusal:
            assert "for processors only" in str(refusal)
        else:
            raise AssertionError(run)


def kernels_are_in_the_breakdown_once() -> None:
    """As torch's own averages list them: an operator with its kernel's time, and the kernel."""
    from torch.autograd import DeviceType
    from torch.autograd.profiler_util import EventList, FunctionEvent

    def event(name: str, device: Any, **more: Any) -> Any:
        return FunctionEvent(1, name, 1, 0.0, 100.0, device_type=device, **more)

    operator = event("aten::cudnn_convolution", DeviceType.CPU)
    operator.append_kernel("sm90_xmma_fprop", 0, 100)
    listed = [operator, event("sm90_xmma_fprop", DeviceType.CUDA),
              event("ProfilerStep#1", DeviceType.CUDA, is_user_annotation=True)]  # fmt: skip
    rows = [proof._row(row) for row in EventList(listed, use_device="cuda").key_averages()]
    assert kernels.device_times(rows) == ("operators", [("aten::cudnn_convolution", 100)])


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
        tensorrt_is_told_whether_float32_may_be_tf32,
        explicit_typing_and_int8_go_together_from_2_8_on,
        the_older_export_is_the_second_way,
        a_failure_of_the_builder_is_no_refusal,
        cupti_is_kept_for_graphs_before_cuda_12_6,
        low_precision_casts_no_weight_again,
        int8_is_compiled_with_its_baselines_settings,
        without_vnni_the_range_is_reduced,
        processors_techniques_are_refused_on_a_gpu,
        kernels_are_in_the_breakdown_once,
        a_graphs_memory_is_watched_from_its_capture_on,
        rigorous_lets_cudnn_try_and_says_so,
    ):
        twin()
        print(f"passed: {twin.__name__}")


if __name__ == "__main__":
    main()
