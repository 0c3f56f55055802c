"""What every image of ours has to have, read from its Dockerfile and its checks."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from manifests.errors import InputError
from manifests.paths import ROOT
from orchestrator.engines.docker.dockerfile import dockerfile
from orchestrator.environments.images import Image, image_names, load_image
from runners.pytorch.parts import container_checks
from tests.fakes.studies import write_image

NAMES = image_names()
ON_NVIDIAS = [name for name in NAMES if load_image(name).container_only]


@pytest.mark.parametrize("name", NAMES)
def test_the_bases_own_python_path_is_kept(name: str) -> None:
    text = dockerfile(load_image(name))
    (given,) = re.findall(r"PYTHONPATH=(\S+)", text)
    assert given.startswith("/opt/repliquant") and given.endswith("${PYTHONPATH:+:$PYTHONPATH}")


@pytest.mark.parametrize("name", NAMES)
def test_nobody_has_an_account_before_the_checks_run_as_nobody(name: str) -> None:
    text = dockerfile(load_image(name))
    account = text.index("'repliquant:x:65532:65532:repliquant:/tmp:/usr/sbin/nologin'")
    assert account < text.index("USER 65532:65532") < text.index(f"{name}/verify.py\nENTRYPOINT")


@pytest.mark.parametrize("name", ON_NVIDIAS)
def test_checks_fail_with_a_reason_where_nothing_is_installed(name: str) -> None:
    """In an interpreter that has no framework, each prints what is missing and ends with 1."""
    done = subprocess.run(
        [sys.executable, "-S", "-m", "runners.verify", load_image(name).verify],
        env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1 and done.stdout.startswith("failed: ")
    assert "ModuleNotFoundError" in done.stdout and done.stderr == ""


@pytest.mark.parametrize("name", [name for name in ON_NVIDIAS if name.startswith("pytorch")])
def test_checks_import_what_cells_import(name: str) -> None:
    text = Path(container_checks.__file__).read_text() + load_image(name).verify.read_text()
    for module in ("torch_tensorrt", "modelopt.torch.quantization", "torchao"):
        assert re.search(rf"^\s+import {re.escape(module)}\b", text, re.MULTILINE), module


@pytest.mark.parametrize("name", NAMES)
def test_every_image_of_ours_is_written_from_its_file(name: str) -> None:
    image = load_image(name)
    assert not image.dockerfile.exists() and image.for_containers
    text = dockerfile(image)
    assert f"ARG BASE={image.file.container.base}\n" in text
    for name_, value in image.file.container.variables.items():
        assert re.search(rf"^ENV .* {name_}={value}\b", text, re.MULTILINE)


def an_image(folder: Path, more: str) -> Image:
    path = write_image(folder, "small") / "image.toml"
    path.write_text(path.read_text() + f"[container]\n{more}")
    return load_image("small", folder / "images")


def test_what_an_image_says_of_its_container_stands_in_its_dockerfile(tmp_path: Path) -> None:
    image = an_image(
        tmp_path,
        'base = "python:3.12-slim"\nprograms = ["g++"]\n'
        'variables = { ONE = "1", TWO = "a \\"b\\" $c" }\n',
    )
    lines = dockerfile(image).splitlines()
    assert lines[:2] == ["# nothing", "ARG BASE=python:3.12-slim"]
    assert "RUN command -v g++ >/dev/null || { apt-get update && \\" in lines
    (given,) = (line for line in lines if line.startswith("ENV PATH="))
    assert given.endswith(r' PYTHONUNBUFFERED=1 ONE=1 TWO="a \"b\" \$c"')
    assert lines[-2:] == [
        "RUN HOME=/tmp python -m runners.verify /opt/repliquant/images/small/verify.py",
        'ENTRYPOINT ["python", "-m", "runners.container_init"]',
    ]


@pytest.mark.parametrize("more", [
    'programs = ["g++; rm -rf /"]', 'programs = ["-y"]', 'variables = { "A B" = "1" }',
    'variables = { "A=1 B" = "1" }',
])  # fmt: skip
def test_nothing_else_gets_into_a_dockerfile(tmp_path: Path, more: str) -> None:
    with pytest.raises(InputError, match=r"image\.toml:\d+: container[.:]"):
        an_image(tmp_path, f'base = "python:3.12"\n{more}\n')


def test_an_own_dockerfile_comes_before_the_one_that_would_be_written(tmp_path: Path) -> None:
    image = an_image(tmp_path, 'base = "python:3.12-slim"\n')
    image.dockerfile.write_text("ARG BASE=mine\nFROM ${BASE}\n")
    assert dockerfile(image) == "ARG BASE=mine\nFROM ${BASE}\n"
