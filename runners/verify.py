"""``python -m runners.verify FILE``: run an image's checks, one line each; 0 when all hold.

Every public function of the file that takes nothing is a check, also one that it imports from
``runners``; they run in the order in which they stand there.
One that returns holds, and its text says what was found; whatever it raises is why it doesn't.
Without a function the file itself is the check. Only Python's own library is needed.
"""

from __future__ import annotations

import inspect
import runpy
import sys
import warnings
from typing import Callable, List


def checks_of(file: str) -> List[Callable[[], object]]:
    """Run the file, and give its functions. What its first lines set comes before any import."""
    names = runpy.run_path(file, run_name="__main__")
    return [value for name, value in names.items() if name[:1] != "_" and _is_check(value, file)]


def _is_check(value: object, file: str) -> bool:
    if not inspect.isfunction(value) or not value.__name__.isidentifier():
        return False  # a lambda is nobody's check
    own = value.__code__.co_filename == file or value.__module__.startswith("runners.")
    return own and not inspect.signature(value).parameters


def the_driver_can_be_asked() -> str:
    """A check of images for GPUs."""
    import pynvml

    assert hasattr(pynvml, "nvmlInit")
    return "nvidia-ml-py"


def main(arguments: List[str]) -> int:
    """Exit status 0, or 1 with the first check that doesn't hold."""
    warnings.filterwarnings("ignore")
    for check in checks_of(arguments[0]):
        try:
            print(f"ok: {check()}", flush=True)
        except Exception as error:
            print(f"failed: {check.__name__}: {type(error).__name__}: {error}", flush=True)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
