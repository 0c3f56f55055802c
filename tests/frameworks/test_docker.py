"""``just reproduce lad2023`` through the Docker engine: its cells are those of the local engine."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from manifests.manifest import Manifest
from orchestrator.engines.docker.daemon import Daemon
from tests.docker.conftest import BASE, daemon
from tests.frameworks.conftest import ROOT, Reproduction, smallest_study

__all__ = ["daemon"]
pytestmark = [pytest.mark.frameworks, pytest.mark.docker]
CHOSEN = "infer and batch_size=1 and (ptq-eager or ptq-tflite or tflite-float32)"
"""Both frameworks, every task, and what these cells start from."""


@pytest.fixture(scope="module")
def contained(daemon: Daemon, tmp_path_factory: pytest.TempPathFactory) -> tuple[Reproduction, str]:
    """Each cell once, and what `just reproduce` printed; the images are built on the way."""
    made = Reproduction(tmp_path_factory.mktemp("contained"))
    smallest_study(made.folder)
    done = subprocess.run(
        [
            "just", "reproduce", "lad2023", "quick", "--engine", "docker", "--repeats", "0",
            "--tables", "-k", CHOSEN,
        ],
        cwd=ROOT,
        env={**made.environment, "REPLIQUANT_BASE": BASE, "DOCKER_HOST": daemon.address},
        capture_output=True, text=True, timeout=3000, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert re.search(r"8 cells executed; of 8: 8 ok", done.stderr), done.stderr
    return made, done.stdout


def by_id(reproduction: Reproduction) -> dict[str, Manifest]:
    return {manifest.id: manifest for manifest in reproduction.run.load().manifests}


def test_the_tables_are_printed_and_lie_in_the_runs_folder(
    contained: tuple[Reproduction, str],
) -> None:
    made, printed = contained
    assert "Model size (Table I, section V)" in printed
    assert (made.run.folder / "tables.md").read_text().count("42.62 MiB") >= 2
    assert printed.splitlines()[-1].startswith("next  ")
    assert (made.run.folder / "report.html").is_file()


def test_both_engines_run_the_same_cells_with_the_same_outcome(
    contained: tuple[Reproduction, str], reproduction: Reproduction
) -> None:
    docker, local = by_id(contained[0]), by_id(reproduction)
    assert docker.keys() < local.keys()
    for cell_id, manifest in docker.items():
        other = local[cell_id]
        assert (manifest.status, manifest.proof) == (other.status, other.proof), cell_id
        for name in ("accuracy", "model_size_bytes", "train_loss"):
            ours, theirs = manifest.metric(name), other.metric(name)
            assert (ours is None) == (theirs is None)
            if ours is not None and theirs is not None:
                assert ours.samples == pytest.approx(theirs.samples, rel=2e-2), (cell_id, name)


def test_every_manifest_names_its_image_and_its_container(
    contained: tuple[Reproduction, str],
) -> None:
    for manifest in by_id(contained[0]).values():
        context = manifest.context
        assert context is not None and context.engine == "docker"
        if manifest.status == "ok":
            assert context.image.kind == "container" and context.image.base == BASE
            assert context.container is not None and context.container.network == "none"


def test_what_a_container_wrote_is_the_callers(contained: tuple[Reproduction, str]) -> None:
    owner = Path(contained[0].folder).stat().st_uid
    assert {path.stat().st_uid for path in contained[0].run.folder.rglob("*")} == {owner}
