"""Finding a technique: the file ``runners/<framework>/<technique>.py`` is the technique."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import Callable, Dict, Iterable, List

from manifests import paths
from manifests.cell import Cell
from manifests.select import nearest
from runners.failures import Unsupported
from runners.job import Job

_NO_FRAMEWORK = ("models", "protocols")


def frameworks() -> List[str]:
    """The folders that hold techniques, here and on REPLIQUANT_PATH."""
    found = {
        path.parent.name for root in paths.runner_roots() for path in root.glob("[!_.]*/[!.]*.py")
    }
    return sorted(found - set(_NO_FRAMEWORK))


def techniques(framework: str) -> List[str]:
    """The techniques of a framework, by their file names."""
    return list(files(framework))


def files(framework: str) -> Dict[str, Path]:
    """The file of every technique. Raises InputError for a name that occurs twice."""
    return paths.files(f"{framework} technique", (r / framework for r in paths.runner_roots()))


def package(name: str) -> ModuleType:
    """``runners.<name>`` with what folders of that name on REPLIQUANT_PATH add to it."""
    module = importlib.import_module(f"runners.{name}")
    known = list(module.__path__)
    more = (str(folder / name) for folder in paths.outside("runners") if (folder / name).is_dir())
    # A package without __init__.py has all of its folders by itself, and its list can't grow.
    missing = [folder for folder in more if folder not in known]
    if missing:
        module.__path__.extend(missing)
    return module


def find(cell: Cell) -> Callable[[Job], None]:
    """The function that runs this cell's task. Raises Unsupported with what there is.

    A framework's folder may have ``before_import(cell)``: it is called before any technique, and
    so the framework itself, is imported, to set what is read from the environment only then.
    """
    _known(cell.framework, frameworks(), "framework")
    _known(cell.technique, techniques(cell.framework), f"{cell.framework} technique")
    before_import = getattr(package(cell.framework), "before_import", None)
    if before_import is not None:
        before_import(cell)
    name = f"runners.{cell.framework}.{cell.technique.replace('-', '_')}"
    function = getattr(importlib.import_module(name), cell.task, None)
    if function is None:
        raise Unsupported(
            f"{cell.framework} technique {cell.technique!r} has no task {cell.task!r}"
        )
    run: Callable[[Job], None] = function
    return run


def _known(value: str, accepted: Iterable[str], what: str) -> None:
    accepted = list(accepted)
    if value not in accepted:
        raise Unsupported(
            f"no {what} {value!r}.{nearest(value, accepted)} Accepted: {', '.join(accepted)}"
        )
