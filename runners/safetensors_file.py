"""Weights in a form that every framework can read: a safetensors file of float arrays.

The format (github.com/huggingface/safetensors): eight bytes with the header's length, a JSON
header with type, shape and place of every array, then the arrays' bytes, little-endian and in row
order. Old images have no package for it, and numpy is enough.

Names and layouts are those of runners.models: ``<layer>.kernel`` and the like, or ``.weight``;
convolutions (height, width, in, out), depthwise ones (height, width, channels, 1), dense (in, out).
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, Dict, List, Mapping, Tuple

import msgspec
import numpy as np

Array = Any

NEUTRAL_FILE = "weights.safetensors"
LAYOUT = (
    "convolution (height, width, in, out); depthwise (height, width, channels, 1); dense (in, out)"
)
_TYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2",
    "I8": "|i1", "U8": "|u1", "BOOL": "|b1",
}  # fmt: skip
_CODES = {np.dtype(kind): code for code, kind in _TYPES.items()}
_ALIGNED = 8
_LONGEST_HEADER = 100_000_000
"""As the format's own reader has it."""


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    dtype: str
    shape: List[int]
    data_offsets: Tuple[int, int]


def write_arrays(path: Path, arrays: Mapping[str, Array], about: Mapping[str, str]) -> None:
    """Write ``arrays`` by name; ``about`` goes into the header. Raises KeyError for a type that
    the format doesn't have, OSError.
    """
    header: Dict[str, Any] = {"__metadata__": dict(about)}
    parts: List[bytes] = []
    end = 0
    for name, array in arrays.items():
        plain = np.ascontiguousarray(array)
        code = _CODES[plain.dtype.newbyteorder("<")]
        parts.append(plain.astype(_TYPES[code], copy=False).tobytes())
        begin, end = end, end + len(parts[-1])
        # Of an array without dimensions ascontiguousarray makes one of one.
        shape = list(np.shape(array))
        header[name] = {"dtype": code, "shape": shape, "data_offsets": [begin, end]}
    text = msgspec.json.encode(header)
    text += b" " * (-len(text) % _ALIGNED)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)))
        file.write(text)
        for part in parts:
            file.write(part)


def read_arrays(path: Path) -> Dict[str, Array]:
    """All arrays by name. Raises ValueError that names the file and what is wrong, OSError."""
    data = path.read_bytes()
    entries, begin = _header(path, data)
    _check_places(path, entries, len(data) - begin)
    found: Dict[str, Array] = {}
    for name, entry in entries.items():
        first, last = (begin + offset for offset in entry.data_offsets)
        flat = np.frombuffer(data[first:last], np.dtype(_TYPES[entry.dtype]))
        found[name] = flat.reshape(entry.shape).copy()
    return found


def _header(path: Path, data: bytes) -> Tuple[Dict[str, _Entry], int]:
    """The entries, and where their bytes begin."""
    length = struct.unpack("<Q", data[:8])[0] if len(data) >= 8 else 0
    if not 2 <= length <= min(len(data) - 8, _LONGEST_HEADER):
        raise ValueError(f"{path} is no safetensors file: its header would have {length:,} bytes")
    try:
        header = msgspec.json.decode(data[8 : 8 + length], type=Dict[str, msgspec.Raw])
        header.pop("__metadata__", None)
        return {k: msgspec.json.decode(v, type=_Entry) for k, v in header.items()}, 8 + length
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no safetensors file: {error}") from error


def _check_places(path: Path, entries: Dict[str, _Entry], size: int) -> None:
    """Every array is as long as its shape says, and together they are all that there is."""
    at = 0
    for name, entry in sorted(entries.items(), key=lambda item: item[1].data_offsets):
        begin, end = entry.data_offsets
        if entry.dtype not in _TYPES:
            raise ValueError(f"{path}: {name}: no type {entry.dtype!r}. Accepted: {list(_TYPES)}")
        count = 1
        for side in entry.shape:
            count *= side
        wanted = count * np.dtype(_TYPES[entry.dtype]).itemsize
        if begin != at or end - begin != wanted or any(side < 0 for side in entry.shape):
            raise ValueError(f"{path}: {name}: its bytes are not where its shape says")
        at = end
    if at != size:
        raise ValueError(f"{path} has {size:,} bytes of arrays; its header tells of {at:,}")
