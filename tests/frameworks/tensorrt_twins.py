"""Torch-TensorRT and ModelOpt, played; see tests/frameworks/gpu_twins.py."""

import sys
import types
from typing import Any

import torch

from runners.failures import Unsupported, classify
from runners.pytorch.parts import tensorrt
from runners.pytorch.parts.steps import begin
from tests.frameworks.twin_jobs import a_job


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
                      "explicit": use_explicit_typing,
                      "inputs": tuple(inputs[0].shape)})  # fmt: skip
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
    export, tensorrt._export = tensorrt._export, lambda model, inputs: model

    def failing(error: Exception) -> BaseException:
        def compile(program: Any, inputs: Any = None, **_: Any) -> Any:
            raise error

        library.dynamo.compile = compile
        try:
            tensorrt.time_engine(a_job("tensorrt-float32"), "float32", torch.float32)
        except Exception as raised:  # noqa: BLE001
            return raised
        raise AssertionError("it passed")

    for status, text in (
        ("crashed", "CUDA error: an illegal memory access was encountered"),
        ("crashed", "CUDA error: CUBLAS_STATUS_NOT_SUPPORTED when calling `cublasLtMatmul`"),
        ("crashed", "CUDA error: operation not supported on global/shared address space"),
        ("oom", "[virtualMemoryBuffer.cpp] Error Code 2: OutOfMemory (no further information)"),
        ("unsupported", "Conversion of function aten.frob not currently supported!"),
    ):
        assert classify(failing(RuntimeError(text))).status == status, text
    assert classify(failing(KeyError("0"))).status == "crashed"
    tensorrt._export = export


def without_tensorrt_the_imports_own_words_are_the_reason() -> None:
    tensorrt.begin_on_gpu = begin
    sys.modules["torch_tensorrt"] = None  # type: ignore[assignment]
    try:
        tensorrt.time_engine(a_job("tensorrt-float32"), "float32", torch.float32)
    except Unsupported as refusal:
        assert "torch_tensorrt: " in str(refusal) and "Error: " in str(refusal)
    else:
        raise AssertionError("it was not refused")


TWINS = (
    an_engine_is_built_by_what_this_tensorrt_accepts,
    tensorrt_is_told_whether_float32_may_be_tf32,
    explicit_typing_and_int8_go_together_from_2_8_on,
    the_older_export_is_the_second_way,
    int8_engines_are_calibrated_on_one_batch_of_training_images,
    a_failure_of_the_builder_is_no_refusal,
    without_tensorrt_the_imports_own_words_are_the_reason,
)
