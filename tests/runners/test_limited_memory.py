"""A cell held to a part of the memory: what it is told, and how it ends."""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from machine import cgroup, memory_limit
from machine.memory_limit import Refusal
from manifests.cell import Cell
from manifests.codec import read_manifest
from manifests.manifest import Manifest
from manifests.paths import ROOT
from runners import execute, limited_memory
from runners.failures import NotNow, Unsupported, Verdict, classify
from runners.job import Job
from runners.limited_memory import limited, telling_limit
from runners.training import AdamRecipe, TrainRecipe, training_recipe
from tests.runners.samples import a_cell, a_job

LIMIT = 400 * 2**20
FULL = """
def train(job):
    held = []
    try:
        while len(held) < {times}:
            held.append(bytearray(2**20))
    except MemoryError:
        pass
    raise RuntimeError({words!r})
"""
FRAMEWORK = 'title = "Hungry"\nmodules = ["json"]\npackages = ["json"]\n'
TECHNIQUE = """
def train(job):
    held = []
    for _ in range({times}):
        held.append(bytearray({each}))
    {then}
"""


def ended(tmp_path: Path, recipe: dict[str, Any], technique: str, before: str = "") -> Manifest:
    """A cell of a framework that takes memory, in a process of its own."""
    package = tmp_path / "runners" / "hungry"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "framework.toml").write_text(FRAMEWORK)
    (package / "plain.py").write_text(technique)
    cell = a_cell(framework="hungry", technique="plain", recipe=recipe)
    (tmp_path / "cell.json").write_bytes(msgspec.json.encode(cell))
    command = [sys.executable, "-m", "runners", str(tmp_path / "cell.json"), str(tmp_path / "cell")]
    subprocess.run(
        ["sh", "-c", f'{before}exec "$@"', "sh", *command], cwd=ROOT, check=False, timeout=120,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "REPLIQUANT_PATH": str(tmp_path)},
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return read_manifest(tmp_path / "cell" / "manifest.json")


def test_what_goes_beyond_the_limit_is_out_of_memory_by_name(tmp_path: Path) -> None:
    technique = TECHNIQUE.format(times=10, each=2**26, then="pass")
    manifest = ended(tmp_path, {"memory_limit_bytes": LIMIT}, technique)
    assert (manifest.status, manifest.transient) == ("oom", False)
    assert manifest.reason == "at the limit of 400 MiB: out of memory: MemoryError()"
    assert manifest.environment.settings == {"RLIMIT_DATA": "419430400"}
    peak = manifest.metric("peak_memory_bytes")
    assert peak is not None and isinstance(peak.samples[0], int)
    assert 2 * 2**26 < peak.samples[0] < 600 * 2**20


@pytest.mark.parametrize("recipe", [{}, {"memory_limit_bytes": 0}])
def test_without_a_limit_the_same_cell_runs(tmp_path: Path, recipe: dict[str, Any]) -> None:
    manifest = ended(tmp_path, recipe, TECHNIQUE.format(times=10, each=2**26, then="pass"))
    assert (manifest.status, manifest.reason, manifest.environment.settings) == ("ok", "", {})


def test_what_fits_runs_and_says_what_it_was_given(tmp_path: Path) -> None:
    technique = TECHNIQUE.format(times=3, each=2**26, then="pass")
    manifest = ended(tmp_path, {"memory_limit_bytes": LIMIT}, technique)
    assert (manifest.status, manifest.reason) == ("ok", "")
    assert manifest.environment.settings == {"RLIMIT_DATA": "419430400"}


def test_a_crash_under_a_limit_stays_a_crash(tmp_path: Path) -> None:
    technique = TECHNIQUE.format(times=1, each=2**20, then="1 / 0")
    manifest = ended(tmp_path, {"memory_limit_bytes": LIMIT}, technique)
    assert (manifest.status, manifest.reason) == (
        "crashed", "ZeroDivisionError: division by zero",
    )  # fmt: skip


def test_a_process_that_has_less_already_is_unsupported(tmp_path: Path) -> None:
    technique = TECHNIQUE.format(times=10, each=2**26, then="pass")
    manifest = ended(
        tmp_path, {"memory_limit_bytes": LIMIT}, technique, before="ulimit -d 300000; "
    )
    assert (manifest.status, manifest.transient) == ("unsupported", False)
    assert manifest.reason == (
        "memory was to be limited to 400 MiB, and the process was started with less: RLIMIT_DATA "
        "is 293 MiB"
    )


@pytest.mark.first(2)
@pytest.mark.parametrize(
    ("words", "limit", "mebibytes", "reason"),
    [
        ("could not create a primitive", LIMIT, 500, "at the limit of 400 MiB: out of memory, of "
         "which {free} is free: could not create a primitive"),
        ("could not create a primitive", LIMIT, 100, "RuntimeError: could not create a primitive"),
        ("could not create a primitive", 0, 500, "RuntimeError: could not create a primitive"),
        ("could not create a memory object", LIMIT, 100, "at the limit of 400 MiB: out of memory: "
         "could not create a memory object"),
        ("std::bad_alloc", LIMIT, 100, "at the limit of 400 MiB: out of memory: std::bad_alloc"),
        ("no such shape", LIMIT, 500, "RuntimeError: no such shape"),
    ],
)  # fmt: skip
def test_what_libraries_say_instead_is_judged_by_what_is_left_of_the_limit(
    tmp_path: Path, words: str, limit: int, mebibytes: int, reason: str
) -> None:
    """Filled up to the limit, or not."""
    technique = FULL.format(times=mebibytes, words=words)
    manifest = ended(tmp_path, {"memory_limit_bytes": limit}, technique)
    free = re.search(r"of which (\S+) is free", manifest.reason)
    assert manifest.reason == reason.format(free=free[1] if free else "")
    assert manifest.status == ("crashed" if reason.startswith("Runtime") else "oom")


