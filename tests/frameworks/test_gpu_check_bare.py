"""gpu-check where there is only torch: what is carried is all there is, and the page says true."""

from __future__ import annotations

import json
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from manifests.paths import ROOT
from manifests.run_folder import Run
from orchestrator.gpu_check.carry import ENTRY, LIMIT_BYTES, carry
from orchestrator.gpu_check.sizes import SAVED_BYTES_PER_IMAGE

pytestmark = pytest.mark.frameworks

# Neither ours nor what torch itself needs.
OURS = (
    "click", "rich", "textual", "sklearn", "PIL", "psutil", "pynvml", "msgspec", "cli", "runners",
)  # fmt: skip
_LEFT_OUT = ("msgspec", "torchao", "pip")


@pytest.fixture(scope="module")
def bare(images: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that has the environment's torch and what torch needs, and no more."""
    folder = tmp_path_factory.mktemp("bare")
    python = images["pytorch-cpu"]
    subprocess.run([python, "-m", "venv", "--without-pip", folder], check=True)
    (packages,) = folder.glob("lib/python3.*/site-packages")
    for entry in (python.parent.parent / packages.relative_to(folder)).iterdir():
        if not entry.name.startswith(_LEFT_OUT):
            (packages / entry.name).symlink_to(entry)
    return folder / "bin" / "python"


@pytest.fixture(scope="module")
def carried(bare: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder for that interpreter's version."""
    ask = "import sys; print('%d.%d' % sys.version_info[:2])"
    version = subprocess.run([bare, "-I", "-c", ask], capture_output=True, text=True, check=True)
    folder = tmp_path_factory.mktemp("carry") / "check"
    done = carry(folder, [version.stdout.strip()])
    assert done.folder == folder and done.size_bytes < LIMIT_BYTES
    return folder


def checking(
    python: Path, carried: Path, out: Path, *more: str
) -> subprocess.CompletedProcess[str]:
    """``python3 DIR/gpu_check.py --device cpu``, isolated from everything of this checkout."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "REPLIQUANT"))}
    return subprocess.run(
        [python, "-I", carried / ENTRY, "--device", "cpu", "--out", out, *more],
        capture_output=True, text=True, check=False, cwd=out.parent,
        env={**clean, "REPLIQUANT_CACHE": str(out.parent / "cache")},
    )  # fmt: skip


def test_the_interpreter_has_nothing_of_ours(bare: Path) -> None:
    ask = f"import importlib.util as u; print([n for n in {OURS!r} if u.find_spec(n)])"
    done = subprocess.run([bare, "-I", "-c", ask], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_one_command_checks_everything(bare: Path, carried: Path, tmp_path: Path) -> None:
    done = checking(bare, carried, tmp_path / "out")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[-1] == "16 as expected"
    assert "pytorch infer compiled mobilenet-v1 48 px batch 8: as expected" in lines
    assert "probe depthwise convolution float16: as expected" in lines
    manifests = Run(tmp_path / "out").load().manifests
    assert sorted(m.status for m in manifests) == ["ok"] * 4 + ["unsupported"] * 3
    assert {m.environment.packages["msgspec"] for m in manifests if m.status == "ok"} == {"0.22.0"}
    assert all(m.context and m.context.kit.commit for m in manifests)
    told = str(tmp_path / "out.tar.gz")
    assert f"To carry away: {told} (" in done.stderr
    with tarfile.open(told) as archive:
        names = archive.getnames()
    assert "out/probe.json" in names and "out/summary.md" in names
    assert sum(name.endswith("manifest.json") for name in names) == 7
    assert not [name for name in names if name.endswith((".pt", ".npy"))]
    assert Path(told).stat().st_size < LIMIT_BYTES
    probe = json.loads((tmp_path / "out/probe.json").read_text())
    assert len(probe["operations"]) == 9 and probe["operations"][0]["key_averages"]


def planted(carried: Path, folder: Path) -> Path:
    """A copy whose mixed precision is none, and whose plan has nothing else."""
    subprocess.run(["cp", "-r", carried, folder], check=True)
    for file, old, new in (
        ("runners/pytorch/parts/training.py", "lambda: torch.autocast(device.type, dtype)",
         "contextlib.nullcontext"),
        ("orchestrator/gpu_check/plan.py", '("float32", "amp-float16", "amp-bfloat16")',
         '("amp-bfloat16",)'),
        ("orchestrator/gpu_check/plan.py",
         '("float32", "cuda-graph", "compiled", "tensorrt-float16")', "()"),
    ):  # fmt: skip
        path = folder / file
        text = path.read_text()
        assert text.count(old) == 1, old
        path.write_text(text.replace(old, new))
    return folder


@pytest.mark.thorough
def test_a_precision_that_is_none_is_not_as_expected(
    bare: Path, carried: Path, tmp_path: Path
) -> None:
    lying = planted(carried, tmp_path / "lying")
    done = checking(bare, lying, tmp_path / "out")
    assert done.returncode == 1, done.stdout + done.stderr
    assert (
        "pytorch train amp-bfloat16 mobilenet-v1 48 px batch 8: not as expected, because its proof "
        "shows no bfloat16 (it shows float32); bfloat16 covers 0%, not 90% or more"
    ) in done.stdout.splitlines()
    assert done.stdout.splitlines()[-1] == "9 as expected; 1 not as expected"
    again = checking(bare, lying, tmp_path / "out", "--resume")
    assert again.returncode == 1
    assert " ok after " in done.stderr and " ok after " not in again.stderr
    nothing = checking(bare, lying, tmp_path / "elsewhere", "--resume")
    assert nothing.returncode == 2
    assert "holds no gpu-check to go on with" in nothing.stderr


def test_without_a_gpu_it_says_so(bare: Path, carried: Path, tmp_path: Path) -> None:
    done = checking(bare, carried, tmp_path / "out", "--device", "gpu")
    assert done.returncode == 3
    assert "gpu-check needs CUDA: torch " in done.stderr


def test_a_python_that_was_not_packed_for_is_told(
    bare: Path, carried: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    subprocess.run(["cp", "-r", carried, other], check=True)
    for file in (other / "vendor/msgspec").glob("_core*.so"):
        file.unlink()
    done = checking(bare, other, tmp_path / "out")
    assert done.returncode == 3 and "Pack again with --python-version 3." in done.stderr


# Tensors that a forward pass keeps for the backward pass; weights and their views aside.
SAVED = """
import torch
from runners.models.keras_applications import application
from runners.pytorch.parts.applications import ApplicationModule
model = ApplicationModule(application("resnet50", 10, 224)).train()
own = {p.untyped_storage().data_ptr() for p in model.parameters()}
found = {}
def keep(t):
    storage = t.untyped_storage()
    if storage.data_ptr() not in own:
        found[storage.data_ptr()] = (storage.nbytes(), t)  # held, or its place is used again
    return t
for batch in (1, 2):
    found.clear()
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t):
        model(torch.zeros(batch, 3, 224, 224))
    print(sum(size for size, _ in found.values()))
"""


def test_an_image_saves_what_the_sizes_say(images: dict[str, Path]) -> None:
    done = subprocess.run(
        [images["pytorch-cpu"], "-c", SAVED], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    one, two = map(int, done.stdout.split())
    assert two - one == pytest.approx(SAVED_BYTES_PER_IMAGE, rel=0.01)
