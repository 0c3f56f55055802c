"""The one gateway to NVML: loading it, asking it, and saying why there is no answer.

NVML is NVIDIA's management library; https://docs.nvidia.com/deploy/nvml-api/ gives its calls
and units. Nothing it does can end a run or hold it up: every failure is a reason, and every call
has a deadline.
"""

from __future__ import annotations

import importlib
import time
from typing import Any, Callable, NamedTuple, TypeVar

from manifests.deadlines import NoAnswerError, Patience

T = TypeVar("T")
Call = Callable[[Any, Any], T]
"""(library, handle of a device) to a reading."""

MISSING_PACKAGE = "the package nvidia-ml-py is not installed"
NO_LIBRARY = "no NVIDIA driver: its library NVML was not found"
RETRY_S = 30.0
OPEN_S = 15.0
"""A driver that nothing keeps awake takes seconds to wake up, for each GPU."""

READ_S = 3.0


class Failure(NamedTuple):
    """Why there is no reading. ``scope`` is what it takes away: one reading, its GPU, or all.

    ``lasting`` says that asking again is of no use.
    """

    reason: str
    scope: str = "reading"
    lasting: bool = False


class Nvml:
    """A loaded library and the handles of its GPUs, opened again when it comes back."""

    def __init__(self, library: Any = None, clock: Callable[[], float] = time.monotonic) -> None:
        """``library`` is the module ``pynvml`` or one that answers like it."""
        self._clock = clock
        self._library = library
        self._failure: Failure | None = Failure("NVML was not opened yet")
        self._opened_at = float("-inf")
        self._patience = Patience()
        self._reading = False
        self.handles: dict[int, Any] = {}

    @property
    def failure(self) -> Failure | None:
        """Why nothing can be read at all, or None."""
        return self._failure

    def opened(self) -> bool:
        """Open it if need be, at most every ``RETRY_S`` seconds; whether it is open."""
        failure, now = self._failure, self._clock()
        if failure is not None and not failure.lasting and now - self._opened_at >= RETRY_S:
            self._opened_at = now
            self._failure = self._open()
        return self._failure is None

    def close(self) -> None:
        """Let go of the library."""
        if self._failure is None:
            self.ask(lambda library, _: library.nvmlShutdown(), None)
        self._reading = False
        self._patience.close()
        self._failure, self._opened_at = Failure("NVML was closed"), float("-inf")
        self.handles = {}

    def ask(self, call: Call[T], handle: Any) -> T | Failure:
        """The reading, or why there is none. A failure of everything closes the library.

        A call that doesn't return in time is the GPU's failure, or with no GPU everything's.
        """
        library, seconds = self._library, READ_S if self._reading else OPEN_S
        try:
            return self._patience.call(lambda: call(library, handle), seconds)
        except NoAnswerError as error:
            scope = "all" if handle is None else "gpu"
            failure = Failure(f"NVML gave {error}", scope, lasting=True)
        except AttributeError as error:
            return Failure(f"nvidia-ml-py is too old: {error.name}", lasting=True)
        except (library.NVMLError, library.NVMLLibraryMismatchError, OSError, ValueError) as error:
            failure = classify(library, error)
        if failure.scope == "all":
            self._failure, self._opened_at, self.handles = failure, self._clock(), {}
            self._reading = False
        return failure

    def _open(self) -> Failure | None:
        if self._library is None:
            try:
                self._library = importlib.import_module("pynvml")
            except ImportError:
                return Failure(MISSING_PACKAGE, "all", lasting=True)
        ready = self.ask(lambda library, _: library.nvmlInit(), None)
        if isinstance(ready, Failure):
            return ready
        count = self.ask(lambda library, _: library.nvmlDeviceGetCount(), None)
        if isinstance(count, Failure):
            return count
        self.handles = {index: self._handle(index) for index in range(count)}
        self._reading = True
        return None

    def _handle(self, index: int) -> Any:
        """The handle, or the failure to get it: one lost GPU doesn't take the others along."""
        return self.ask(lambda library, number: library.nvmlDeviceGetHandleByIndex(number), index)


def classify(library: Any, error: BaseException) -> Failure:
    """What an error of the library takes away, and for how long."""
    code = getattr(error, "value", None)
    reason = f"NVML: {error}"
    if code == library.NVML_ERROR_LIBRARY_NOT_FOUND:
        return Failure(NO_LIBRARY, "all", lasting=True)
    if code == library.NVML_ERROR_LIB_RM_VERSION_MISMATCH:
        return Failure(
            f"{reason} The driver was updated while the old one is loaded: restart the machine",
            "all",
        )
    if code in (library.NVML_ERROR_UNINITIALIZED, library.NVML_ERROR_DRIVER_NOT_LOADED):
        return Failure(reason, "all")
    if code in (library.NVML_ERROR_GPU_IS_LOST, library.NVML_ERROR_RESET_REQUIRED):
        return Failure(reason, "gpu", lasting=True)
    lasting = code in (
        library.NVML_ERROR_NOT_SUPPORTED,
        library.NVML_ERROR_NO_PERMISSION,
        library.NVML_ERROR_FUNCTION_NOT_FOUND,
    )
    return Failure(reason, lasting=lasting)
