"""Reading and writing the files of a run strictly: one version, no duplicates, no NaN."""

from __future__ import annotations

import array
import json
import os
import stat
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple, Type, TypeVar

import msgspec

from manifests import decode_cache
from manifests.credentials import cleaned
from manifests.errors import RepliquantError
from manifests.files import write_atomically
from manifests.manifest import SCHEMA, SCHEMA_NAME, SCHEMA_VERSION, Manifest
from manifests.msgspec_threads import looked_at
from manifests.plan import Plan

MAX_BYTES = 16 * 2**20
MAX_PLAN_BYTES = 256 * 2**20
"""A plan lists every cell of a run; 100,000 of them take about 80 MiB."""

T = TypeVar("T")
Upgrade = Callable[[Dict[str, Any]], Dict[str, Any]]

UPGRADES: Dict[int, Upgrade] = {}
"""Version n to the function that turns its plain data into version n + 1."""

# How a manifest of this version begins when this version wrote it.
_CURRENT = b'{"schema":"%s","id":' % SCHEMA.encode()


def _plain(value: Any) -> Any:
    """Many manifests hold their numbers as arrays (manifests.compaction)."""
    if isinstance(value, array.array):
        return value.tolist()
    raise TypeError(type(value).__name__)


_encoder = msgspec.json.Encoder(enc_hook=_plain)
_manifest_decoder = msgspec.json.Decoder(Manifest)


class UnreadableError(RepliquantError, ValueError):
    """A file that can't be used as it is; the message names it and says what to do."""


class _Header(msgspec.Struct):
    schema: str


_header_decoder = msgspec.json.Decoder(_Header)


def encode_manifest(manifest: Manifest) -> bytes:
    """Compact JSON in the order of the fields, ending with a newline."""
    return _encoder.encode(manifest) + b"\n"


def decode_manifest(data: bytes) -> Manifest:
    """Parse strictly. Raises UnreadableError without a file name.

    What this version wrote is recognised by encoding it again (a few microseconds); anything
    else is searched for duplicate keys, which JSON decoders keep silently.
    """
    if len(data) > MAX_BYTES:
        raise UnreadableError(f"is {len(data):,} bytes, more than the {MAX_BYTES:,} allowed")
    manifest = decode_cache.decode(data) if data.startswith(_CURRENT) else None
    if manifest is None:
        manifest = _decode_current(data)
        if encode_manifest(manifest) != data:
            refuse_duplicates(data)
    if manifest.cell.id != manifest.id:
        raise UnreadableError(
            f"says id {manifest.id}, but its cell has id {manifest.cell.id}: it was edited"
        )
    return manifest


def _decode_current(data: bytes) -> Manifest:
    try:
        version = schema_version(_header_decoder.decode(data).schema)
        if version == SCHEMA_VERSION:
            return _manifest_decoder.decode(data)
        return msgspec.convert(upgrade(msgspec.json.decode(data), version), Manifest)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise UnreadableError(f"is not a manifest: {error}") from error


def schema_version(schema: str, name: str = SCHEMA_NAME, newest: int = SCHEMA_VERSION) -> int:
    """The number in ``name/number``. Raises UnreadableError for another or a newer one."""
    prefix, _, number = schema.rpartition("/")
    if prefix != name or not (number.isascii() and number.isdigit() and len(number) < 10):
        raise UnreadableError(f"has schema {schema[:80]!r}, expected {name}/{newest}")
    version = int(number)
    if version > newest:
        raise UnreadableError(
            f"was written by a newer Repliquant (schema {schema}); this one reads up to "
            f"{name}/{newest}: update Repliquant to read it"
        )
    return version


def upgrade(
    data: Dict[str, Any],
    version: int,
    steps: Dict[int, Upgrade] = UPGRADES,
    newest: int = SCHEMA_VERSION,
) -> Dict[str, Any]:
    """Apply the steps from ``version`` to ``newest``. Raises UnreadableError when one lacks."""
    while version < newest:
        if version not in steps:
            raise UnreadableError(f"has schema version {version}, which was never released")
        data = steps[version](data)
        version += 1
    return data


def refuse_duplicates(data: bytes) -> None:
    """Raise UnreadableError when an object in the JSON text names a key twice."""
    try:
        json.loads(data, object_pairs_hook=_unique)
    except (RecursionError, ValueError) as error:
        raise UnreadableError(f"is not a manifest: {error}") from error


def _unique(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise UnreadableError(f"names the key {twice[:80]!r} twice")
    return result


def read_manifest(path: Path) -> Manifest:
    """Read one file. Raises UnreadableError (named) or OSError."""
    return _named(path, decode_manifest)


def read_struct(path: Path, kind: Type[T], limit: int = MAX_BYTES) -> T:
    """Read a plan, cell or context. Raises UnreadableError (named) or OSError."""

    def decode(data: bytes) -> T:
        try:
            return msgspec.json.decode(data, type=looked_at(kind))
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            raise UnreadableError(f"is not a {kind.__name__.lower()}: {error}") from error

    return _named(path, decode, limit)


def read_bounded(path: str, limit: int = MAX_BYTES) -> bytes:
    """A regular file, at most one byte more than is allowed. Raises UnreadableError, OSError.

    Opened without blocking: something in the file's place may be a pipe.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableError("is not a file")
        return os.read(descriptor, min(status.st_size, limit) + 1)
    finally:
        os.close(descriptor)


def _named(path: Path, decode: Callable[[bytes], T], limit: int = MAX_BYTES) -> T:
    try:
        return decode(read_bounded(str(path), limit))
    except UnreadableError as error:
        raise UnreadableError(f"{path}: {error}") from error


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Write once and atomically, without credentials. FileExistsError when there is one already."""
    if path.exists():
        raise FileExistsError(f"{path} exists; manifests are never overwritten")
    write_atomically(path, encode_manifest(cleaned(manifest).manifest))


def write_plan(path: Path, plan: Plan) -> None:
    """Write the plan, indented for people, atomically."""
    write_atomically(path, msgspec.json.format(_encoder.encode(plan), indent=1) + b"\n")
