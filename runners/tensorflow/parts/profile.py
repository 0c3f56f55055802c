"""What TensorFlow's own profiler sees of calls: the operations that ran, their types, their time,
and the memory that they asked for.

It writes an XSpace message (``*.xplane.pb``) for TensorBoard. The executor names an event of an
operation ``<node>:<operation>``; a layer's name stands in the names of its nodes. TensorBoard's
memory profile is made of the events ``MemoryAllocation``, which name the node they are for; what is
freed names none. On a processor only the allocator that divides regions of memory (BFC) leaves such
events.
"""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import Any, Callable, Iterable, Iterator, List, NamedTuple, Set

import tensorflow as tf

from runners.failures import Unsupported
from runners.job import Job

_HOST = "/host:CPU"
_OPERATION = re.compile(r"^(?P<node>[^:\s]+):(?P<operation>_?[A-Z][A-Za-z0-9]*)$")
_ALLOCATION = "MemoryAllocation"
_BY_REGIONS = "TF_CPU_ALLOCATOR_USE_BFC"
_LONG_NODE = "/"  # what the executor runs for a model lies in the model's scope


class Executed(NamedTuple):
    """One operation that ran; ``node`` is its name in the graph, ``operation`` its type."""

    node: str
    operation: str
    seconds: float


class Allocated(NamedTuple):
    """Memory that was asked for; ``node`` is empty where it was for none."""

    node: str
    size_bytes: int


class Profile(NamedTuple):
    """Of several calls, what ran and what was allocated, in no order."""

    executed: List[Executed]
    allocated: List[Allocated]


def see_allocations(job: Job) -> None:
    """Have a processor's allocations traced. Before TensorFlow executes anything."""
    os.environ[_BY_REGIONS] = "1"
    job.settings[_BY_REGIONS] = "1"


def profiled(call: Callable[[], object], calls: int) -> Profile:
    """Of so many calls. Raises Unsupported where the profiler wrote no trace."""
    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        try:
            for _ in range(calls):
                call()
        finally:
            tf.profiler.experimental.stop()
        traces = sorted(Path(folder).rglob("*.xplane.pb"))
        if not traces:
            raise Unsupported("tf.profiler.experimental wrote no *.xplane.pb")
        planes = [plane for trace in traces for plane in _host_planes(trace.read_bytes())]
        return Profile(
            [one for plane in planes for one in _executed(plane)],
            [one for plane in planes for one in _allocated(plane)],
        )


def layers_seen(executed: Iterable[Executed], layers: Iterable[str]) -> Set[str]:
    """Those of the layers (names) of which an operation ran."""
    parts = {part for one in executed for part in one.node.split("/")}
    return {name for name in layers if name in parts}


def _host_planes(trace: bytes) -> List[Any]:
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    space: Any = xplane_pb2.XSpace()
    space.ParseFromString(trace)
    return [plane for plane in space.planes if plane.name == _HOST]


def _executed(plane: Any) -> Iterator[Executed]:
    for line in plane.lines:
        for event in line.events:
            found = _OPERATION.match(plane.event_metadata[event.metadata_id].name)
            if found and _LONG_NODE in found["node"]:
                yield Executed(found["node"], found["operation"], event.duration_ps * 1e-12)


def _allocated(plane: Any) -> Iterator[Allocated]:
    for line in plane.lines:
        for event in line.events:
            if plane.event_metadata[event.metadata_id].name == _ALLOCATION:
                told = {plane.stat_metadata[one.metadata_id].name: one for one in event.stats}
                node = _text(plane, told["tf_op"]) if "tf_op" in told else ""
                yield Allocated(node, int(_number(told["requested_bytes"])))


def _text(plane: Any, stat: Any) -> str:
    """A text stands in the event or, where it is in many, once for all."""
    if stat.WhichOneof("value") == "ref_value":
        return str(plane.stat_metadata[stat.ref_value].name)
    return str(stat.str_value)


def _number(stat: Any) -> Any:
    return getattr(stat, stat.WhichOneof("value"))
