"""Which engines there are: files and folders with an ``ENGINE`` in them, here and outside.

Names are read from the files' text; an engine is imported when it is asked for.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

from manifests import paths
from manifests.errors import InputError, MachineError
from manifests.suggest import nearest
from orchestrator.engines.base import Engine, Entry
from orchestrator.outside_module import outside_module

AUTO = "auto"
_OWN = Path(__file__).resolve().parent
_ENTRY = re.compile(rb"^ENGINE\b", re.MULTILINE)
_outside: list[Path] = []


def search(folders: Iterable[Path]) -> None:
    """Look for engines in these folders too, after those looked in already."""
    _outside.extend(folder for folder in folders if folder not in _outside)


def names() -> list[str]:
    """The names of all engines."""
    return sorted(_files())


def entry(name: str) -> Entry:
    """What the engine called ``name`` says of itself.

    Raises InputError with the names, MachineError for one from outside that can't be loaded.
    """
    path = _files().get(name)
    if path is None:
        accepted = [AUTO, *names()]
        raise InputError(
            f"no engine {name!r}.{nearest(name, accepted)} Accepted: {', '.join(accepted)}"
        )
    found: Entry = _module(name, path).ENGINE
    return found


def ranked() -> list[tuple[str, Entry]]:
    """Those that ``auto`` chooses from, in its order."""
    ranks = {name: one.rank for name, one in _all() if one.rank is not None}
    return [(name, entry(name)) for name in sorted(ranks, key=lambda name: ranks[name])]


def first(containers: bool) -> str:
    """The name of the first in rank that runs containers, or that needs none."""
    return next(name for name, one in ranked() if one.containers == containers)


def make_engine(name: str, python: Path | None = None) -> Engine:
    """The engine called ``name``; ``python`` runs its cells in place of the images.

    Raises InputError with the names, MachineError where it can't be had.
    """
    return entry(name).make() if python is None else _with_python(name, python)


def _with_python(name: str, python: Path) -> Engine:
    able = {found: one.with_python for found, one in _all() if one.with_python is not None}
    make = next(iter(able.values())) if name == AUTO else able.get(name)
    if make is None:
        raise InputError(
            f"--python goes with --engine {' or '.join(able)}; {name!r} brings its own interpreter"
        )
    return make(python)


def _all() -> Iterator[tuple[str, Entry]]:
    yield from ((name, entry(name)) for name in names())


def _files() -> dict[str, Path]:
    """Each engine's file, by its name. Raises InputError for a name that occurs twice."""
    found: dict[str, Path] = {}
    for folder in (_OWN, *_outside, *paths.outside("engines")):
        for path in (*folder.glob("[!_.]*.py"), *folder.glob("[!_.]*/__init__.py")):
            if not _ENTRY.search(path.read_bytes()):
                continue
            name = (path.parent.name if path.stem == "__init__" else path.stem).replace("_", "-")
            if name in found:
                raise InputError(
                    f"there are two engines {name!r}: {found[name]} and {path}. Rename one"
                )
            found[name] = path
    return found


def _module(name: str, path: Path) -> ModuleType:
    """Raises MachineError for one from outside that can't be loaded."""
    inside = path.is_relative_to(_OWN)
    if inside:
        return importlib.import_module(f"{__package__}.{name.replace('-', '_')}")
    try:
        return outside_module(f"repliquant_engine_{name.replace('-', '_')}", path)
    except Exception as error:
        raise MachineError(
            f"the engine {path} can't be loaded: {type(error).__name__}: {error}. "
            "Fix it, or take its folder out of the search"
        ) from error
