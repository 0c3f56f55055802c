"""Telling a library's refusal from a failure: only the first is ``unsupported``."""

from __future__ import annotations

import contextlib
import re
from typing import Iterator

from runners.failures import (
    Unsupported,
    first_line,
    is_out_of_memory,
    may_be_out_of_memory,
)

# What Torch-TensorRT, TensorRT, torch.export and torchao say of what they don't do.
_WORDS = re.compile(
    r"\b(not|isn't|only)\b[\w ]{0,20} supported\b|\bunsupported\b|not (yet )?implemented"
    r"|no converter|no implementation"
    r"|could not find any implementation|FunctionalTensor|requires? .{0,40}compute capability"
    r"|must be divisible|is not a supported",
    re.IGNORECASE,
)
# What CUDA and its libraries report is a failure, also in such words.
_FAILURES = re.compile(r"CUDA (driver )?error|Cuda Runtime|CU(DNN|BLAS)_STATUS")
_TYPES = frozenset(["NotImplementedError", "UnsupportedOperatorException"])


def is_refusal(error: BaseException) -> bool:
    """True for errors that say that a library doesn't do this, whatever is tried again."""
    if is_out_of_memory(error) or may_be_out_of_memory(error):
        return False
    text = str(error)
    if _FAILURES.search(text):
        return False
    names = {kind.__name__ for kind in type(error).__mro__}
    return bool(names & _TYPES) or bool(_WORDS.search(text))


@contextlib.contextmanager
def refusals_of(library: str) -> Iterator[None]:
    """Raises Unsupported with the library's own words; every other error goes on as it is."""
    try:
        yield
    except Unsupported:
        raise
    except Exception as error:
        if not is_refusal(error):
            raise
        raise Unsupported(f"{library}: {type(error).__name__}: {first_line(error)}") from error
