"""What every image of ours has to have, read from its Dockerfile and its checks."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from orchestrator.environments.images import image_names, load_image

NAMES = image_names()
ON_NVIDIAS = [name for name in NAMES if load_image(name).container_only]


@pytest.mark.parametrize("name", NAMES)
def test_the_bases_own_python_path_is_kept(name: str) -> None:
    text = load_image(name).dockerfile.read_text()
    (given,) = re.findall(r"PYTHONPATH=(\S+)", text)
    assert given.startswith("/opt/repliquant") and given.endswith("${PYTHONPATH:+:$PYTHONPATH}")


@pytest.mark.parametrize("name", NAMES)
def test_nobody_has_an_account_before_the_checks_run_as_nobody(name: str) -> None:
    text = load_image(name).dockerfile.read_text()
    account = text.index("'repliquant:x:65532:65532:repliquant:/tmp:/usr/sbin/nologin'")
    assert account < text.index("USER 65532:65532") < text.index("verify.py\nENTRYPOINT")


@pytest.mark.parametrize("name", ON_NVIDIAS)
def test_checks_fail_with_a_reason_where_nothing_is_installed(name: str) -> None:
    """In an interpreter that has no framework, each prints what is missing and ends with 1."""
    done = subprocess.run(
        [sys.executable, "-I", load_image(name).verify], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1 and done.stdout.startswith("failed: ")
    assert "ModuleNotFoundError" in done.stdout and done.stderr == ""


@pytest.mark.parametrize("name", [name for name in ON_NVIDIAS if name.startswith("pytorch")])
def test_checks_import_what_cells_import(name: str) -> None:
    text = load_image(name).verify.read_text()
    for module in ("torch_tensorrt", "modelopt.torch.quantization", "torchao"):
        assert re.search(rf"^\s+import {re.escape(module)}\b", text, re.MULTILINE), module
