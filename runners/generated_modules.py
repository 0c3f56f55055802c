"""Files of modules that TensorFlow generates, and removes at an exit that our cells don't take."""

from __future__ import annotations

import contextlib
import os
import sys

_PREFIX = "__autograph_generated_file"


def remove() -> None:
    """Remove those of this process from the temporary folder.

    A cell ends without taking its framework apart, and AutoGraph would do this there.
    """
    for name, module in list(sys.modules.items()):
        path = getattr(module, "__file__", None)
        if name.startswith(_PREFIX) and path:
            with contextlib.suppress(OSError):
                os.unlink(path)