def limited_job(tmp_path: Path, limit: object, **changes: Any) -> Job:
    return a_job(tmp_path, recipe={"memory_limit_bytes": limit}, **changes)


@pytest.mark.parametrize(
    ("found", "transient"), [(Refusal("less"), False), (Refusal("busy", True), True)]
)
def test_a_refusal_that_passes_is_tried_again(
    tmp_path: Path, found: Refusal, transient: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limited_memory, "refusal", lambda limit: found)
    wanted = pytest.raises(NotNow if transient else Unsupported)
    with wanted as caught, limited(limited_job(tmp_path, LIMIT)):
        pytest.fail("it ran")
    assert classify(caught.value) == Verdict("unsupported", found.reason, transient)


def test_a_kernel_that_keeps_no_limit_is_unsupported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limited_memory, "refusal", lambda limit: None)
    monkeypatch.setattr(memory_limit, "_can_have", lambda count: True)
    before = resource.getrlimit(resource.RLIMIT_DATA)
    told = pytest.raises(Unsupported, match=r"this kernel keeps no limit of memory \(64 GiB\)")
    with told, limited(limited_job(tmp_path, 64 * 2**30)):
        pytest.fail("it ran")
    assert resource.getrlimit(resource.RLIMIT_DATA) == before


def test_a_gpu_is_not_limited_so(tmp_path: Path) -> None:
    told = pytest.raises(Unsupported, match="a GPU has memory of its own")
    with told, limited(limited_job(tmp_path, LIMIT, device="gpu")):
        pytest.fail("it ran")


@pytest.mark.parametrize("limit", [-1, True, "8 GiB", 1.5, None])
def test_a_limit_that_is_none_is_an_error(tmp_path: Path, limit: object) -> None:
    told = pytest.raises(ValueError, match="expected a whole number of bytes, 0 for no limit")
    with told, limited(limited_job(tmp_path, limit)):
        pytest.fail("it ran")


def test_memory_that_runs_out_without_a_limit_names_none(tmp_path: Path) -> None:
    found = Verdict("oom", "out of memory: MemoryError()", False)
    assert telling_limit(found, limited_job(tmp_path, LIMIT)) == found


@pytest.mark.parametrize(
    ("limit", "status"), [(0, "oom"), (LIMIT, "crashed")], ids=["no limit", "a limit"]
)
def test_a_kill_at_another_limit_tells_nothing_of_the_cells_own(
    tmp_path: Path, limit: int, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kills = iter([0, 1])
    monkeypatch.setattr(cgroup, "oom_kills", lambda: next(kills, 1))

    def dies(job: Job) -> None:
        raise ChildProcessError("it died")

    monkeypatch.setattr(execute.techniques, "find", lambda cell: dies)
    monkeypatch.setattr(limited_memory, "refusal", lambda limit: None)
    assert execute._attempt(limited_job(tmp_path, limit))[0].status == status


@pytest.mark.parametrize("kind", [AdamRecipe, TrainRecipe])
def test_every_training_recipe_takes_it(kind: type[Any], tmp_path: Path) -> None:
    own = {"epochs": 1, "train_images": 0, "test_images": 0, "learning_rate": 0.1}
    sgd = {"momentum": 0.9, "weight_decay": 0.0, "clip_norm": 1.0, "warm_up": 0.0,
           "milestones": [], "decay": 0.1}  # fmt: skip
    recipe = {**own, **({"optimizer": "adam"} if kind is AdamRecipe else sgd)}
    read = training_recipe(a_job(tmp_path, recipe={**recipe, "memory_limit_bytes": LIMIT}))
    assert isinstance(read, kind) and read.memory_limit_bytes == LIMIT  # type: ignore[attr-defined]
    assert kind(**recipe).memory_limit_bytes == 0


OLD_CELL = {
    "study": "shafique2023", "task": "train", "framework": "pytorch", "technique": "float32",
    "model": "mobilenet-v1", "dataset": "digits", "image_size": 48, "batch_size": 32, "seed": 0,
    "protocol": "rigorous", "tier": "quick",
    "recipe": {
        "optimizer": "adam", "epochs": 2, "train_images": 0, "test_images": 64, "steps": 2,
        "learning_rate": 0.0001, "channels_last": True,
    },
}  # fmt: skip


def test_cells_without_a_limit_keep_their_ids() -> None:
    cell = msgspec.json.decode(json.dumps(OLD_CELL), type=Cell)
    assert (cell.id, cell.memory_limit_bytes) == ("06908c39dab5", 0)
    recipe = {**OLD_CELL["recipe"], "memory_limit_bytes": LIMIT}  # type: ignore[dict-item]
    other = msgspec.structs.replace(cell, recipe=recipe)
    assert (other.id != cell.id, other.memory_limit_bytes) == (True, LIMIT)
