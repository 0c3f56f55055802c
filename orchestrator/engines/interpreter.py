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
from manifests.manifest import ImageUsed
from orchestrator.engines.base import Tell
from orchestrator.engines.local_processes import LocalEngine
from orchestrator.environments.images import Image
from orchestrator.environments.pythons import clean_environment
from orchestrator.messages import Note

MODULES = {"pytorch": "torch", "tensorflow": "tensorflow"}
_PROBE_TIMEOUT_S = 180
_PROBE = """
import importlib, importlib.util, json, sys
found = {"python": sys.version.split()[0], "modules": {}}
if importlib.util.find_spec("tensorflow"):
    found["modules"]["tensorflow"] = ""
for name in ("msgspec", "numpy", "torch"):
    try:
        module = importlib.import_module(name)
        found["modules"][name] = str(getattr(module, "__version__", ""))
    except Exception as error:
        found["missing"] = {**found.get("missing", {}), name: str(error)[:200]}
if "torch" in found["modules"]:
    import torch
    try:
        if torch.cuda.is_available():
            count = torch.cuda.device_count()
            found["gpus"] = [torch.cuda.get_device_name(i) for i in range(count)]
    except Exception as error:
        found["missing"] = {**found.get("missing", {}), "cuda": str(error)[:200]}
print("FOUND " + json.dumps(found))
"""
# On its own: it takes seconds, and two frameworks in one process can bring each other down.
_PROBE_TENSORFLOW = """
import json, sys
found = {"python": sys.version.split()[0]}
try:
    import tensorflow
    found["modules"] = {"tensorflow": tensorflow.__version__}
    found["gpus"] = [gpu.name for gpu in tensorflow.config.list_physical_devices("GPU")]
except Exception as error:
    found["missing"] = {"tensorflow": str(error)[:200]}
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
            raise InputError(f"--python {str(python)!r} is no program; give the path of a Python")
        # Not resolved: a virtual environment's Python is a link that has to stay one.
        self.python = Path(os.path.abspath(found))

    @cached_property
    def probed(self) -> Probed:
        """Raises MachineError when the interpreter doesn't run."""
        return probe(self.python)

    @cached_property
    def probed_tensorflow(self) -> Probed:
        """The same by TensorFlow alone, where it is installed; a broken one sees no GPU."""
        if "tensorflow" not in self.probed.modules:
            return Probed(python=self.probed.python)
        try:
            return probe(self.python, _PROBE_TENSORFLOW)
        except MachineError as error:
            return Probed(python=self.probed.python, missing={"tensorflow": str(error)})

    def seen(self, framework: str) -> list[str]:
        """The GPUs that this framework sees."""
        return (self.probed if framework == "pytorch" else self.probed_tensorflow).gpus

    def interpreter(self, image: Image) -> Path:
        return self.python

    def obstacle(self, image: Image) -> str:
        """What it lacks is said when a cell wants it: asking takes as long as importing."""
        return ""

    def status(self, image: Image) -> str:
        return "ready"

    def gpus(self) -> list[str]:
        names = self.seen("pytorch") or self.seen("tensorflow")
        if CUDA not in os.environ:
            return list(allotment(len(names)).gpus)
        # They are those of the variable, which it numbers from 0: its own entries name them.
        return list(visible_gpus().gpus)[: len(names)]

    def prepare(self, image: Image, tell: Tell) -> ImageUsed:
        """Raises MachineError when a package is missing that the image would have."""
        for name in ("msgspec", "numpy", MODULES[image.file.framework]):
            if name not in self.probed.modules:
                why = self.probed.missing.get(name, "missing")
                raise MachineError(
                    f"{self.python} can't run {image.file.framework} cells: {name}: {why}. "
                    f"Install it there ({self.python} -m pip install {name})"
                )
        tell(Note(f"{image.name}: {self.python} in place of it", "detail"))
        return ImageUsed(name=image.name, kind="given")


def probe(python: Path, script: str = _PROBE) -> Probed:
    """Ask an interpreter for its packages and GPUs. Raises MachineError."""
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
            return msgspec.convert(json.loads(line.removeprefix("FOUND ")), Probed)
    last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
    raise MachineError(f"{python} can't be run: {''.join(last) or 'it printed nothing'}")


def _environment() -> dict[str, str]:
    """What is carried with this project counts as there, since cells get it too."""
    if not paths.VENDOR.is_dir():
        return clean_environment()
    return {**clean_environment(), "PYTHONPATH": str(paths.VENDOR)}
