"""Modules from folders outside: each is loaded once, and nobody sees one that is half loaded."""

from __future__ import annotations

import importlib.util
import sys
import threading
from pathlib import Path
from types import ModuleType

_loading = threading.RLock()


def outside_module(name: str, path: Path) -> ModuleType:
    """The module in ``path``, a file or a package's ``__init__.py``, known as ``name``.

    Raises what its code raises; then it is forgotten, and the next call loads it anew.
    """
    with _loading:
        found = sys.modules.get(name)
        return found if found and found.__file__ == str(path) else _loaded(name, path)


def _loaded(name: str, path: Path) -> ModuleType:
    package = [str(path.parent)] if path.stem == "__init__" else None
    spec = importlib.util.spec_from_file_location(name, path, submodule_search_locations=package)
    assert spec is not None and spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
