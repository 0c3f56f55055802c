"""``python -m services.reference [FILE]``: docs/reference.md, from the types that files are read
into. A test holds the committed page to them.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect as types

from manifests.framework import Framework
from manifests.paths import ROOT
from orchestrator.environments.images import ImageFile
from papers.audit import AuditFile
from papers.claims import ClaimsFile
from papers.figures import FiguresFile
from papers.study_types import Study
from papers.table_types import TablesFile

PAGE = ROOT / "docs" / "reference.md"
FILES: tuple[tuple[str, str, type[Any]], ...] = (
    ("study.toml", "a study: what its cells are and what tiers spend", Study),
    ("published/tables.toml", "the paper's tables, and what their columns measure", TablesFile),
    ("published/figures.toml", "what the paper draws of its tables", FiguresFile),
    ("claims.toml", "what the paper says, with its tests", ClaimsFile),
    ("audit.toml", "what the published numbers have to satisfy", AuditFile),
    ("image.toml", "an environment", ImageFile),
    ("framework.toml", "a framework, in its folder of runners", Framework),
)
_HEAD = """\
# Reference of the files that people write

Written by `just docs` from the types that the files are read into; a key that isn't here is
refused. *required*: the file is refused without it. Types: text, number, yes or no, a list, a
table (`name = { … }` or `[name]`).
"""


def page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *(line for file in FILES for line in _file(*file))])


def _file(name: str, what: str, kind: type[Any]) -> Iterator[str]:
    yield f"## `{name}`: {what}\n"
    for index, each in enumerate(_structs(kind)):
        if index:
            yield f"### {_words(each.__name__)}\n"
        yield f"{_prose(each)}\n"
        yield "| key | is | without it |"
        yield "| --- | --- | --- |"
        yield from (_row(field) for field in msgspec.structs.fields(each))
        yield ""


def _structs(kind: type[Any]) -> list[type[Any]]:
    """The type and those in it, each once, in the order in which they are met."""
    found = {kind: None}
    for field in msgspec.structs.fields(kind):
        for inner in _inside(types.type_info(field.type)):
            found.update(dict.fromkeys(_structs(inner)))
    return list(found)


def _inside(info: types.Type) -> Iterator[type[Any]]:
    if isinstance(info, types.StructType):
        yield info.cls
    for name in ("item_type", "key_type", "value_type"):
        if hasattr(info, name):
            yield from _inside(getattr(info, name))
    for one in getattr(info, "types", ()):
        yield from _inside(one)


def _row(field: msgspec.structs.FieldInfo) -> str:
    return f"| `{field.encode_name}` | {_is(types.type_info(field.type))} | {_default(field)} |"


_PLAIN = {
    types.StrType: "text", types.IntType: "whole number", types.FloatType: "number",
    types.BoolType: "`true` or `false`",
}  # fmt: skip


def _is(info: types.Type) -> str:
    """A type in words."""
    for kind, word in _PLAIN.items():
        if isinstance(info, kind):
            return word
    if isinstance(info, types.LiteralType):
        return " or ".join(f"`{value}`" for value in info.values)
    if isinstance(info, types.StructType):
        return f"table: [{_words(info.cls.__name__)}](#{_anchor(info.cls.__name__)})"
    if isinstance(info, types.ListType):
        return f"list of {_is(info.item_type)}"
    if isinstance(info, types.DictType):
        return f"table: {_is(info.key_type)} = {_is(info.value_type)}"
    if isinstance(info, types.UnionType):
        return ", or ".join(_is(one) for one in info.types if not isinstance(one, types.NoneType))
    return "anything"


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "*required*"
    value = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
    if value is None or value in ("", [], {}, ()):
        return "none"
    if isinstance(value, msgspec.Struct):
        return "its own defaults"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _prose(kind: type[Any]) -> str:
    """The docstring as it stands in Markdown."""
    return (inspect.getdoc(kind) or "").replace("``", "`")


def _words(name: str) -> str:
    """ "WeightsFrom" -> "weights from"."""
    return "".join(f" {c.lower()}" if c.isupper() else c for c in name).strip()


def _anchor(name: str) -> str:
    return _words(name).replace(" ", "-")


def main(arguments: list[str]) -> int:
    """Write the page."""
    if arguments and arguments[0].startswith("-"):
        raise SystemExit(str(__doc__))
    target = Path(arguments[0]) if arguments else PAGE
    target.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
