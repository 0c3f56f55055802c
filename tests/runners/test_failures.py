"""What an exception makes of its cell."""

from __future__ import annotations

import errno

import numpy as np
import pytest

from runners.failures import Stopped, Unsupported, Verdict, classify, first_line, printable


class OutOfMemoryError(RuntimeError):
    """Named as the one of torch."""


class ResourceExhaustedError(Exception):
    """Named as the one of TensorFlow."""


class AcceleratorError(RuntimeError):
    """Named as the one that newer versions of torch raise for CUDA."""


class XlaRuntimeError(RuntimeError):
    """Named as the one of XLA."""


CPU_ALLOCATOR = (
    "[enforce fail at alloc_cpu.cpp:114] data. DefaultCPUAllocator: can't allocate memory: "
    "you tried to allocate 4000000000000 bytes."
)
TENSORFLOW = "OOM when allocating tensor with shape[128,512] and type float on /job:localhost"
NO_SPACE = OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (MemoryError(), ("oom", "out of memory: MemoryError()", False)),
        (MemoryError("a lot"), ("oom", "out of memory: a lot", False)),
        (OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
         ("oom", "out of memory: CUDA out of memory. Tried to allocate 2.00 GiB", False)),
        (RuntimeError(CPU_ALLOCATOR), ("oom", f"out of memory: {CPU_ALLOCATOR}", False)),
        (ResourceExhaustedError(TENSORFLOW), ("oom", f"out of memory: {TENSORFLOW}", False)),
        (AcceleratorError("CUDA error: out of memory"),
         ("oom", "out of memory: CUDA error: out of memory", False)),
        (XlaRuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 9 bytes."),
         ("oom", "out of memory: RESOURCE_EXHAUSTED: Out of memory while trying to allocate "
                 "9 bytes.", False)),
        (OSError(errno.ENOMEM, "Cannot allocate memory"),
         ("oom", "out of memory: [Errno 12] Cannot allocate memory", False)),
        (NO_SPACE,
         ("crashed", "no space left to write to: [Errno 28] No space left on device", True)),
        (OSError(errno.EDQUOT, "Disk quota exceeded"),
         ("crashed", f"no space left to write to: [Errno {errno.EDQUOT}] Disk quota exceeded",
          True)),
        (FileNotFoundError(2, "No such file or directory", "weights.npz"),
         ("crashed", "FileNotFoundError: [Errno 2] No such file or directory: 'weights.npz'",
          False)),
        (Stopped("timeout", "not finished within its 60 s"),
         ("timeout", "not finished within its 60 s", False)),
        (Stopped("cancelled", "interrupted"), ("cancelled", "interrupted", True)),
        (Unsupported("no int8 here"), ("unsupported", "no int8 here", False)),
        (Unsupported("out of memory is only a word"),
         ("unsupported", "out of memory is only a word", False)),
        (KeyboardInterrupt(), ("crashed", "KeyboardInterrupt: KeyboardInterrupt()", False)),
        (SystemExit(3), ("crashed", "SystemExit: 3", False)),
        (ValueError("out of memory is only a word"),
         ("crashed", "ValueError: out of memory is only a word", False)),
        (RuntimeError("shape mismatch"), ("crashed", "RuntimeError: shape mismatch", False)),
        (ResourceExhaustedError("too many files"),
         ("crashed", "ResourceExhaustedError: too many files", False)),
        (ResourceExhaustedError("weights.npz; No space left on device"),
         ("crashed", "no space left to write to: weights.npz; No space left on device", True)),
        (ModuleNotFoundError("No module named 'torch'"),
         ("crashed", "ModuleNotFoundError: No module named 'torch'", False)),
        (FloatingPointError("the loss became nan at step 3 of 9"),
         ("crashed", "FloatingPointError: the loss became nan at step 3 of 9", False)),
    ],
)  # fmt: skip
def test_an_exception_becomes_a_status(
    error: BaseException, verdict: tuple[str, str, bool]
) -> None:
    assert classify(error) == verdict


def test_numpy_out_of_memory_is_out_of_memory() -> None:
    with pytest.raises(MemoryError) as caught:
        np.empty((2**62,), np.uint8)
    assert classify(caught.value).status == "oom"


def test_stopped_passes_by_handlers_of_ordinary_errors() -> None:
    assert not issubclass(Stopped, Exception)
    assert classify(Stopped("timeout", "late")) == Verdict("timeout", "late", False)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("one\ntwo", "one"),
        ("\n\n  \n two \nthree", "two"),
        ("", "ValueError('')"),
        ("x" * 400, "x" * 300),
    ],
)
def test_the_first_line_that_says_something_is_kept(text: str, line: str) -> None:
    assert first_line(ValueError(text)) == line


def test_what_is_no_unicode_is_spelled_out() -> None:
    assert printable("weights-\udcff-ü.npz") == r"weights-\udcff-ü.npz"


GRAPH = """Graph execution error:

Detected at node 'model/block1_conv1/Conv2D' defined at (most recent call last):
OOM when allocating tensor with shape[256,64,128,128] and type float on \
/job:localhost/replica:0/task:0/device:{device}:0 by allocator {allocator}
\t [[{{node model/block1_conv1/Conv2D}}]]
"""


@pytest.mark.parametrize(
    ("device", "allocator", "memory"),
    [("GPU", "GPU_0_bfc", "GPU memory"), ("CPU", "cpu", "host memory"),
     ("CPU", "mklcpu", "host memory")],
)  # fmt: skip
def test_tensorflows_allocator_tells_whose_memory_ran_out(
    device: str, allocator: str, memory: str
) -> None:
    verdict = classify(ResourceExhaustedError(GRAPH.format(device=device, allocator=allocator)))
    assert verdict.status == "oom"
    assert verdict.reason.startswith(f"out of {memory}: OOM when allocating tensor with shape[256")


def test_an_error_that_was_raised_from_itself_is_judged_all_the_same() -> None:
    """``raise error from error``, as TensorFlow does while it passes one on."""
    error = RuntimeError("the engine could not be built")
    error.__cause__ = error
    first, second = RuntimeError("first"), RuntimeError("second")
    first.__cause__, second.__cause__ = second, first
    assert classify(error).status == classify(first).status == "crashed"
    second.args = ("CUDA error: out of memory",)
    assert classify(first).status == "oom"
