"""What TensorFlow's own profiler sees of calls: the operations that ran, their types, their time.

It writes an XSpace message (``*.xplane.pb``) for TensorBoard. The executor names an event of an
operation ``<node>:<operation>``; a layer's name stands in the names of its nodes.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any, Callable, Iterable, List, NamedTuple, Set

import tensorflow as tf

from runners.failures import Unsupported

_HOST = "/host:CPU"
_OPERATION = re.compile(r"^(?P<node>[^:\s]+):(?P<operation>_?[A-Z][A-Za-z0-9]*)$")
_LONG_NODE = "/"  # what the executor runs for a model lies in the model's scope


class Executed(NamedTuple):
    """One operation that ran; ``node`` is its name in the graph, ``operation`` its type."""

    node: str
    operation: str
    seconds: float


def profiled(call: Callable[[], object], calls: int) -> List[Executed]:
    """The operations of so many calls. Raises Unsupported where the profiler wrote no trace."""
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
        return [one for trace in traces for one in _read(trace.read_bytes())]


def layers_seen(executed: Iterable[Executed], layers: Iterable[str]) -> Set[str]:
    """Those of the layers (names) of which an operation ran."""
    parts = {part for one in executed for part in one.node.split("/")}
    return {name for name in layers if name in parts}


def _read(trace: bytes) -> List[Executed]:
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    space: Any = xplane_pb2.XSpace()
    space.ParseFromString(trace)
    return [one for plane in space.planes if plane.name == _HOST for one in _of_plane(plane)]


def _of_plane(plane: Any) -> Iterable[Executed]:
    for line in plane.lines:
        for event in line.events:
            found = _OPERATION.match(plane.event_metadata[event.metadata_id].name)
            if found and _LONG_NODE in found["node"]:
                yield Executed(found["node"], found["operation"], event.duration_ps * 1e-12)
