"""What a converted graph has in TensorRT engines, and whether those engines really run.

TF-TRT replaces a segment of the graph by a TRTEngineOp and keeps the segment's operations in a
function, the native segment. Where an engine can't be built or run, that function runs instead,
and nothing but a warning tells of it (tensorflow/compiler/tf2tensorrt/kernels/trt_engine_op.cc).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Dict, Iterable, List, NamedTuple, Set, Tuple

from manifests.manifest import Proof
from runners.tensorflow.parts.graphs import COMPUTE, every_node

ENGINE = "TRTEngineOp"
TYPES = {"FP32": "float32", "FP16": "float16", "INT8": "int8"}
# A function that was saved and loaded has "__inference_" before its name and a number behind it.
_NATIVE_SEGMENT = re.compile(r"^(?:__inference_)?(.+)_native_segment(?:_\d+)?$")
_FELL_BACK = re.compile(r"native segment", re.IGNORECASE)
_NAME = re.compile(rf"{ENGINE}_\d+(?:_\d+)?")
_FILE = "trt-serialized-engine."


class Engines(NamedTuple):
    """``number`` of engines; compute operations inside, by engine; and those outside of all."""

    number: int
    inside: Dict[str, Dict[str, int]]
    outside: Dict[str, int]


def engines_of(definition: Any) -> Engines:
    """Engines of a converted graph, before it was saved or after it was loaded."""
    number = sum(node.op == ENGINE for node in every_node(definition))
    inside: Dict[str, Dict[str, int]] = {}
    outside = _counted(every_node(definition))
    for function in definition.library.function:
        name = _NATIVE_SEGMENT.match(function.signature.name)
        if name:
            inside[name[1]] = _counted(function.node_def)
            for kind, count in inside[name[1]].items():
                outside[kind] -= count
    return Engines(number, inside, {kind: n for kind, n in outside.items() if n > 0})


def _counted(nodes: Any) -> Dict[str, int]:
    counts: Dict[str, int] = {}
    for node in nodes:
        if node.op in COMPUTE:
            counts[node.op] = counts.get(node.op, 0) + 1
    return counts


def fallbacks(log: str) -> List[str]:
    """The lines of TensorFlow's log that tell of a native segment run in an engine's place."""
    lines = (line for line in log.splitlines() if _FELL_BACK.search(line))
    return list(dict.fromkeys(line.rpartition("TF-TRT Warning:")[2].strip() for line in lines))


def log_of(folder: Path) -> str:
    """What was printed in this cell so far; empty where it is not kept."""
    try:
        return (folder / "log.txt").read_text(errors="replace")
    except OSError:
        return ""


def named(lines: Iterable[str], engines: Engines) -> Set[str]:
    """The engines that these lines tell of; all of them where a line names none that is known."""
    found: Set[str] = set()
    for line in lines:
        found |= (set(_NAME.findall(line)) & set(engines.inside)) or set(engines.inside)
    return found


def serialized(saved_model: Path) -> Set[str]:
    """The engines that were built before the model was saved; the file of one that failed is
    empty.
    """
    files = (saved_model / "assets").glob(f"{_FILE}*")
    return {path.name[len(_FILE) :] for path in files if path.stat().st_size}


def prove(engines: Engines, precision: str, fell_back: Set[str], how: str) -> Proof:
    """What computes in engines of that mode; ``fell_back`` are those whose native segment runs.

    TensorRT may still choose a higher precision for a layer, which the graph doesn't tell.
    """
    promised = TYPES[precision]
    inside = _sum(ops for name, ops in engines.inside.items() if name not in fell_back)
    native = _sum(ops for name, ops in engines.inside.items() if name in fell_back)
    outside = _sum([engines.outside, native])
    covered, total = sum(inside.values()), sum(inside.values()) + sum(outside.values())
    told = [(engines.outside, "outside of engines"), (native, "in native segments")]
    return Proof(
        promised=promised,
        operations=_by_type(promised, inside, outside, engines.number - len(fell_back)),
        coverage=covered / total if total else None,
        fallback=[f"{kind} x{n} {where}" for ops, where in told for kind, n in ops.items()],
        source=f"{engines.number} {ENGINE} nodes of precision mode {precision}, {how}",
    )


def _by_type(
    promised: str, inside: Dict[str, int], outside: Dict[str, int], engines: int
) -> Dict[str, Dict[str, int]]:
    if promised == "float32":
        return {promised: _sum([inside, outside, {ENGINE: engines}])}
    found = {promised: {**inside, ENGINE: engines}}
    return {**found, "float32": outside} if outside else found


def _sum(counts: Iterable[Dict[str, int]]) -> Dict[str, int]:
    total: Dict[str, int] = {}
    for each in counts:
        for kind, count in each.items():
            total[kind] = total.get(kind, 0) + count
    return total


def linked_tensorrt() -> Tuple[int, ...]:
    """The version that TensorFlow was built with, e.g. (10, 8, 0); () where there is none."""
    try:
        from tensorflow.compiler.tf2tensorrt import _pywrap_py_utils

        version = tuple(_pywrap_py_utils.get_linked_tensorrt_version())
    except (ImportError, AttributeError):
        return ()
    return version if any(version) else ()
