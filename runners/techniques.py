"""Finding a technique: the file ``runners/<framework>/<technique>.py`` is the technique."""

from __future__ import annotations

import importlib
from typing import Callable

from manifests.cell import Cell
from manifests.errors import InputError
from manifests.runner_files import check_variant, framework_folders, known, technique_files
from runners import package
from runners.failures import Unsupported, memory_words
from runners.job import Job


def find(cell: Cell) -> Callable[[Job], None]:
    """The function that runs this cell's task. Raises Unsupported with what there is.

    A framework's folder may have ``before_import(cell)``: it is called before any technique, and
    so the framework itself, is imported, to set what is read from the environment only then.
    """
    memory_words()  # read while there is memory
    try:
        known(cell.framework, framework_folders(), "framework")
        known(cell.technique, technique_files(cell.framework), f"{cell.framework} technique")
        check_variant(cell.framework, cell.technique, cell.variant)
    except InputError as error:
        raise Unsupported(str(error)) from None
    before_import = getattr(package(cell.framework), "before_import", None)
    if before_import is not None:
        before_import(cell)
    if _has_folder(cell):
        return _of_model(cell)
    name = f"runners.{cell.framework}.{cell.technique.replace('-', '_')}"
    function = getattr(importlib.import_module(name), cell.task, None)
    if function is None:
        raise Unsupported(
            f"{cell.framework} technique {cell.technique!r} has no task {cell.task!r}"
        )
    run: Callable[[Job], None] = function
    return run


def _has_folder(cell: Cell) -> bool:
    """Whether the framework has a folder for the model: what answers other questions than which
    class a picture shows is trained, quantized and judged by other code.
    """
    folder = framework_folders()[cell.framework] / cell.model.replace("-", "_")
    return (folder / "tasks.py").is_file()


def _of_model(cell: Cell) -> Callable[[Job], None]:
    """Its ``task(cell)``. Raises Unsupported for a technique that it doesn't have."""
    name = f"runners.{cell.framework}.{cell.model.replace('-', '_')}.tasks"
    found: Callable[[Job], None] = importlib.import_module(name).task(cell)
    return found
