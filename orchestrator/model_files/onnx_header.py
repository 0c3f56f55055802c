"""The header of an ONNX file: its input, its output and where its weights lie.

onnx/onnx.proto3 names the fields. Only lengths are followed, so that weights are passed over
unread; nothing in the file is believed before it was held against the file's end.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from orchestrator.model_files.entry import Entry, RefusedFileError, entry_of, one_of

Buffer = memoryview
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_DEEPEST = 32
_MOST_FIELDS = 4_000_000
_EXTERNAL = 1
_TYPES = {
    1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64",
    8: "strings", 9: "booleans", 10: "float16", 11: "float64", 12: "uint32", 13: "uint64",
    14: "complex64", 15: "complex128", 16: "bfloat16",
}  # fmt: skip
ACCEPTED = ("float32",)
_TRUNCATED = "it is truncated or damaged: {}"


class Field(NamedTuple):
    """``value`` is a number, or the bytes of what has a length."""

    number: int
    wire: int
    value: int | Buffer

    @property
    def buffer(self) -> Buffer:
        """Raises RefusedFileError for a number where there should be bytes."""
        if not isinstance(self.value, memoryview):
            raise RefusedFileError(_TRUNCATED.format(f"field {self.number} is a number"))
        return self.value

    @property
    def integer(self) -> int:
        """As a signed number of 64 bits. Raises RefusedFileError for bytes."""
        if isinstance(self.value, memoryview):
            raise RefusedFileError(_TRUNCATED.format(f"field {self.number} is not a number"))
        return self.value - 2**64 if self.value >= 2**63 else self.value


class Value(NamedTuple):
    """An input or output; ``dims`` is None without a rank, a dimension None where it is free."""

    name: str
    dtype: str
    dims: list[int | None] | None


class Reader:
    """Fields of one file; together no more than a file of a network has."""

    def __init__(self) -> None:
        self._seen = 0

    def fields(self, data: Buffer) -> Iterator[Field]:
        """Every field of a message. Raises RefusedFileError where it goes beyond its end."""
        at, end = 0, len(data)
        while at < end:
            self._seen += 1
            if self._seen > _MOST_FIELDS:
                raise RefusedFileError(f"it has more than {_MOST_FIELDS:,} fields")
            tag, at = _varint(data, at)
            value, at = _value(data, at, tag & 7)
            if tag >> 3 == 0:
                raise RefusedFileError(_TRUNCATED.format("a field has the number 0"))
            yield Field(tag >> 3, tag & 7, value)

    def all(self, data: Buffer, number: int) -> Iterator[Field]:
        """The fields of that number."""
        return (field for field in self.fields(data) if field.number == number)


def read_onnx(data: Buffer) -> Entry:
    """The one input of a model. Raises RefusedFileError."""
    reader = Reader()
    graphs, functions, opsets = [], [], 0
    for field in reader.fields(data):
        if field.number == 7:
            graphs.append(field.buffer)
        elif field.number == 25:
            functions.append(field.buffer)
        elif field.number == 8:
            opsets += 1
    if len(graphs) != 1 or not opsets:
        raise RefusedFileError("it is not an ONNX model: it has no graph with an operator set")
    for function in functions:
        for node in reader.all(function, 7):
            _check_node(reader, node.buffer, 0)
    return _graph(reader, graphs[0])


def _graph(reader: Reader, graph: Buffer) -> Entry:
    inputs, outputs, constants = [], [], set()
    nodes = 0
    for field in reader.fields(graph):
        if field.number == 1:
            nodes += 1
            _check_node(reader, field.buffer, 0)
        elif field.number in (5, 15):
            constants.add(_tensor(reader, field.buffer, sparse=field.number == 15))
        elif field.number == 11:
            inputs.append(_value_info(reader, field.buffer))
        elif field.number == 12:
            outputs.append(_value_info(reader, field.buffer))
    given = [one for one in inputs if one.name not in constants]
    one_of(given)
    if not outputs or not nodes:
        raise RefusedFileError(f"it has no {'operator' if outputs else 'output'}")
    if outputs[0].dtype not in ACCEPTED:
        raise RefusedFileError(
            f"its first output holds {outputs[0].dtype}. Accepted: {', '.join(ACCEPTED)}"
        )
    return entry_of(given[0].name, given[0].dtype, ACCEPTED, given[0].dims)


def _check_node(reader: Reader, node: Buffer, depth: int) -> None:
    """Raises RefusedFileError where a constant, also one of a graph inside, lies elsewhere."""
    if depth > _DEEPEST:
        raise RefusedFileError(f"its graphs lie more than {_DEEPEST} deep in one another")
    for attribute in reader.all(node, 5):
        for field in reader.fields(attribute.buffer):
            if field.number in (5, 10):
                _tensor(reader, field.buffer)
            elif field.number in (6, 11):
                _inner_graph(reader, field.buffer, depth)


def _inner_graph(reader: Reader, graph: Buffer, depth: int) -> None:
    for field in reader.fields(graph):
        if field.number == 1:
            _check_node(reader, field.buffer, depth + 1)
        elif field.number in (5, 15):
            _tensor(reader, field.buffer, sparse=field.number == 15)


def _tensor(reader: Reader, tensor: Buffer, sparse: bool = False) -> str:
    """The name of a constant. Raises RefusedFileError for one whose data lies in another file."""
    name = ""
    for field in reader.fields(tensor):
        if sparse and field.number in (1, 2):
            name = _tensor(reader, field.buffer) or name
        elif not sparse and field.number == 8:
            name = _text(field.buffer)
        elif not sparse and (field.number == 13 or _elsewhere(field)):
            raise RefusedFileError(
                "it keeps weights in another file (external data), which is not read. Save it as "
                "one file"
            )
    return name


def _elsewhere(field: Field) -> bool:
    return field.number == 14 and field.integer == _EXTERNAL


def _value_info(reader: Reader, info: Buffer) -> Value:
    name, dtype, dims = "", "something without a type", None
    for field in reader.fields(info):
        if field.number == 1:
            name = _text(field.buffer)
        elif field.number == 2:
            dtype, dims = _type(reader, field.buffer)
    return Value(name, dtype, dims)


def _type(reader: Reader, kind: Buffer) -> tuple[str, list[int | None] | None]:
    dtype: str = "something without a type"
    dims: list[int | None] | None = None
    for field in reader.fields(kind):
        if field.number != 1:
            return "no tensor (a sequence, a map or the like)", None
        for part in reader.fields(field.buffer):
            if part.number == 1:
                dtype = _TYPES.get(part.integer, f"type {part.integer}")
            elif part.number == 2:
                dims = [_dimension(reader, one.buffer) for one in reader.all(part.buffer, 1)]
    return dtype, dims


def _dimension(reader: Reader, dim: Buffer) -> int | None:
    """None where it has a name or nothing."""
    for field in reader.fields(dim):
        if field.number == 1:
            return field.integer
    return None


def _text(data: Buffer) -> str:
    return bytes(data[:1000]).decode("utf-8", "backslashreplace")


def _varint(data: Buffer, at: int) -> tuple[int, int]:
    found = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise RefusedFileError(_TRUNCATED.format("it ends inside a number"))
        byte = data[at]
        at += 1
        found |= (byte & 127) << shift
        if byte < 128:
            return found & (2**64 - 1), at
    raise RefusedFileError(_TRUNCATED.format("a number is longer than 64 bits"))


def _value(data: Buffer, at: int, wire: int) -> tuple[int | Buffer, int]:
    if wire == _VARINT:
        return _varint(data, at)
    if wire == _BYTES:
        length, at = _varint(data, at)
    elif wire in (_FIXED64, _FIXED32):
        length = 8 if wire == _FIXED64 else 4
    else:
        raise RefusedFileError(_TRUNCATED.format(f"it has a field of the wire type {wire}"))
    if length > len(data) - at:
        raise RefusedFileError(
            _TRUNCATED.format(f"a field of {length:,} bytes goes beyond its end")
        )
    return data[at : at + length], at + length
