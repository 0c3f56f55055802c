"""Proves that this environment can do what the studies need: each function is a check."""

from runners.pytorch.parts.container_checks import (  # noqa: F401
    int8_models_for_tensorrt_can_be_made,
    torch_is_built_for_cuda,
    torchao_is_there_or_not,
)
from runners.verify import the_driver_can_be_asked  # noqa: F401


def torch_tensorrt_is_2_8_or_newer() -> str:
    import torch_tensorrt

    version = tuple(int(part) for part in torch_tensorrt.__version__.split(".")[:2])
    assert version >= (2, 8), torch_tensorrt.__version__
    return f"torch_tensorrt {torch_tensorrt.__version__}"
