"""Proves that this environment can do what the studies need: each function is a check."""

import tempfile
from pathlib import Path


def _a_binary_layer():
    import torch
    from brevitas.nn import QuantIdentity, QuantLinear
    from brevitas.quant.binary import (
        SignedBinaryActPerTensorConst,
        SignedBinaryWeightPerTensorConst,
    )

    torch.manual_seed(0)
    return torch.nn.Sequential(
        QuantIdentity(act_quant=SignedBinaryActPerTensorConst, min_val=-1.0, max_val=1.0),
        QuantLinear(
            8, 4, bias=False, weight_quant=SignedBinaryWeightPerTensorConst,
            weight_scaling_const=1.0,
        ),
    )  # fmt: skip


def a_binary_layer_trains() -> str:
    import brevitas
    import torch

    model = _a_binary_layer()
    found = model(torch.randn(3, 8))
    assert bool((found == found.round()).all()) and float(found.abs().max()) <= 8
    found.sum().backward()
    assert model[1].weight.grad is not None
    return f"brevitas {brevitas.__version__}, torch {torch.__version__}"


def its_qonnx_file_is_executed_bit_by_bit() -> str:
    import numpy as np
    import torch
    from brevitas.export import export_qonnx
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx
    from qonnx.util.cleanup import cleanup_model

    model, inputs = _a_binary_layer().eval(), torch.randn(3, 8)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "model.onnx")
        export_qonnx(model, args=torch.zeros(3, 8), export_path=path, dynamo=False)
        exported = cleanup_model(ModelWrapper(path))
    entry = exported.graph.input[0].name
    (found,) = execute_onnx(exported, {entry: inputs.numpy()}).values()
    assert np.array_equal(found, model(inputs).detach().numpy())
    kinds = {node.op_type for node in exported.graph.node}
    assert "BipolarQuant" in kinds, kinds
    return "qonnx executes what Brevitas exports, with equal numbers"
