"""TOML documents read into types, with errors that name file, line and key. Host only."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Type, TypeVar

import msgspec

from manifests.codec import UnreadableError, read_bounded
from manifests.errors import RepliquantError
from manifests.msgspec_threads import looked_at

MAX_BYTES = 2**20
"""Of a document; ours have some tens of thousands."""

T = TypeVar("T")


class DocumentError(RepliquantError, ValueError):
    """A document that can't be used: ``file:line: key: what is wrong``."""


def read_toml(path: Path, kind: Type[T]) -> T:
    """Parse ``path`` into ``kind``. Raises DocumentError; a missing file too."""
    import tomllib  # the standard library has it from 3.11; runners never come here

    try:
        data = read_bounded(str(path), MAX_BYTES)
        if len(data) > MAX_BYTES:
            raise UnreadableError(f"more than {MAX_BYTES:,} bytes")
        text = data.decode("utf-8").replace("\r\n", "\n")
    except (OSError, UnreadableError, UnicodeDecodeError) as error:
        raise DocumentError(f"{path} can't be read: {error}") from error
    try:
        return msgspec.convert(tomllib.loads(text), looked_at(kind))
    except tomllib.TOMLDecodeError as error:
        raise DocumentError(f"{path}:{_line_in(str(error))}: not TOML: {error}") from error
    except RecursionError as error:
        raise DocumentError(f"{path}:1: not TOML: nested too deep") from error
    except msgspec.ValidationError as error:
        raise DocumentError(_explain(path, text, str(error))) from error
    except ValueError as error:  # a number or a date that Python can't hold
        raise DocumentError(f"{path}:1: not TOML: {error}") from error


def _line_in(message: str) -> str:
    found = re.search(r"line (\d+)", message)
    return found.group(1) if found else "end"


def _explain(path: Path, text: str, message: str) -> str:
    """msgspec says ``... - at `$.a[2].b```; find the line that this path leads to."""
    where = re.search(r"at `(?:key in )?\$([^`]*)`", message)
    steps = re.findall(r"\.([A-Za-z0-9_-]+)|\[(\d+|\.\.\.)\]", where.group(1)) if where else []
    keys = [name for name, _ in steps if name]
    named = re.search(r"field `([^`]+)`", message)
    if named:
        keys.append(named.group(1))
    line = find_line(text, steps, named.group(1) if named else None)
    what = message.split(" - at ")[0]
    return f"{path}:{line}: {'.'.join(keys) or 'document'}: {what}"


def find_line(text: str, steps: list[tuple[str, str]], field: str | None) -> int:
    """The line (from 1) of the deepest part of a path that can be found in the text."""
    lines = text.splitlines()
    at = 0
    for position, (name, index) in enumerate(steps):
        if index.isdigit():
            array = steps[position - 1][0]
            at = _nth(lines, rf"\s*\[\[\s*(\w+\.)*{re.escape(array)}\s*\]\]", int(index), at)
        elif name:
            at = _nth(lines, rf"\s*(\[.*\b{re.escape(name)}\b|(\w+\.)*{re.escape(name)}\b)", 0, at)
    if field:
        at = _nth(lines, rf"\s*(\w+\.)*{re.escape(field)}\b", 0, at)
    return at + 1


def _nth(lines: list[str], pattern: str, number: int, start: int) -> int:
    """Index of the match ``number`` (from 0) of ``pattern`` from ``start``, else ``start``."""
    seen = 0
    for index in range(start, len(lines)):
        if re.match(pattern, lines[index]):
            if seen == number:
                return index
            seen += 1
    return start
