"""ONNX and TensorFlow Lite files written byte by byte: no framework is needed to break one."""

from __future__ import annotations

import struct
from collections.abc import Sequence

FLOAT, INT64, STRING = 1, 7, 8


def varint(number: int) -> bytes:
    number &= 2**64 - 1
    found = b""
    while number > 127:
        found += bytes([number & 127 | 128])
        number >>= 7
    return found + bytes([number])


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def message(field: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return varint(field << 3 | 2) + varint(len(body)) + body


def value(field: int, name: str, kind: int, dims: Sequence[int | str] | None) -> bytes:
    """An input (11) or output (12) of a graph."""
    sizes = [
        message(1, message(2, size.encode()) if isinstance(size, str) else number(1, size))
        for size in dims or ()
    ]
    shape = [message(2, *sizes)] if dims is not None else []
    return message(
        field, message(1, name.encode()), message(2, message(1, number(1, kind), *shape))
    )


def node(operator: str = "Relu", *attributes: bytes) -> bytes:
    head = (message(1, b"x"), message(2, b"y"), message(4, operator.encode()))
    return message(1, *head, *(message(5, message(1, b"a"), one) for one in attributes))


def tensor(field: int, name: str, *more: bytes) -> bytes:
    return message(field, number(1, 1), number(2, FLOAT), message(8, name.encode()), *more)


def external(place: str) -> tuple[bytes, bytes]:
    """What makes a tensor's data lie in another file."""
    return message(13, message(1, b"location"), message(2, place.encode())), number(14, 1)


INPUT = value(11, "x", FLOAT, ["batch", 3, 8, 8])
OUTPUT = value(12, "y", FLOAT, ["batch", 192])


def model(*graph: bytes, opset: int = 17) -> bytes:
    opsets = message(8, message(1, b""), number(2, opset))
    return number(1, 8) + message(7, message(2, b"g"), *graph) + opsets


def sound(opset: int = 17, operator: str = "Flatten") -> bytes:
    """Flatten alone: a model that every runtime opens."""
    return model(node(operator), INPUT, OUTPUT, opset=opset)


def flat_tables(
    shape: Sequence[int] = (1, 8, 8, 3), kind: int = 0, magic: bytes = b"TFL3", buffer: int = 0
) -> bytes:
    """A TensorFlow Lite file of one operator, tensor 0 in and tensor 1 out."""
    writer = _Writer(magic)
    tensors = [
        writer.table({0: ("v", list(shape)), 1: ("b", kind), 2: ("I", buffer)}),
        writer.table({0: ("v", [1, 192]), 1: ("b", 0), 2: ("I", 0)}),
    ]
    operator = writer.table({0: ("I", 0), 1: ("v", [0]), 2: ("v", [1])})
    graph = writer.table({0: ("t", tensors), 1: ("v", [0]), 2: ("v", [1]), 3: ("t", [operator])})
    codes, buffers = writer.table({0: ("b", 22)}), writer.table({})
    return writer.finished(
        writer.table({0: ("I", 3), 1: ("t", [codes]), 2: ("t", [graph]), 4: ("t", [buffers])})
    )


class _Writer:
    """Writes what is pointed to behind what points to it: offsets are never negative."""

    def __init__(self, magic: bytes) -> None:
        self._magic = magic

    def table(self, fields: dict[int, tuple[str, object]]) -> dict[int, tuple[str, object]]:
        return fields

    def finished(self, root: dict[int, tuple[str, object]]) -> bytes:
        data = bytearray(struct.pack("<I", 8) + self._magic)
        place = self._write(data, root)
        data[0:4] = struct.pack("<I", place)
        return bytes(data)

    def _write(self, data: bytearray, fields: dict[int, tuple[str, object]]) -> int:
        count = max(fields, default=-1) + 1
        vtable = len(data)
        data += struct.pack("<HH", 4 + 2 * count, 4 + 4 * count)
        data += b"".join(
            struct.pack("<H", 4 + 4 * index if index in fields else 0) for index in range(count)
        )
        table = len(data)
        data += struct.pack("<i", table - vtable) + b"\0" * 4 * count
        for index, (kind, content) in fields.items():
            at = table + 4 + 4 * index
            if kind in "Ib":
                data[at : at + 4] = struct.pack("<I", content)
                continue
            begin = len(data)
            data[at : at + 4] = struct.pack("<I", begin - at)
            if kind == "v":
                data += struct.pack(f"<I{len(content)}i", len(content), *content)  # type: ignore
                continue
            data += struct.pack("<I", len(content)) + b"\0" * 4 * len(content)  # type: ignore
            for entry, table_fields in enumerate(content):  # type: ignore[arg-type]
                slot = begin + 4 + 4 * entry
                inner = self._write(data, table_fields)
                data[slot : slot + 4] = struct.pack("<I", inner - slot)
        return table
