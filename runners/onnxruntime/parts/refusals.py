"""What ONNX Runtime's exceptions mean for a cell."""

from __future__ import annotations

import contextlib
from typing import Iterator

from runners.failures import Unsupported, first_line, is_out_of_memory

_REFUSING = ("NotImplemented", "InvalidGraph")
"""No kernel for an operator in that type here; an operator or an attribute that nobody knows."""
_WORDS = ("could not find an implementation", "is not a registered function/op", "not supported")


@contextlib.contextmanager
def refusals() -> Iterator[None]:
    """What the runtime or its quantizer refuses becomes Unsupported, in its own words."""
    try:
        yield
    except Unsupported:
        raise
    except Exception as error:
        if is_out_of_memory(error) or not _refuses(error):
            raise
        raise Unsupported(f"ONNX Runtime refuses the model: {first_line(error)}") from error


def _refuses(error: Exception) -> bool:
    text = str(error).lower()
    names = {kind.__name__ for kind in type(error).__mro__}
    return bool(names.intersection(_REFUSING)) or any(words in text for words in _WORDS)
