"""CUDA graphs, low precision and torchao, without a GPU; see tests/frameworks/gpu_twins.py."""

import contextlib
import os
from typing import Any

import torch

from runners.failures import Unsupported
from runners.pytorch.parts import compiled, exported, graphs, low_precision, torchao_linear
from runners.pytorch.parts.models import trained_model
from tests.frameworks.twin_jobs import CPU, a_job


def float8_is_refused_in_torchaos_words() -> None:
    try:
        torchao_linear.quantized_session(
            a_job("float8-torchao"), CPU, "Float8DynamicActivationFloat8WeightConfig"
        )
    except Unsupported as refusal:
        assert str(refusal).startswith("torchao: AssertionError: "), refusal
    else:
        raise AssertionError("a processor took float8")


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
    assert [phase.name for phase in job.phases] == ["warm-up", "capture"]


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
    assert seen == [names[0], "capture", "_unwatched", *names[1:]]


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


TWINS = (
    float8_is_refused_in_torchaos_words,
    a_graph_is_replayed_once_a_call,
    a_graphs_memory_is_watched_from_its_capture_on,
    cupti_is_kept_for_graphs_before_cuda_12_6,
    low_precision_casts_no_weight_again,
    int8_is_compiled_with_its_baselines_settings,
    without_vnni_the_range_is_reduced,
)
