"""``framework.toml``: what Repliquant knows of a framework, in one place.

Python 3.8 has no TOML reader, and runners have only msgspec there. So the file keeps to the part
of TOML that reads the same as Python: ``[tables]``, and ``name = value`` with texts, numbers,
lists of texts. Where Python has a TOML reader both are held against each other.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from typing import Any, Dict, List

import msgspec

from manifests.errors import InputError
from manifests.msgspec_threads import looked_at

FRAMEWORK_FILE = "framework.toml"
_TABLE = re.compile(r"\s*\[([A-Za-z0-9_-]+)\]\s*(#.*)?")


class FrameworkError(InputError):
    """A file that can't be used; the message names it."""


class OutOfMemory(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a framework says that memory ran out; texts are compared in lower case.

    ``types`` say it by their name. ``resource_types`` too, unless the text names another resource
    (a disk, for one). ``error_types`` say it where the text has one of ``texts``, and leave it to
    the device's memory where it has one of ``unclear_texts``.
    """

    types: List[str] = []
    resource_types: List[str] = []
    error_types: List[str] = []
    texts: List[str] = []
    unclear_texts: List[str] = []


class Gpus(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``names``: a Python expression with the GPUs that the framework sees, its modules being
    imported. ``none``: what was asked, in words, where it sees none.
    """

    names: str
    none: str


class Framework(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One framework.

    ``title``: its name as its makers write it. ``modules``: what has to be importable, its own
    first. ``packages``: those whose versions are shown beside numbers, the framework's own first,
    under every name that it is installed by. ``cpu_image``: the environment for a processor.
    ``baseline``: the technique that speedups are against, by task. ``variables``: those that
    change its numbers, several to a text, separated by spaces. ``models``: networks that its
    runners build beside those that every framework has. ``shared_imports``: what a process imports
    that many small cells are forks of, and what none of them may have run before.
    """

    title: str
    modules: List[str]
    packages: List[str]
    cpu_image: str = ""
    baseline: Dict[str, str] = {}
    variables: List[str] = []
    models: List[str] = []
    shared_imports: List[str] = []
    gpus: Gpus = Gpus(names="[]", none="Repliquant knows no way to ask it")
    out_of_memory: OutOfMemory = OutOfMemory()

    def baseline_of(self, task: str) -> str:
        """The technique that a speedup in ``task`` is against."""
        return self.baseline.get(task, "float32")


def read_framework(path: Path) -> Framework:
    """Raises FrameworkError that names the file and what is wrong."""
    try:
        text = path.read_text(encoding="utf-8")
        _same_as_toml(text, plain_toml(text))
        found = msgspec.convert(plain_toml(text), looked_at(Framework))
    except (OSError, ValueError) as error:
        raise FrameworkError(f"{path}: {error}") from error
    if not found.modules or not found.packages:
        raise FrameworkError(f"{path}: modules and packages need one entry at least")
    return found


def plain_toml(text: str) -> Dict[str, Any]:
    """The part of TOML that is Python too. Raises ValueError with the line."""
    found: Dict[str, Any] = {}
    table, begin, lines = found, 1, text.split("\n")
    for number, line in enumerate([*lines, "[end]"], start=1):
        header = _TABLE.fullmatch(line)
        if header is None:
            continue
        table.update(_assignments("\n".join(lines[begin - 1 : number - 1]), begin))
        table, begin = {}, number + 1
        if number <= len(lines):
            table = found.setdefault(header[1], {})
    return found


def _assignments(text: str, first_line: int) -> Dict[str, Any]:
    found: Dict[str, Any] = {}
    try:
        for statement in ast.parse(text).body:
            first_line_of = first_line + statement.lineno - 1
            if not isinstance(statement, ast.Assign) or not isinstance(
                statement.targets[0], ast.Name
            ):
                raise ValueError(f"line {first_line_of}: not 'name = value'")
            found[statement.targets[0].id] = ast.literal_eval(statement.value)
    except SyntaxError as error:
        raise ValueError(
            f"line {first_line + (error.lineno or 1) - 1}: {error.msg}; accepted are texts, "
            "numbers and lists of texts"
        ) from None
    return found


def _same_as_toml(text: str, plain: Dict[str, Any]) -> None:
    """Raises ValueError where a TOML reader finds something else."""
    if sys.version_info < (3, 11):
        return
    import tomllib

    whole = tomllib.loads(text)
    for key in [*whole, *plain]:
        if whole.get(key) != plain.get(key):
            raise ValueError(
                f"{key}: Python 3.8 would read it as {plain.get(key)!r}, a TOML reader as "
                f"{whole.get(key)!r}; write plain texts, numbers and lists of texts"
            )
