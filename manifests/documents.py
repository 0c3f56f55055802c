"""TOML documents read into types, with errors that name file, line and key. Host only."""

from __future__ import annotations

import re
from copy import deepcopy
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple, Type, TypeVar

import msgspec

from manifests.codec import UnreadableError, read_bounded
from manifests.errors import InputError
from manifests.msgspec_threads import looked_at
from manifests.suggest import nearest
from manifests.toml_lines import Step, Steps, line_of

MAX_BYTES = 2**20
"""Of a document; ours have some tens of thousands."""

ANY = "..."
"""In place of a key, in what msgspec says of the values of a table."""
_TYPES = {"str": "str", "int": "int", "float": "float", "bool": "bool", "list": "array",
          "dict": "object"}  # fmt: skip
MOST_REFUSALS = 20
"""Of one document."""

T = TypeVar("T")


class DocumentError(InputError):
    """A document that can't be used: ``file:line: key: what is wrong``.

    ``what`` is the message without its place, ``path`` and ``line`` are the place. ``steps`` lead
    to a key that there isn't.
    """

    steps: Steps = ()

    def __init__(self, path: Path, line: int, what: str, text: str = "") -> None:
        super().__init__(text or f"{path}:{line}: {what}")
        self.path, self.line, self.what = path, line, what


class Document(NamedTuple):
    """A TOML file that was read: its text for telling places, and what it says.

    ``offsets`` has how many entries come before the document's own, of lists that it adds to.
    """

    path: Path
    text: str
    data: Dict[str, Any]
    offsets: Mapping[str, int] = {}

    def line(self, *steps: Step, value: object = None) -> int:
        """The line of a key, or within it that of a value."""
        if len(steps) > 1 and isinstance(steps[1], int) and steps[0] in self.offsets:
            own = steps[1] - self.offsets[str(steps[0])]
            if own < 0:
                return 1
            steps = (steps[0], own, *steps[2:])
        return line_of(self.text, steps, value)


def read_toml(path: Path, kind: Type[T]) -> T:
    """Parse ``path`` into ``kind``. Raises DocumentError; a missing file too."""
    return converted(read_document(path), kind)


