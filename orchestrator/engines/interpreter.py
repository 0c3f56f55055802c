"""The local engine with an interpreter that is there already, in place of our environments."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from functools import cached_property
from pathlib import Path

import msgspec

from machine.allotment import CUDA, allotment
from machine.inventory import visible_gpus
from manifests import paths
from manifests.errors import InputError, MachineError
from manifests.framework import Framework
from manifests.manifest import ImageUsed
from manifests.msgspec_threads import looked_at
from manifests.runner_files import framework, readable_frameworks
from orchestrator.engines.base import Tell
from orchestrator.engines.local_processes import LocalEngine
from orchestrator.environments.images import Image
from orchestrator.environments.pythons import clean_environment
from orchestrator.messages import LogLine

_PROBE_TIMEOUT_S = 180
_NEEDED = ("msgspec", "numpy")
"""What a runner imports whatever the framework."""
# Frameworks are looked for, not imported: that takes seconds.
_PROBE = """
import importlib, importlib.util, json, sys
found = {"python": sys.version.split()[0], "modules": {}, "missing": {}}
for name in %(needed)r:
    try:
        module = importlib.import_module(name)
        found["modules"][name] = str(getattr(module, "__version__", ""))
    except Exception as error:
        found["missing"][name] = str(error)[:200]
for name in %(modules)r:
    if importlib.util.find_spec(name):
        found["modules"][name] = ""
    else:
        found["missing"][name] = "not installed"
print("FOUND " + json.dumps(found))
"""
# In a process of its own: two frameworks in one can bring each other down.
_PROBE_FRAMEWORK = """
import json, sys
found = {"python": sys.version.split()[0], "modules": {}, "missing": {}}
name = %(first)r
try:
%(imports)s
    found["gpus"] = [str(name) for name in %(gpus)s]
except Exception as error:
    found["missing"][name] = str(error)[:200]
print("FOUND " + json.dumps(found))
"""


class Probed(msgspec.Struct, frozen=True, kw_only=True):
    """What an interpreter says of itself: modules with versions, what fails, CUDA's devices."""

    python: str
    modules: dict[str, str] = {}
    missing: dict[str, str] = {}
    gpus: list[str] = []


class GivenEngine(LocalEngine):
    """Runs every cell with one interpreter; its packages are whatever they are."""

    def __init__(self, python: Path) -> None:
        """Raises InputError when there is no such program."""
        super().__init__()
        found = shutil.which(str(python))
        if found is None:
            raise InputError(
                f"--python {str(python)!r} is not an executable; give the path of a Python"
            )
        # Not resolved: a virtual environment's Python is a link that has to stay one.
        self.python = Path(os.path.abspath(found))
        self._by_framework: dict[str, Probed] = {}

    @cached_property
    def probed(self) -> Probed:
        """Raises MachineError when the interpreter doesn't run, or no cell could in it."""
        found = probe(self.python)
        for name in _NEEDED:
            if name not in found.modules:
                why = found.missing.get(name, "missing")
                raise MachineError(_lacks(self.python, "any", name, why))
        return found

    def probed_by(self, name: str) -> Probed:
        """The same by one framework, which is imported for it; a broken one sees no GPU."""
        if name not in self._by_framework:
            self._by_framework[name] = self._probed_by(framework(name))
        return self._by_framework[name]

    def _probed_by(self, asked: Framework) -> Probed:
        if not self._has(asked):
            return Probed(python=self.probed.python, missing=self.probed.missing)
        try:
            return probe(self.python, framework_probe(asked))
        except MachineError as error:
            return Probed(python=self.probed.python, missing={asked.modules[0]: str(error)})

    def _has(self, asked: Framework) -> bool:
        return all(name in self.probed.modules for name in asked.modules)

    def has(self, name: str) -> bool:
        """Whether the interpreter has this framework's modules; they may be broken."""
        return self._has(framework(name))

    def seen(self, name: str) -> list[str]:
        """The GPUs that this framework sees."""
        return self.probed_by(name).gpus

    def interpreter(self, image: Image) -> Path:
        return self.python

    def obstacle(self, image: Image) -> str:
        """What it lacks is said when a cell wants it: asking takes as long as importing."""
        return ""

    def status(self, image: Image) -> str:
        return "ready"

    def gpus(self) -> list[str]:
        names = next(filter(None, map(self.seen, readable_frameworks())), [])
        if CUDA not in os.environ:
            return list(allotment(len(names)).gpus)
        # They are those of the variable, which it numbers from 0: its own entries name them.
        return list(visible_gpus().gpus)[: len(names)]

    def prepare(self, image: Image, tell: Tell) -> ImageUsed:
        """Raises MachineError when a package is missing that the image would have."""
        own = self.probed_by(image.file.framework)
        modules = {**self.probed.modules, **own.modules}
        missing = {**self.probed.missing, **own.missing}
        for name in framework(image.file.framework).modules:
            if name not in modules or name in own.missing:
                why = missing.get(name, "missing")
                raise MachineError(_lacks(self.python, image.file.framework, name, why))
        tell(LogLine(f"{image.name}: {self.python} in place of it", "detail"))
        return ImageUsed(name=image.name, kind="given")


def _lacks(python: Path, cells: str, name: str, why: str) -> str:
    return (
        f"{python} can't run {cells} cells: {name}: {why}. "
        f"Install it there ({python} -m pip install {name})"
    )


def framework_probe(asked: Framework) -> str:
    """A script that imports a framework and asks it for versions and GPUs."""
    lines = [
        f"    name = {name!r}; import {name}; "
        f"found['modules'][name] = str(getattr(sys.modules[name], '__version__', ''))"
        for name in asked.modules
    ]
    return _PROBE_FRAMEWORK % {
        "first": asked.modules[0], "imports": "\n".join(lines), "gpus": asked.gpus.names,
    }  # fmt: skip


def probe(python: Path, script: str = "") -> Probed:
    """Ask an interpreter for its packages, or by ``script`` for more. Raises MachineError."""
    modules = [name for each in readable_frameworks().values() for name in each.modules]
    script = script or _PROBE % {"needed": _NEEDED, "modules": modules}
    try:
        done = subprocess.run(
            [python, "-c", script], capture_output=True, text=True, errors="replace",
            stdin=subprocess.DEVNULL, timeout=_PROBE_TIMEOUT_S, check=False, cwd="/",
            env=_environment(),
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MachineError(f"{python} can't be run: {error}") from error
    for line in done.stdout.splitlines():
        if line.startswith("FOUND "):
            return msgspec.convert(json.loads(line.removeprefix("FOUND ")), looked_at(Probed))
    last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
    raise MachineError(f"{python} can't be run: {''.join(last) or 'it printed nothing'}")


def _environment() -> dict[str, str]:
    """What is carried with this project counts as there, since cells get it too."""
    if not paths.VENDOR.is_dir():
        return clean_environment()
    return {**clean_environment(), "PYTHONPATH": str(paths.VENDOR)}
