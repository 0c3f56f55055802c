"""Imported once by the fork server of ``warm``: libraries, and nothing of ours."""

import importlib

from tests.fakes.warm import LIBRARIES

for _name in LIBRARIES:
    importlib.import_module(_name)