def read_document(path: Path) -> Document:
    """What a file says, of whatever kind. Raises DocumentError."""
    import tomllib  # the standard library has it from 3.11; runners never come here

    try:
        data = read_bounded(str(path), MAX_BYTES)
        if len(data) > MAX_BYTES:
            raise UnreadableError(f"more than {MAX_BYTES:,} bytes")
        text = data.decode("utf-8").replace("\r\n", "\n")
    except (OSError, UnreadableError, UnicodeDecodeError) as error:
        what = f"can't be read: {error}"
        raise DocumentError(path, 1, what, f"{path} {what}") from error
    try:
        return Document(path, text, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        line = _line_in(str(error), text)
        raise DocumentError(path, line, f"not TOML: {error}") from error
    except RecursionError as error:
        raise DocumentError(path, 1, "not TOML: nested too deep") from error
    except ValueError as error:  # a number or a date that Python can't hold
        raise DocumentError(path, 1, f"not TOML: {error}") from error


def converted(document: Document, kind: Type[T], data: Optional[Dict[str, Any]] = None) -> T:
    """The document as ``kind``; ``data`` in place of its own, where more went into it.

    Raises DocumentError.
    """
    try:
        return msgspec.convert(document.data if data is None else data, looked_at(kind))
    except msgspec.ValidationError as error:
        steps, what = explained(str(error), kind)
        steps = _resolved(document.data if data is None else data, steps, what)
        key = ".".join(step for step in steps if isinstance(step, str)) or "document"
        line = document.line(*steps)
        found = DocumentError(document.path, line, f"{key}: {what}")
        found.steps = steps if "unknown field" in what else ()
        raise found from error
    except ValueError as error:
        raise DocumentError(document.path, 1, f"not TOML: {error}") from error


def converted_as_far(
    document: Document, kind: Type[T], data: Optional[Dict[str, Any]] = None
) -> Tuple[Optional[T], List[DocumentError]]:
    """The document without the keys that there aren't, and what is refused of it; None where more
    than such keys is wrong.
    """
    rest = deepcopy(document.data if data is None else data)
    found: List[DocumentError] = []
    while len(found) < MOST_REFUSALS:
        try:
            return converted(document, kind, rest), found
        except DocumentError as error:
            found.append(error)
            if not error.steps or not _without(rest, error.steps):
                break
    return None, found


def _without(data: Any, steps: Steps) -> bool:
    """Whether the key at the end of the steps could be taken out."""
    for step in steps[:-1]:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return False
    return isinstance(data, dict) and data.pop(steps[-1], None) is not None


def explained(message: str, kind: Any) -> Tuple[Steps, str]:
    """The steps to what msgspec refuses (``... - at `$.a[2].b```), and why.

    A key that there isn't is told with the nearest that there is.
    """
    where = re.search(r"at `(?:key in )?\$([^`]*)`", message)
    found = re.findall(r"\.([A-Za-z0-9_-]+)|\[(\d+|\.\.\.)\]", where.group(1)) if where else []
    steps: List[Step] = [
        name or (int(index) if index.isdigit() else index) for name, index in found
    ]
    what = message.split(" - at ")[0]
    named = re.search(r"field `([^`]+)`", message)
    if named and "unknown" in message:
        accepted = _fields(kind, steps)
        what += f".{nearest(named.group(1), accepted)}" if accepted else ""
        what += f" Accepted: {', '.join(accepted)}" if accepted else ""
    if named:
        steps.append(named.group(1))
    return tuple(steps), what


def _resolved(data: Any, steps: Steps, what: str) -> Steps:
    """The steps with the keys that msgspec leaves out (``[...]``): the first that fits."""
    if ANY not in steps:
        return steps
    at = steps.index(ANY)
    inside = data
    for step in steps[:at]:
        inside = _get(inside, step)
    candidates = [(*steps[:at], key, *steps[at + 1 :]) for key in _keys(inside)]
    found = [_resolved(data, candidate, what) for candidate in candidates]
    fitting = [one for one in found if ANY not in one and _fits(_at(data, one), what)]
    return fitting[0] if fitting else tuple(step for step in steps if step != ANY)


def _at(data: Any, steps: Steps) -> Any:
    for step in steps:
        data = _get(data, step)
    return data


def _get(data: Any, step: Step) -> Any:
    try:
        return data[step]
    except (KeyError, IndexError, TypeError):
        return None


def _keys(data: Any) -> List[Step]:
    return list(data) if isinstance(data, dict) else list(range(len(data or ())))


def _fits(value: Any, what: str) -> bool:
    """Whether this value can be what is refused: of that type, there, or not there."""
    got = re.search(r"got `(\w+)`", what)
    if got:
        return _TYPES.get(type(value).__name__, "") == got.group(1)
    return (value is None) == ("missing required" in what)


def _fields(kind: Any, steps: List[Step]) -> List[str]:
    """The keys that are accepted where the steps lead; none where that isn't one struct."""
    import msgspec.inspect as inspect

    at: Any = inspect.type_info(kind)
    for step in steps:
        at = _inside(at, step)
        if at is None:
            return []
    found = [one for one in _choices(at) if isinstance(one, inspect.StructType)]
    return [field.encode_name for field in found[0].fields] if found else []


def _inside(at: Any, step: Step) -> Any:
    for one in _choices(at):
        for field in getattr(one, "fields", ()):
            if field.encode_name == step:
                return field.type
        inner = getattr(one, "item_type", None) or getattr(one, "value_type", None)
        if inner is not None:
            return inner
    return None


def _choices(at: Any) -> Tuple[Any, ...]:
    """The types of a union, without what only annotates them."""
    at = getattr(at, "type", at) if type(at).__name__ == "Metadata" else at
    return tuple(getattr(at, "types", (at,)))


def _line_in(message: str, text: str) -> int:
    found = re.search(r"line (\d+)", message)
    return int(found.group(1)) if found else text.count("\n") + 1
