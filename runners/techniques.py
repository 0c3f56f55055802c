"""Finding a technique: the file ``runners/<framework>/<technique>.py`` is the technique."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import Callable, List

from manifests.cell import Cell
from manifests.select import nearest
from runners.failures import Unsupported
from runners.job import Job

_ROOT = Path(__file__).parent


def frameworks() -> List[str]:
    """The folders that hold techniques."""
    found = {item.name for item in pkgutil.iter_modules([str(_ROOT)]) if item.ispkg}
    return sorted(found - {"models"})


def techniques(framework: str) -> List[str]:
    """The techniques of a framework, by their file names."""
    found = pkgutil.iter_modules([str(_ROOT / framework)])
    return sorted(item.name.replace("_", "-") for item in found if not item.ispkg)


def find(cell: Cell) -> Callable[[Job], None]:
    """The function that runs this cell's task. Raises Unsupported with what there is.

    A framework's folder may have ``before_import(cell)``: it is called before any technique, and
    so the framework itself, is imported, to set what is read from the environment only then.
    """
    _known(cell.framework, frameworks(), "framework")
    _known(cell.technique, techniques(cell.framework), f"{cell.framework} technique")
    package = f"runners.{cell.framework}"
    before_import = getattr(importlib.import_module(package), "before_import", None)
    if before_import is not None:
        before_import(cell)
    module = importlib.import_module(f"{package}.{cell.technique.replace('-', '_')}")
    function = getattr(module, cell.task, None)
    if function is None:
        raise Unsupported(
            f"{cell.framework} technique {cell.technique!r} has no task {cell.task!r}"
        )
    run: Callable[[Job], None] = function
    return run


def _known(value: str, accepted: List[str], what: str) -> None:
    if value not in accepted:
        raise Unsupported(
            f"no {what} {value!r}.{nearest(value, accepted)} Accepted: {', '.join(accepted)}"
        )
