"""Proves that this environment can do what the studies need: each function is a check."""

from runners.pytorch.parts.container_checks import (  # noqa: F401
    int8_models_for_tensorrt_can_be_made,
    torch_is_built_for_cuda,
    torch_tensorrt_can_be_imported,
    torchao_is_there_or_not,
)
from runners.verify import the_driver_can_be_asked  # noqa: F401
