"""What an exception means for a cell: out of memory, unsupported, cut off, or a crash."""

from __future__ import annotations

import errno
import re
from typing import NamedTuple, Optional

from manifests.manifest import Status


class Unsupported(Exception):
    """This cell can't run here, and running it again here won't help."""


class DamagedInput(Exception):
    """What this cell starts from is not what was recorded; it can run once that is put right."""


class Stopped(BaseException):
    """The orchestrator asked for an end; carries the status that it wants recorded."""

    def __init__(self, status: Status, reason: str) -> None:
        super().__init__(reason)
        self.status: Status = status
        self.reason = reason


class Verdict(NamedTuple):
    """What goes into the manifest."""

    status: Status
    reason: str
    transient: bool


_OOM_TEXTS = (
    "oom when allocating", "can't allocate memory", "out of memory", "cudnn_status_alloc_failed",
    "cublas_status_alloc_failed",
)  # fmt: skip
_OOM_TYPES = frozenset(["OutOfMemoryError", "MemoryError"])
_TELLING_TYPES = frozenset(["RuntimeError", "ResourceExhaustedError", "InternalError"])


def classify(error: BaseException) -> Verdict:
    """Judge an exception by its type and text; frameworks need not be imported."""
    if isinstance(error, Stopped):
        return Verdict(error.status, error.reason, error.status == "cancelled")
    if isinstance(error, Unsupported):
        return Verdict("unsupported", str(error), False)
    if isinstance(error, DamagedInput):
        return Verdict("unsupported", str(error), True)
    if is_out_of_memory(error):
        return Verdict("oom", f"out of {memory_of(error)}: {_telling_line(error)}", False)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Verdict("crashed", f"no space left to write to: {first_line(error)}", True)
    return Verdict("crashed", f"{type(error).__name__}: {first_line(error)}", False)


def is_out_of_memory(error: BaseException) -> bool:
    """True for MemoryError, the frameworks' own out-of-memory errors, and allocator texts."""
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    names = {kind.__name__ for kind in type(error).__mro__}
    if names & _OOM_TYPES:
        return True
    text = str(error).lower()
    return bool(names & _TELLING_TYPES) and any(part in text for part in _OOM_TEXTS)


def memory_of(error: BaseException) -> str:
    """Whose memory ran out, by the allocator that TensorFlow names."""
    allocator = re.search(r"by allocator (\S+)", str(error))
    if allocator is None:
        return "memory"
    return "GPU memory" if allocator[1].startswith("GPU") else "host memory"


def _telling_line(error: BaseException) -> str:
    """TensorFlow's graphs tell of the operation first, and of the memory further down."""
    lines = (line.strip() for line in str(error).splitlines())
    return next((line[:300] for line in lines if "OOM when" in line), "") or first_line(error)


def for_lack_of_memory(verdict: Verdict, before: Optional[int], after: Optional[int]) -> Verdict:
    """A crash is ``oom`` when the kernel killed one of the cell's processes meanwhile.

    ``before`` and ``after`` are the kills that the control group had counted.
    """
    if verdict.status != "crashed" or before is None or after is None or after <= before:
        return verdict
    return Verdict(
        "oom", f"the kernel killed a process at the memory limit; {verdict.reason}", False
    )


def printable(text: str) -> str:
    """``text`` as JSON can hold it: bytes of names that are no UTF-8 are spelled out."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def first_line(error: BaseException) -> str:
    """The first line of an error's text that says something, at most 300 characters."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else repr(error))[:300]
