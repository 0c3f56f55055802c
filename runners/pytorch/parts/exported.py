"""Quantization of exported graphs through torchao (PT2E), for Inductor's x86 int8 kernels."""

from __future__ import annotations

from typing import Any, Tuple

import torch
from torch import nn

from runners.failures import Unsupported, first_line
from runners.job import Job
from runners.pytorch.parts.torchao_linear import reduced_range

MODEL_FILE = "model.pt2"
_EXAMPLE_IMAGES = 2


def observed(job: Job, model: nn.Module) -> nn.Module:
    """``model`` exported for any batch, with observers that wait for calibration.

    In the reduced range where the processor's 8-bit products would saturate: otherwise accuracy
    would differ by machine.
    Raises Unsupported when torchao is missing or too old.
    """
    prepare, _, quantizer_module = _torchao()
    quantizer = quantizer_module.X86InductorQuantizer()
    reduced = reduced_range(torch.device("cpu"))
    job.settings["reduce_range"] = str(reduced)
    config = quantizer_module.get_default_x86_inductor_quantization_config
    quantizer.set_global(config(reduce_range=reduced) if reduced else config())
    observing: nn.Module = prepare(program(job, model).module(), quantizer)
    return observing


def converted(model: nn.Module) -> nn.Module:
    """The calibrated model with int8 weights, without the float32 ones that they replace."""
    _, convert, _ = _torchao()
    quantized: nn.Module = convert(model)
    _forget_unused(quantized)
    return quantized


def save(job: Job, model: nn.Module) -> None:
    """Save the exported int8 program; records it as an artifact and ``model_size_bytes``."""
    with job.phase("save"), torch.no_grad():
        torch.export.save(program(job, model), job.folder / MODEL_FILE)
    job.artifact(MODEL_FILE, "torch exported program")
    size = job.artifacts[-1].size_bytes
    job.record("model_size_bytes", [size], source="exported program on disk")


def load(job: Job) -> nn.Module:
    """The int8 model that the parent cell saved."""
    _torchao()  # registers the operators that the program is made of
    module: nn.Module = torch.export.load(job.weights.file(MODEL_FILE)).module()
    return module


def program(job: Job, model: nn.Module) -> Any:
    """``model`` as torch exports it, for any batch."""
    size = job.cell.image_size
    example = torch.zeros(_EXAMPLE_IMAGES, 3, size, size)
    batch = torch.export.Dim("batch", min=1, max=65536)
    with torch.no_grad():
        return torch.export.export(model, (example,), dynamic_shapes=({0: batch},))


def _forget_unused(model: nn.Module) -> None:
    graph: Any = model
    used = {node.target for node in graph.graph.nodes if node.op in ("get_attr", "call_module")}
    for name, _ in [*model.named_parameters(), *model.named_buffers()]:
        if name not in used:
            owner, _, attribute = name.rpartition(".")
            delattr(model.get_submodule(owner), attribute)


def _torchao() -> Tuple[Any, Any, Any]:
    try:
        from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e
        from torchao.quantization.pt2e.quantizer import x86_inductor_quantizer
    except ImportError as error:
        raise Unsupported(f"PT2E quantization needs torchao: {first_line(error)}") from error
    return prepare_pt2e, convert_pt2e, x86_inductor_quantizer
