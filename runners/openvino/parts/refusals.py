"""OpenVINO's and NNCF's own words for what they refuse, without the places in their source."""

from __future__ import annotations

import contextlib
import re
from typing import Iterator

from runners.failures import Unsupported, is_out_of_memory, may_be_out_of_memory

_PLACES = re.compile(r"^(Exception from \S+:\d+:|Check '.*' failed at|FrontEnd API failed with)")
_LONGEST = 300


def told(error: BaseException) -> str:
    """What an error says, in one line of at most 300 characters."""
    lines = [line.strip() for line in str(error).splitlines()]
    telling = [line for line in lines if line and not _PLACES.match(line)]
    return (" ".join(telling) or str(error).strip() or repr(error))[:_LONGEST]


@contextlib.contextmanager
def refusals_of(what: str) -> Iterator[None]:
    """Raises Unsupported with the library's own words behind ``what``; a lack of memory, and what
    is not the library's error, go on as they are.
    """
    try:
        yield
    except RuntimeError as error:
        if is_out_of_memory(error) or may_be_out_of_memory(error):
            raise
        raise Unsupported(f"{what}: {told(error)}") from error
