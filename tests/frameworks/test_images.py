"""Every image proves itself with its own verify script."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from orchestrator.environments import venvs
from orchestrator.environments.images import image_names, load_image
from orchestrator.environments.pins import read_pins
from tests.frameworks.conftest import interpreter

pytestmark = pytest.mark.frameworks
# What takes longer to download than to test is checked where somebody has made it.
LARGE_MB = 1000
# No study's own: what they add is a further version of a framework, in experiment matrix.
FURTHER = {"litert-cpu", "pytorch-2.0", "tensorflow-2.12"}
# The others exist as containers only.
LOCAL = [
    pytest.param(name, marks=[pytest.mark.thorough] if name in FURTHER else [])
    for name in image_names()
    if not load_image(name).container_only
]
CHECKS = {
    "brevitas-cpu": 2, "larq-cpu": 1, "onnxruntime-cpu": 2, "pytorch-2.0": 2, "tensorflow-22.03": 4,
}  # fmt: skip
# The pip of an old Python comes with its environment.
_PIP = ("pip", "setuptools")


@pytest.mark.parametrize("name", LOCAL)
def test_the_image_does_what_the_studies_need(name: str) -> None:
    image = load_image(name)
    _made(name)
    done = subprocess.run(
        venvs.verify_command(image), env=venvs.verify_environment(),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("ok: ") == CHECKS.get(name, 3)


@pytest.mark.parametrize("name", LOCAL)
def test_the_environment_holds_exactly_what_the_lock_says(name: str) -> None:
    image = load_image(name)
    script = "from runners.machine import package_versions as v; print(*map('='.join, v().items()))"
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [_made(name), "-c", script],
        capture_output=True, text=True, check=True, cwd=root,
    )  # fmt: skip
    installed = dict(item.split("=") for item in done.stdout.split())
    bare = {_canonical(name): version.split("+")[0] for name, version in installed.items()}
    wanted = {_canonical(pin.name): pin.version for pin in read_pins(image.lock)}
    own_pip = "pip" in bare
    assert {k: v for k, v in bare.items() if not own_pip or k not in _PIP} == {
        k: v for k, v in wanted.items() if not own_pip or k not in _PIP
    }


def _made(name: str) -> str:
    """The environment's interpreter. Skips one that is too large to be made for a test."""
    image = load_image(name)
    if image.file.download_mb > LARGE_MB and venvs.ready(image) is None:
        pytest.skip(
            f"{name} takes {image.file.download_mb} MB to download and has not been made here"
        )
    return str(interpreter(name))


def _canonical(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")
