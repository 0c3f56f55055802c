"""The header of a TensorFlow Lite file: its input, its output, and that all it points to is there.

tensorflow/compiler/mlir/lite/schema/schema.fbs numbers the fields. A FlatBuffer is a web of
offsets; each one that is followed is held against the file's end, and so is every tensor's buffer
and every operator's list of tensors, since the interpreter follows them without asking.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from orchestrator.model_files.entry import Entry, RefusedFileError, entry_of, one_of

MAGIC = b"TFL3"
_TYPES = {
    0: "float32", 1: "float16", 2: "int32", 3: "uint8", 4: "int64", 5: "strings", 6: "booleans",
    7: "int16", 8: "complex64", 9: "int8", 10: "float64", 11: "complex128", 12: "uint64",
}  # fmt: skip
ACCEPTED = ("float32", "int8", "uint8")
_MOST = 1_000_000


class Table:
    """A table at a place of a FlatBuffer; fields by their numbers."""

    def __init__(self, data: memoryview, at: int) -> None:
        self._data, self._at = data, at
        self._vtable = at - _number(data, at, "i")
        self._fields = (_number(data, self._vtable, "H") - 4) // 2

    def _place(self, field: int) -> int | None:
        if field >= self._fields:
            return None
        offset = _number(self._data, self._vtable + 4 + 2 * field, "H")
        return self._at + offset if offset else None

    def integer(self, field: int, kind: str, default: int = 0) -> int:
        """A number of that ``struct`` kind."""
        place = self._place(field)
        return default if place is None else _number(self._data, place, kind)

    def vector(self, field: int, width: int) -> Vector | None:
        """A list of entries ``width`` bytes wide. Raises RefusedFileError beyond the end."""
        place = self._place(field)
        if place is None:
            return None
        begin = place + _number(self._data, place, "I")
        count = _number(self._data, begin, "I")
        if begin + 4 + count * width > len(self._data):
            raise RefusedFileError(f"a list of {count:,} entries goes beyond its end")
        return Vector(self._data, begin + 4, count)

    def tables(self, field: int) -> list[Table]:
        """A list of tables."""
        found = self.vector(field, 4)
        if found is None:
            return []
        if found.length > _MOST:
            raise RefusedFileError(f"it has a list of {found.length:,} tables")
        places = (found.begin + 4 * index for index in range(found.length))
        return [Table(self._data, place + _number(self._data, place, "I")) for place in places]

    def integers(self, field: int) -> list[int] | None:
        """A list of int32."""
        found = self.vector(field, 4)
        return None if found is None else list(found.integers())


class Vector(NamedTuple):
    """Where its entries begin, and how many there are."""

    data: memoryview
    begin: int
    length: int

    def integers(self) -> Iterator[int]:
        """As int32."""
        if self.length > _MOST:
            raise RefusedFileError(f"it has a list of {self.length:,} numbers")
        return (_number(self.data, self.begin + 4 * index, "i") for index in range(self.length))


def _number(data: memoryview, at: int, kind: str) -> int:
    try:
        if at < 0:
            raise struct.error
        found: int = struct.unpack_from(f"<{kind}", data, at)[0]
    except struct.error:
        raise RefusedFileError("an offset in it points outside of the file") from None
    return found


def read_tflite(data: memoryview) -> Entry:
    """The one input of a model. Raises RefusedFileError."""
    if bytes(data[4:8]) != MAGIC:
        shown = MAGIC.decode()
        raise RefusedFileError(f"it is not a TensorFlow Lite file: bytes 4 to 8 are not {shown}")
    model = Table(data, _number(data, 0, "I"))
    buffers = model.tables(4)
    for buffer in buffers:
        buffer.vector(0, 1)
        if buffer.integer(1, "Q") > 1:
            _check_outside(buffer, len(data))
    graphs = model.tables(2)
    if not graphs:
        raise RefusedFileError("it has no graph")
    codes = len(model.tables(1))
    for graph in graphs:
        _check_graph(graph, len(buffers), codes)
    return _entry(graphs[0])


def _check_outside(buffer: Table, end: int) -> None:
    """A buffer may lie behind the FlatBuffer itself, in files of more than 2 GB."""
    if buffer.integer(1, "Q") + buffer.integer(2, "Q") > end:
        raise RefusedFileError("a buffer of it goes beyond its end")


def _check_graph(graph: Table, buffers: int, codes: int) -> None:
    tensors = graph.tables(0)
    for tensor in tensors:
        tensor.integers(0)
        if tensor.integer(2, "I") >= max(buffers, 1):
            raise RefusedFileError("a tensor of it names a buffer that is not there")
    ends = [*(graph.integers(1) or []), *(graph.integers(2) or [])]
    if any(not 0 <= index < len(tensors) for index in ends):
        raise RefusedFileError("its input or output is a tensor that is not there")
    lists = []
    for operator in graph.tables(3):
        if not 0 <= operator.integer(0, "I") < codes:
            raise RefusedFileError("an operator of it has a code that is not there")
        lists += [operator.integers(1), operator.integers(2)]
    for named in lists:
        if any(not -1 <= index < len(tensors) for index in named or ()):
            raise RefusedFileError("an operator of it names a tensor that is not there")


def _entry(graph: Table) -> Entry:
    tensors = graph.tables(0)
    inputs = graph.integers(1) or []
    outputs = graph.integers(2) or []
    one_of(inputs)
    if not outputs or not graph.tables(3):
        raise RefusedFileError(f"it has no {'operator' if outputs else 'output'}")
    answer = _dtype(tensors[outputs[0]])
    if answer not in ACCEPTED:
        raise RefusedFileError(f"its first output holds {answer}. Accepted: {', '.join(ACCEPTED)}")
    given = tensors[inputs[0]]
    return entry_of("input", _dtype(given), ACCEPTED, _dims(given))


def _dtype(tensor: Table) -> str:
    kind = tensor.integer(1, "b")
    return _TYPES.get(kind, f"type {kind}")


def _dims(tensor: Table) -> list[int | None] | None:
    """The signature's where there is one: a dimension of -1 in it is free."""
    shape = tensor.integers(0)
    signature = tensor.integers(7)
    if shape is None:
        return None
    if signature is None or len(signature) != len(shape):
        # The interpreter makes its first dimension what is asked for.
        return [None if shape[:1] == [1] else shape[0], *shape[1:]] if shape else []
    return [None if size == -1 else size for size in signature]
