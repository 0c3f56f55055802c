"""What NVIDIA's PyTorch containers have to be able to do; their verify files name these checks.

They run without a GPU too, as an image is built on machines that have none.
"""

from __future__ import annotations


def torch_is_built_for_cuda() -> str:
    import torch

    assert torch.version.cuda, "a CPU build"
    return f"torch {torch.__version__}, CUDA {torch.version.cuda}"


def torch_tensorrt_can_be_imported() -> str:
    import torch_tensorrt

    return f"torch_tensorrt {torch_tensorrt.__version__}"


def int8_models_for_tensorrt_can_be_made() -> str:
    import modelopt
    import modelopt.torch.quantization

    assert hasattr(modelopt.torch.quantization, "INT8_DEFAULT_CFG")
    return f"modelopt {modelopt.__version__}"


def torchao_is_there_or_not() -> str:
    """Two rungs of one ladder need it, and they say so themselves."""
    try:
        import torchao
        import torchao.quantization

        assert hasattr(torchao.quantization, "quantize_")
    except ImportError as error:
        return f"no torchao ({error}): int8-torchao and float8-torchao will be unsupported"
    return f"torchao {torchao.__version__}"
