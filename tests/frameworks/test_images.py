"""Every image proves itself with its own verify script."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from orchestrator.images import image_names, load_image

pytestmark = pytest.mark.frameworks


@pytest.mark.parametrize("name", image_names())
def test_the_image_does_what_the_studies_need(name: str, images: dict[str, Path]) -> None:
    image = load_image(name)
    done = subprocess.run(
        [images[image.file.framework], image.verify], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("ok: ") == 3


@pytest.mark.parametrize("name", image_names())
def test_the_environment_holds_exactly_what_the_lock_says(
    name: str, images: dict[str, Path]
) -> None:
    image = load_image(name)
    script = "from runners.machine import package_versions as v; print(*map('='.join, v().items()))"
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [images[image.file.framework], "-c", script],
        capture_output=True, text=True, check=True, cwd=root,
    )  # fmt: skip
    installed = dict(item.split("=") for item in done.stdout.split())
    bare = {_canonical(name): version.split("+")[0] for name, version in installed.items()}
    locked = dict(line.split("==") for line in image.lock.read_text().splitlines() if "==" in line)
    assert bare == {_canonical(name): version for name, version in locked.items()}


def _canonical(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")
