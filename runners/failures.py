"""What an exception means for a cell: out of memory, unsupported, cut off, or a crash."""

from __future__ import annotations

import errno
import re
from functools import lru_cache
from typing import Callable, List, NamedTuple, Optional, Set

from manifests.framework import OutOfMemory
from manifests.manifest import Status
from manifests.runner_files import readable_frameworks


class Unsupported(Exception):
    """This cell can't run here, and running it again here won't help."""


class NotNow(Unsupported):
    """This cell can't run here as things are; it can once they have changed."""


class NothingQuantized(Unsupported):
    """What was made computes nothing in the type that its technique promises."""


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


# What allocators and the libraries that frameworks share say when memory runs out: C++, CUDA, cuDNN
# and cuBLAS (under their old and new names), TensorRT. A framework's own words are in its
# framework.toml.
_OOM_TEXTS = (
    "out of memory", "alloc_failed", "allocation_failed", "error_out_of_memory",
    "cudaerrormemoryallocation", "std::bad_alloc", "error code 2: outofmemory",
    "requested amount of gpu memory",
)  # fmt: skip
# The same words about something else: files, messages, and what one kernel may have of a core.
_OTHER_RESOURCES = (
    "no space left", "disk quota", "too many open files", "too many files", "larger than max",
    "out of resource", "shared memory", "too many resources", "thread constructor failed",
)  # fmt: skip
# A library that found no room for its workspace, or one that is broken: the memory left tells. The
# last two are Python's and the loader's, where a framework imports a part of itself late.
_UNCLEAR_TEXTS = (
    "status_not_initialized", "returned null without setting an exception",
    "failed to map segment from shared object",
)  # fmt: skip
_UNCLEAR_TYPES = ("SystemError", "ImportError", "OSError")
_FREE_LIMIT = 0.05


@lru_cache(maxsize=1)
def memory_words() -> OutOfMemory:
    """Those of all frameworks and of what they share: one cell may use several frameworks."""
    known = [each.out_of_memory for each in readable_frameworks().values()]
    return OutOfMemory(
        types=["MemoryError", *(name for words in known for name in words.types)],
        resource_types=[name for words in known for name in words.resource_types],
        error_types=["RuntimeError", *(name for words in known for name in words.error_types)],
        texts=[*_OOM_TEXTS, *(text for words in known for text in words.texts)],
        unclear_texts=[*_UNCLEAR_TEXTS, *(t for words in known for t in words.unclear_texts)],
    )


FreeShare = Callable[[], Optional[float]]
"""The share of the memory a cell is given that is free, 0 ... 1; None where it can't be read."""


def _unread() -> Optional[float]:
    return None


def classify(
    error: BaseException, free_share: FreeShare = _unread, given: str = "GPU memory"
) -> Verdict:
    """Judge an exception by its type and text; frameworks need not be imported.

    ``free_share`` is asked only where a text leaves open whether memory ran out; ``given`` is
    which memory it is of.
    """
    if isinstance(error, Stopped):
        return Verdict(error.status, error.reason, error.status == "cancelled")
    if isinstance(error, Unsupported):
        return Verdict("unsupported", str(error), isinstance(error, NotNow))
    if isinstance(error, DamagedInput):
        return Verdict("unsupported", str(error), True)
    if is_out_of_memory(error):
        return Verdict("oom", f"out of {memory_of(error)}: {_telling_line(error)}", False)
    if _is_no_space(error):
        return Verdict("crashed", f"no space left to write to: {first_line(error)}", True)
    free = free_share() if may_be_out_of_memory(error) else None
    if free is not None and free < _FREE_LIMIT:
        reason = f"out of {given}, of which {free:.1%} is free: {first_line(error)}"
        return Verdict("oom", reason, False)
    return Verdict("crashed", f"{type(error).__name__}: {first_line(error)}", False)


def is_out_of_memory(error: BaseException) -> bool:
    """True for MemoryError, the frameworks' own out-of-memory errors, and allocator texts.

    What an error was raised from counts as well.
    """
    return any(_says_out_of_memory(each) for each in _causes(error))


def _causes(error: BaseException) -> List[BaseException]:
    """The error and what it was raised from; a chain may lead back to its beginning."""
    found = [error]
    while found[-1].__cause__ is not None and found[-1].__cause__ not in found:
        found.append(found[-1].__cause__)
    return found


def _says_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    words, names, text = memory_words(), _names(error), str(error).lower()
    if names.intersection(words.types):
        return True
    if any(part in text for part in _OTHER_RESOURCES):
        return False
    told = bool(names.intersection(words.error_types)) and any(t in text for t in words.texts)
    return told or bool(names.intersection(words.resource_types))


def may_be_out_of_memory(error: BaseException) -> bool:
    """True where a library found no way to compute, for lack of memory or for another reason."""
    words, names, text = memory_words(), _names(error), str(error).lower()
    telling = names.intersection([*words.error_types, *words.resource_types, *_UNCLEAR_TYPES])
    return bool(telling) and any(part in text for part in words.unclear_texts)


def _names(error: BaseException) -> Set[str]:
    return {kind.__name__ for kind in type(error).__mro__}


def _is_no_space(error: BaseException) -> bool:
    """Some frameworks have a type of their own for what the system calls ENOSPC."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    text = str(error).lower()
    return type(error).__name__ in memory_words().resource_types and (
        "no space left" in text or "disk quota" in text
    )


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
