"""The interpreter for microcontrollers, and the one block of memory that it lives in: its arena."""

from __future__ import annotations

import re
from typing import Any, List, NamedTuple

from tflite_micro.python.tflite_micro import runtime

from runners.failures import Unsupported
from runners.tflite_micro.parts.stderr_text import captured
from runners.tflite_micro.parts.tflite_model import TfliteModel

_USED = re.compile(r"Arena allocation (total|head|tail) (\d+) bytes")
_LONGEST_REASON = 300
ALIGNMENT_BYTES = 16
"""Of results in an arena, and of an arena as programs for microcontrollers declare it."""


class ArenaUse(NamedTuple):
    """Bytes in all, for results that come and go (head), and for what stays (tail)."""

    total: int
    head: int
    tail: int


def opened(model: TfliteModel, every_tensor: bool = False) -> Any:
    """An interpreter with room for any model; ``every_tensor`` keeps them, and then tells no use.

    Raises Unsupported with the interpreter's own words for what it lacks. An arena that is too
    small may end the process, so that none is tried: its size is read afterwards.
    """
    kinds = runtime.InterpreterConfig
    with captured() as told:
        try:
            return runtime.Interpreter.from_bytes(
                model.content,
                arena_size=model.arena_bound_bytes() * (2 if every_tensor else 1),
                intrepreter_config=(
                    kinds.kPreserveAllTensors if every_tensor else kinds.kAllocationRecording
                ),
            )
        except RuntimeError as error:
            failure = error
    reason = _reason(told, failure)
    raise Unsupported(f"TensorFlow Lite Micro refuses {model.path.name}: {reason}") from failure


def arena_use(interpreter: Any) -> ArenaUse:
    """What an interpreter takes of its arena, in whole steps of its alignment: what lies before the
    first depends on where the arena begins. Raises RuntimeError where it doesn't say.
    """
    with captured() as told:
        interpreter.print_allocations()
    found = {match[1]: _aligned(int(match[2])) for match in map(_USED.search, told) if match}
    if len(found) < 3:
        raise RuntimeError("TensorFlow Lite Micro didn't say what it takes of its arena")
    return ArenaUse(found["total"], found["head"], found["tail"])


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT_BYTES) * ALIGNMENT_BYTES


def check_memory(use: ArenaUse, memory_bytes: int) -> None:
    """Raises Unsupported where the arena is larger than the memory for it."""
    if use.total > memory_bytes:
        raise Unsupported(
            f"arena too small: the model needs {use.total:,} bytes, and there are {memory_bytes:,}"
        )


def _reason(told: List[str], failure: Exception) -> str:
    lines = [line for line in told if line]
    return ("; ".join(lines) or str(failure))[:_LONGEST_REASON]
