"""Proves that this environment can do what the studies need; prints one line a check.

Runs without a GPU too, as an image is built on machines that have none.
"""

import sys


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


def the_driver_can_be_asked() -> str:
    import pynvml

    assert hasattr(pynvml, "nvmlInit")
    return "nvidia-ml-py"


def torchao_is_there_or_not() -> str:
    """Two rungs of one ladder need it, and they say so themselves."""
    try:
        import torchao
        import torchao.quantization

        assert hasattr(torchao.quantization, "quantize_")
    except ImportError as error:
        return f"no torchao ({error}): int8-torchao and float8-torchao will be unsupported"
    return f"torchao {torchao.__version__}"


def main() -> int:
    checks = (
        torch_is_built_for_cuda,
        torch_tensorrt_can_be_imported,
        int8_models_for_tensorrt_can_be_made,
        the_driver_can_be_asked,
        torchao_is_there_or_not,
    )
    for check in checks:
        try:
            print(f"ok: {check()}")
        except Exception as error:
            print(f"failed: {check.__name__}: {type(error).__name__}: {error}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
