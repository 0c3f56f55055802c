"""Inside an image: a cell goes in, events come out, a manifest is left behind.

Python 3.8 code. numpy comes with every framework; a framework is imported only by the
modules of its own folder. Folders called ``runners`` on REPLIQUANT_PATH belong to this package:
their modules are found after its own.
"""

from __future__ import annotations

import importlib
from types import ModuleType

from manifests import paths

__path__.extend(str(folder) for folder in paths.outside("runners"))


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
