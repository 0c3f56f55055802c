"""What native code writes to the error output: the interpreter's reasons and figures go there."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from typing import Iterator, List


@contextlib.contextmanager
def captured() -> Iterator[List[str]]:
    """Yields a list that holds the lines written inside, once it is left; they go on to the log."""
    lines: List[str] = []
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            yield lines
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
            file.seek(0)
            data = file.read()
            os.write(2, data)
            lines += [line.strip() for line in data.decode("utf-8", "replace").splitlines()]
