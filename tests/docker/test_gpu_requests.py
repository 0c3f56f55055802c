"""What a container would get: a real Docker Engine, and a hook that records in NVIDIA's place.

Engine 20.10 hands GPUs out through a program called nvidia-container-runtime-hook, which it looks
for on its PATH and has run before a container starts. The one here gives nothing and writes down
what it was asked for. The GPUs are those of the tests' NVML library.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from manifests.codec import read_manifest
from manifests.manifest import Manifest
from tests.docker.conftest import DockerWorkshop
from tests.docker.engines import PrivateEngine
from tests.fakes.nvml_library import Library

pytestmark = pytest.mark.docker

HOOK = """\
#!{python}
import json, sys
state = json.load(sys.stdin)
config = json.load(open(state["bundle"] + "/config.json"))
asked = dict(entry.split("=", 1) for entry in config["process"]["env"])
with open({record!r}, "a") as record:
    record.write(json.dumps({{"arguments": sys.argv[1:], "asked": asked}}) + "\\n")
"""
UUID = "GPU-{:08d}-0000-0000-0000-000000000000"
PART = "MIG-{:08d}-0000-0000-0000-00000000000{}"


class Recorded:
    """What the hook was asked for, one entry a container."""

    def __init__(self, folder: Path) -> None:
        self.programs = folder / "programs"
        self.programs.mkdir()
        self._record = folder / "record"
        hook = self.programs / "nvidia-container-runtime-hook"
        hook.write_text(HOOK.format(python=sys.executable, record=str(self._record)))
        hook.chmod(0o755)

    def entries(self) -> list[dict[str, Any]]:
        if not self._record.exists():
            return []
        return [json.loads(line) for line in self._record.read_text().splitlines()]

    def visible(self) -> list[str]:
        return [entry["asked"]["NVIDIA_VISIBLE_DEVICES"] for entry in self.entries()]


@pytest.fixture
def recorded(tmp_path: Path, private_engine: PrivateEngine) -> Iterator[Recorded]:
    """The private engine, restarted so that it finds the hook, and again without it."""
    made = Recorded(tmp_path)
    private_engine.stop()
    private_engine.start(made.programs)
    yield made
    private_engine.stop()


@pytest.fixture
def gpu_workshop(
    recorded: Recorded, private_workshop: DockerWorkshop, tmp_path: Path
) -> DockerWorkshop:
    """Cells on GPUs, of which the machine has two; the first is divided."""
    private_workshop.environment |= Library(tmp_path / "nvml", "mig", "").environment
    private_workshop.environment.pop("CUDA_VISIBLE_DEVICES", None)
    private_workshop.write(device="gpu", batch_sizes=[1])
    return private_workshop


def on_gpu(workshop: DockerWorkshop) -> list[Manifest]:
    found = [read_manifest(path) for path in workshop.manifests()]
    return [manifest for manifest in found if manifest.cell.device == "gpu"]


@pytest.mark.first(3)
@pytest.mark.parametrize(
    ("allotted", "options", "given"),
    [
        (None, (), "0"),
        ("1", (), "1"),
        ("1,0", ("--gpus", "1"), "0"),
        (UUID.format(1), (), UUID.format(1)),
        (PART.format(0, 1), (), PART.format(0, 1)),
        (None, ("--gpus", PART.format(0, 0)), PART.format(0, 0)),
    ],
)
def test_a_container_would_get_the_gpu_that_was_allotted(
    gpu_workshop: DockerWorkshop,
    recorded: Recorded,
    allotted: str | None,
    options: tuple[str, ...],
    given: str,
) -> None:
    if allotted is not None:
        gpu_workshop.environment["CUDA_VISIBLE_DEVICES"] = allotted
    gpu_workshop.run("-k", "alpha and infer", *options)
    assert recorded.visible() == [given]
    assert recorded.entries()[0]["arguments"] == ["prestart"]
    (manifest,) = on_gpu(gpu_workshop)
    assert manifest.status == "ok"
    assert manifest.context is not None and manifest.context.container is not None
    assert manifest.context.gpus == manifest.context.container.gpus == [given]
    # The cell's own sampler looks from inside, where this test has put no driver.
    assert manifest.telemetry is not None and not any(manifest.telemetry.gpu_uuids)


def test_cells_on_a_processor_ask_for_none(
    gpu_workshop: DockerWorkshop, recorded: Recorded
) -> None:
    gpu_workshop.run("-k", "alpha and train")
    assert recorded.entries() == []


def test_without_a_gpu_allotted_no_container_starts(
    gpu_workshop: DockerWorkshop, recorded: Recorded
) -> None:
    gpu_workshop.environment["CUDA_VISIBLE_DEVICES"] = ""
    gpu_workshop(
        "run", "toy", "--engine", "docker", "-k", "alpha and infer", "--gpus", "0", status=2
    )
    assert recorded.entries() == []


def test_without_the_hook_the_engine_refuses_and_that_is_the_reason(
    private_workshop: DockerWorkshop, tmp_path: Path
) -> None:
    private_workshop.environment |= Library(tmp_path / "nvml", "").environment
    private_workshop.write(device="gpu", batch_sizes=[1])
    _, told = private_workshop.start("-k", "alpha and infer").communicate(timeout=120)
    (manifest,) = on_gpu(private_workshop)
    assert manifest.status == "unsupported", told
    assert manifest.reason.startswith("the Docker daemon can't hand out GPUs: it has no NVIDIA")
