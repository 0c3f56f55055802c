"""What a GPU's paths do, with the GPU's own calls played; run inside the PyTorch environment.

``python -m tests.frameworks.gpu_twins DATA WEIGHTS FOLDER`` prints a line for each that passed.
"""

import contextlib
from typing import Any

import msgspec
import torch

from runners.failures import Unsupported, classify
from runners.pytorch.parts import kernels, memory, proof, sessions, steps, training
from runners.pytorch.parts.models import trained_model
from runners.training import AdamRecipe
from tests.frameworks import rung_twins, tensorrt_twins
from tests.frameworks.twin_jobs import CPU, a_job


def float16_training_scales_its_loss() -> None:
    """GradScaler skips steps until its scale fits; the weights stay finite and move in the end."""
    recipe = AdamRecipe(optimizer="adam", epochs=1, train_images=0, test_images=0,
                        learning_rate=1e-3)  # fmt: skip
    job = a_job("amp-float16")
    batch = job.data.train(8, 0)
    model = trained_model(job).train()
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
        with memory.watching_allocator(job, torch.device("cuda")):
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
    except torch.OutOfMemoryError as error:
        assert classify(error).status == "oom"
    found = {(m.label, m.source): m.samples for m in job.metrics if m.name == "peak_memory_bytes"}
    assert found["allocator", "torch.cuda.max_memory_allocated"] == [79_000_000_000]
    assert found["reserved", "torch.cuda.max_memory_reserved"] == [80_000_000_000]


def memory_of_the_warm_up_has_labels_of_its_own() -> None:
    """cuDNN's trials take more than the model; what runs out there is the peak all the same."""
    peak = {"bytes": 0}
    torch.cuda.reset_peak_memory_stats = lambda: peak.update(bytes=5)
    torch.cuda.max_memory_allocated = torch.cuda.max_memory_reserved = lambda: peak["bytes"]
    found = []
    for runs_out in (False, True):
        job = a_job("float32")
        expected = contextlib.suppress(torch.OutOfMemoryError)
        with expected, memory.watching_allocator(job, torch.device("cuda")):
            with job.phase("warm-up"):
                peak["bytes"] = 900
                if runs_out:
                    raise torch.OutOfMemoryError("CUDA out of memory.")
            with job.phase("measure"):
                peak["bytes"] = 70
            with job.phase("warm-up"):  # of the end-to-end time: nothing is tried any more
                peak["bytes"] = max(peak["bytes"], 60)
        found.append({m.label: m.samples for m in job.metrics})
    assert found == [
        {"allocator warm-up": [900], "reserved warm-up": [900], "allocator": [70],
         "reserved": [70]},
        {"allocator": [900], "reserved": [900]},
    ]  # fmt: skip


def a_kernel_without_a_type_has_that_of_the_weights() -> None:
    def network(*kinds: torch.dtype) -> torch.nn.Module:
        layers = [torch.nn.Conv2d(1, 1, 1, dtype=kind) for kind in kinds]
        return torch.nn.Sequential(*layers, torch.nn.BatchNorm2d(1))

    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    assert proof.operand_type(network(torch.float32)) == "float32"
    assert proof.operand_type(network(torch.float16)) == "float16"
    assert proof.operand_type(network(torch.float16, torch.float32)) == kernels.UNKNOWN
    torch.backends.cudnn.allow_tf32 = True
    assert proof.operand_type(network(torch.float32)) == kernels.UNKNOWN
    assert proof.operand_type(network(torch.float16)) == "float16"
    torch.backends.cudnn.allow_tf32 = False


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
        return FunctionEvent(1, name, 1, 0.0, 100.0, device_type=device,
                             use_device="cuda", stack=[], **more)  # fmt: skip

    operator = event("aten::cudnn_convolution", DeviceType.CPU)
    operator.append_kernel("sm90_xmma_fprop", 0, 100)
    listed = [operator, event("sm90_xmma_fprop", DeviceType.CUDA),
              event("ProfilerStep#1", DeviceType.CUDA, is_user_annotation=True)]  # fmt: skip
    events = EventList(listed, use_device="cuda")
    events._build_tree()
    rows = [proof._row(row) for row in events.key_averages()]
    assert kernels.device_times(rows) == ("operators", [("aten::cudnn_convolution", 100)])
    job = a_job("float32")
    proof._record_split(job, rows, 2)
    found = {m.label: m.samples for m in job.metrics if m.name == "device_time_s"}
    assert found == {"gpu": [50e-6], "cpu": [50e-6]}


TWINS = (
    float16_training_scales_its_loss,
    events_time_a_call_in_seconds,
    a_gpu_session_is_timed_by_events,
    memory_is_recorded_when_it_runs_out,
    memory_of_the_warm_up_has_labels_of_its_own,
    a_kernel_without_a_type_has_that_of_the_weights,
    rigorous_lets_cudnn_try_and_says_so,
    processors_techniques_are_refused_on_a_gpu,
    kernels_are_in_the_breakdown_once,
)


def main() -> None:
    # The last ones leave torch.cuda as they played it.
    for twin in (*tensorrt_twins.TWINS, *rung_twins.TWINS, *TWINS):
        twin()
        print(f"passed: {twin.__name__}")


if __name__ == "__main__":
    main()
