"""A real run of lad2023 on the digits, as small as it can be, shared by the tests here."""

from __future__ import annotations

import collections
import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from manifests.manifest import Manifest
from manifests.run_folder import Run
from orchestrator.environments import venvs
from orchestrator.environments.images import load_image
from orchestrator.environments.pythons import find_interpreter

ROOT = Path(__file__).resolve().parents[2]
# Real pictures may lie here.
PLACES = (os.environ.get("REPLIQUANT_TEST_DATA", ""), str(ROOT.parent / "shared" / "data"))
ARCHIVE = next(
    (
        Path(p) / "cifar10-jpeg.tar.xz"
        for p in PLACES
        if (Path(p) / "cifar10-jpeg.tar.xz").is_file()
    ),
    None,
)
EACH = 30
BATCH = 32
"""Of the trainings of tier quick that learn."""
SMALLEST = {
    "recipes.baseline = { epochs = 4, train_images = 1280": (
        "recipes.baseline = { epochs = 2, train_images = 128"
    ),
    "recipes.qat = { epochs = 1, train_images = 704": (
        "recipes.qat = { epochs = 1, train_images = 128"
    ),
    "epochs = 2\ntrain_images = 896": "epochs = 2\ntrain_images = 128",
    "calibration_images = 128": "calibration_images = 16",
    "warm_up_s = 0.4, warm_up_count = 1, measure_s = 0.7, measure_count = 4": (
        "warm_up_s = 0.0, warm_up_count = 1, measure_s = 0.0, measure_count = 2"
    ),
    "profile_calls = 10": "profile_calls = 2",
}
SMALLEST_CHARACTERIZATION = {
    "warm_up_s = 0.3, warm_up_count = 1, measure_s = 0.5, measure_count = 4": (
        "warm_up_s = 0.2, warm_up_count = 1, measure_s = 0.3, measure_count = 3"
    ),
    "calibration_images = 32, test_images = 32": "calibration_images = 4, test_images = 32",
}
# MobileNet_v1 at 48 x 48 in TensorFlow on a processor: training, AMP, TFLite, the whole ladder.
CHOSEN = (
    "framework=tensorflow and device=cpu and model=mobilenet-v1 and image_size=48 and batch_size=32"
)


class Reproduction:
    """The run, and how to start its command line again."""

    def __init__(self, folder: Path, run: str = "lad2023-quick-digits") -> None:
        self.folder = folder
        self.run = Run(folder / "runs" / run)
        self.environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "REPLIQUANT_STUDIES": str(folder / "studies"),
            "REPLIQUANT_RUNS": str(folder / "runs"),
            "COLUMNS": "160",
        }

    def __call__(self, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            ["repliquant", *arguments], cwd=self.folder, env=self.environment,
            capture_output=True, text=True, timeout=2400, check=False,
        )  # fmt: skip
        assert done.returncode == status, f"{done.returncode}: {done.stdout}\n{done.stderr}"
        return done

    def one(self, framework: str, task: str, technique: str, **axes: object) -> Manifest:
        """The only manifest with these values."""
        wanted = {"framework": framework, "task": task, "technique": technique, **axes}
        (found,) = [
            manifest
            for manifest in self.run.load().manifests
            if all(getattr(manifest.cell, name) == value for name, value in wanted.items())
        ]
        return found


def smallest_study(folder: Path) -> None:
    """A copy of the studies whose tier quick does as little as possible."""
    shutil.copytree(ROOT / "studies", folder / "studies")
    for study, changes in (("lad2023", SMALLEST), ("shafique2023", SMALLEST_CHARACTERIZATION)):
        path = folder / "studies" / study / "study.toml"
        text = path.read_text()
        for before, after in changes.items():
            assert before in text, before
            text = text.replace(before, after)
        path.write_text(text)


@pytest.fixture(scope="session")
def images() -> dict[str, Path]:
    """The interpreters of both environments, built when they are not there yet."""
    found = {}
    for name in ("pytorch-cpu", "tensorflow-22.03", "tensorflow-cpu"):
        image = load_image(name)
        venvs.build(image, lambda line: None)
        found[image.file.framework] = found[name] = venvs.interpreter(image)
    return found


@pytest.fixture(scope="session")
def reproduction(images: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Reproduction:
    """Every cell of lad2023, really run; about three minutes."""
    made = Reproduction(tmp_path_factory.mktemp("reproduction"))
    smallest_study(made.folder)
    done = made("run", "lad2023", "--engine", "local")
    assert re.search(r"39 cells executed; of 39: 38 ok, 1 unsupported", done.stderr), done.stderr
    return made


@pytest.fixture(scope="session")
def characterization(
    images: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Reproduction:
    """Cells of shafique2023, really run on TensorFlow 2.8.4 and 2.21; about two minutes."""
    made = Reproduction(tmp_path_factory.mktemp("characterization"), "shafique2023-quick-digits")
    smallest_study(made.folder)
    done = made("run", "shafique2023", "--engine", "local", "-k", CHOSEN)
    assert re.search(r"12 cells executed; of 12: 12 ok", done.stderr), done.stderr
    return made


@pytest.fixture(scope="session")
def old_python() -> Path:
    """The interpreter of tensorflow-22.03, built when it is not there yet."""
    return interpreter("tensorflow-22.03")


def interpreter(name: str) -> Path:
    image = load_image(name)
    find_interpreter(image.file.python)
    venvs.build(image, lambda note: None)
    return venvs.interpreter(image)


@pytest.fixture(scope="session")
def tflite_family(tmp_path_factory: pytest.TempPathFactory) -> object:
    """A training and the files made of it; three quarters of a minute."""
    from tests.frameworks.tflite_family import make_family  # it needs what stands here

    return make_family(tmp_path_factory.mktemp("tflite"))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``EACH`` pictures of every class and split, as a folder of class folders."""
    folder = tmp_path_factory.mktemp("pictures") / "cifar10-jpeg"
    taken: collections.Counter[str] = collections.Counter()
    assert ARCHIVE is not None
    with tarfile.open(ARCHIVE) as archive:
        for member in archive:
            parent = str(Path(member.name).parent)
            if member.isfile() and taken[parent] < EACH:
                taken[parent] += 1
                archive.extract(member, folder, filter="data")
    return folder
