"""The promise: whatever is new lies in folders of its own, on REPLIQUANT_PATH, and runs.

docs/example has one of each; the pages of docs/ walk through it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from manifests.codec import read_manifest
from manifests.manifest import Manifest
from tests.conftest import ROOT, Workshop
from tests.fakes.wheels import write_wheel

pytestmark = pytest.mark.cells
EXAMPLE = ROOT / "docs" / "example"
HALF = """\
\"\"\"Nearest class mean in float16: a technique that another folder adds to the framework.\"\"\"

import numpy as np

from runners.arrays.parts.means import session, trained
from runners.inference import evaluate, infer_recipe, time_inference


def infer(job):
    means = trained(job).astype(np.float16)
    made = session(lambda batch: batch.astype(np.float16) @ means.T)
    evaluate(job, made, infer_recipe(job).test_images, job.cell.batch_size)
    time_inference(job, made)
"""


def contents(folder: Path) -> dict[str, str]:
    """A hash for each file of the checkout's packages and data."""
    names = ("manifests", "machine", "runners", "papers", "comparisons", "orchestrator",
             "services", "cli", "tui", "studies", "images", "docs", "pyproject.toml")  # fmt: skip
    files = [path for name in names for path in [folder / name, *(folder / name).rglob("*")]]
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture
def extended(tmp_path: Path) -> Iterator[Workshop]:
    """The shipped studies and images, and the example in a folder outside; none of the checkout's
    files is touched.
    """
    before = contents(ROOT)
    made = Workshop(tmp_path)
    shutil.copytree(EXAMPLE, tmp_path / "mine", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("REPLIQUANT_STUDIES", "REPLIQUANT_IMAGES"):
        del made.environment[name]
    made.environment["REPLIQUANT_PATH"] = str(tmp_path / "mine")
    _own_packages(tmp_path, made)
    yield made
    assert contents(ROOT) == before, "files touched outside their own folders"


def _own_packages(folder: Path, workshop: Workshop) -> None:
    """Lock the image to one small wheel by which its environment finds this interpreter's numpy
    and msgspec, so that nothing is fetched; the rest of building it is real.
    """
    index = folder / "index"
    index.mkdir()
    wheel = write_wheel(index, "hosts", files={"hosts.pth": sysconfig.get_path("purelib")})
    digest = hashlib.sha256((index / wheel).read_bytes()).hexdigest()
    image = folder / "mine" / "images" / "arrays-cpu"
    (image / "requirements.txt").write_text(f"hosts==1 --hash=sha256:{digest}\n")
    text = (image / "image.toml").read_text()
    version = ".".join(map(str, sys.version_info[:2]))
    (image / "image.toml").write_text(text.replace('python = ["3.11"]', f'python = ["{version}"]'))
    workshop.environment.update(PIP_NO_INDEX="1", PIP_FIND_LINKS=str(index))


def manifests(workshop: Workshop) -> dict[tuple[str, str], Manifest]:
    """By task and technique."""
    read = [read_manifest(path) for path in workshop.manifests()]
    return {(manifest.cell.task, manifest.cell.technique): manifest for manifest in read}


def test_a_study_with_its_framework_image_data_and_protocol_runs_from_outside(
    extended: Workshop,
) -> None:
    extended("images", "build", "arrays-cpu", "--engine", "local")
    told = extended("run", "stripes2026", "--engine", "local", "--tables")
    found = manifests(extended)
    assert set(found) == {("train", "float32"), ("infer", "float32"), ("infer", "int8")}
    assert {manifest.status for manifest in found.values()} == {"ok"}
    inferred = found["infer", "int8"]
    assert inferred.cell.protocol == "best-of" and inferred.cell.dataset == "stripes"
    (latency,) = (metric for metric in inferred.metrics if metric.name == "latency_s")
    assert latency.source == "best of 20 calls" and len(latency.samples) == 1
    assert inferred.context is not None and inferred.context.image.kind == "venv"
    (extension,) = inferred.context.kit.extensions
    assert extension.name == "mine" and extension.sha256[:12] in told.stdout
    # Held against its float model by itself: it answers classes, and sums without a scale.
    fidelity = inferred.fidelity
    assert fidelity is not None and fidelity.parent == found["train", "float32"].id
    assert inferred.metric("agreement") is not None and fidelity.images == fidelity.agreeing
    assert "only classes" in {m.name: m.reason for m in inferred.metrics}["sqnr_db"]

    kept = extended("table", "stripes2026", "--json")
    assert len(json.loads(kept.stdout)) >= 1
    claims = extended("claims", "stripes2026", "--json").stdout
    assert json.loads(claims)["claims"][0]["id"] == "eight-bits-are-enough"
    extended("bundle", "stripes2026-quick-stripes", "-o", "run.crate.zip")
    extended("verify", "run.crate.zip")  # exit status 0: everything follows from what is in it


def test_a_technique_from_another_folder_joins_the_framework(extended: Workshop) -> None:
    more = extended.folder / "more"
    (more / "runners" / "arrays").mkdir(parents=True)
    (more / "runners" / "arrays" / "float16.py").write_text(HALF)
    path = extended.environment["REPLIQUANT_PATH"]
    extended.environment["REPLIQUANT_PATH"] = f"{path}:{more}"
    study = extended.folder / "mine" / "studies" / "stripes2026" / "study.toml"
    study.write_text(study.read_text().replace('["float32", "int8"]', '["float16"]'))
    extended("run", "stripes2026", "--python", sys.executable)
    found = manifests(extended)["infer", "float16"]
    assert found.status == "ok" and found.context is not None
    assert [one.name for one in found.context.kit.extensions] == ["mine", "more"]


def test_an_engine_from_outside_runs_cells(extended: Workshop) -> None:
    extended("run", "stripes2026", "--engine", "patient", "-k", "train")
    (found,) = manifests(extended).values()
    assert found.status == "ok" and found.context is not None
    assert found.context.engine == "patient"
    assert found.environment.limits is not None and found.environment.limits.nice == 19


def test_without_its_folder_nothing_of_it_is_there(extended: Workshop) -> None:
    del extended.environment["REPLIQUANT_PATH"]
    told = extended("plan", "stripes2026", status=2).stderr
    assert "no study 'stripes2026'" in told


def test_shipped_studies_plan_the_same_cells_beside_it(extended: Workshop) -> None:
    beside = extended("plan", "lad2023", "--json").stdout
    del extended.environment["REPLIQUANT_PATH"]
    alone = extended("plan", "lad2023", "--json").stdout
    assert json.loads(alone) == json.loads(beside) and "pytorch" in alone


def test_a_mistake_in_it_is_said_with_its_file_and_line(extended: Workshop) -> None:
    study = extended.folder / "mine" / "studies" / "stripes2026" / "study.toml"
    study.write_text(study.read_text().replace('["float32", "int8"]', '["float32", "int9"]'))
    told = extended("plan", "stripes2026", status=2).stderr
    assert str(study) in told
    assert "no arrays technique 'int9'. Did you mean 'int8'? Accepted: float32, int8" in told
