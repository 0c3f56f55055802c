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


def main() -> int:
    for check in (torch_is_built_for_cuda, torch_tensorrt_can_be_imported):
        try:
            print(f"ok: {check()}")
        except Exception as error:
            print(f"failed: {check.__name__}: {type(error).__name__}: {error}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
