"""``repliquant measure``: what it refuses, what it plans, and what it makes of manifests."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest

from cli.commands.measure import PIXELS
from manifests.codec import encode_manifest
from manifests.errors import InputError
from manifests.plan import PlannedCell
from orchestrator.running.request import Prepared, Request, prepare
from papers.study import study_ids
from runners.data import SCALES
from services.measure import Measuring, again, measuring
from tests.conftest import Workshop
from tests.manifests.samples import a_manifest, a_run, put
from tests.orchestrator.model_bytes import FLOAT, OUTPUT, flat_tables, model, node, sound, value

if TYPE_CHECKING:
    from orchestrator.running.execute import Session


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REPLIQUANT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("REPLIQUANT_RUNS", str(tmp_path / "runs"))
    return tmp_path / "cache"


def _asked(
    path: Path,
    content: bytes,
    *batches: int,
    data: Path | None = None,
    budget_s: float = 240.0,
) -> Measuring:
    path.write_bytes(content)
    return measuring(path, batches, data, "0-1", budget_s, Request("", engine="local"))


def _prepared(path: Path, content: bytes, *batches: int) -> Prepared:
    return prepare(_asked(path, content, *batches).request)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it is empty"),
        (b"PK\x03\x04" + b"\0" * 60, "a zip archive, as PyTorch and Keras save models"),
        (model(node(), value(11, "x", FLOAT, None), OUTPUT), "no fixed rank"),
    ],
)
def test_a_broken_file_ends_with_one_line_and_status_2(
    workshop: Workshop, content: bytes, why: str
) -> None:
    (workshop.folder / "net.onnx").write_bytes(content)

    done = workshop("measure", "net.onnx", status=2)

    assert why in done.stderr and done.stderr.startswith("repliquant: net.onnx can't be measured: ")
    assert done.stderr.count("\n") == 1 and not done.stdout
    assert not workshop.runs.exists()


@pytest.mark.parametrize("batches", ["0", "1,x", "4097", "", "1,,2", "-1", "1e9", "٣"])
def test_batches_are_whole_numbers(workshop: Workshop, batches: str) -> None:
    done = workshop("measure", "net.onnx", "--batch", batches, status=2)
    assert "no batch size" in done.stderr


def test_each_toolchain_runs_the_file_as_it_is_and_in_int8(tmp_path: Path) -> None:
    prepared = _prepared(tmp_path / "net.onnx", sound(), 8, 1)
    cells = [planned.cell for planned in prepared.chosen if not planned.cell.repeat]
    found = sorted((c.task, c.framework, c.technique, c.batch_size) for c in cells)
    infer = [
        ("infer", framework, technique, batch)
        for framework in ("onnxruntime", "openvino")
        for technique in ("model-file", "model-file-int8")
        for batch in (1, 8)
    ]
    made = [("quantize", f, t, 4) for _, f, t, b in infer if b == 1]
    assert found == infer + made
    (root,) = [c for c in cells if c.weights_from is None]
    assert (root.framework, root.technique) == ("onnxruntime", "model-file")
    origins = {c.weights_from for c in cells if c.task == "quantize"}
    assert origins == {None, root.id}


def test_a_tensorflow_lite_file_is_run_as_it_is_by_its_own_runtime(tmp_path: Path) -> None:
    prepared = _prepared(tmp_path / "net.tflite", flat_tables(), 1)
    found = {(planned.cell.framework, planned.cell.technique) for planned in prepared.chosen}
    assert found == {
        ("tensorflow", "model-file"), ("openvino", "model-file"), ("openvino", "model-file-int8"),
    }  # fmt: skip


def test_cells_are_those_of_the_files_content(tmp_path: Path) -> None:
    one = _prepared(tmp_path / "net.onnx", sound(), 1)
    again = _prepared(tmp_path / "net.onnx", sound(), 1)
    other = _prepared(tmp_path / "net.onnx", sound(operator="Softplus"), 1)
    assert one.ids == again.ids and one.run.folder == again.run.folder
    assert not one.ids & other.ids
    assert all(len(str(p.cell.recipe["model_sha256"])) == 64 for p in one.chosen)


def test_the_study_is_found_by_its_name_and_listed_nowhere(tmp_path: Path) -> None:
    prepared = _prepared(tmp_path / "net.onnx", sound(), 1)
    assert prepared.study.id.startswith("measure-net-")
    assert prepared.study.id not in study_ids()
    assert prepare(Request(prepared.study.id, dataset="digits", engine="local")).study


def test_a_model_that_has_left_the_cache_is_why_its_cells_are_skipped(
    tmp_path: Path, cache: Path
) -> None:
    asked = _asked(tmp_path / "net.onnx", sound(), 1)
    for path in (cache / "model-files").rglob("meta.json"):
        path.unlink()
    skips = {planned.skip for planned in prepare(asked.request).chosen}
    assert len(skips) == 1 and "is not in the cache" in skips.pop()


def test_a_fixed_batch_is_the_only_one(tmp_path: Path) -> None:
    fixed = model(node(), value(11, "x", FLOAT, [2, 3, 8, 8]), OUTPUT)
    assert list(_asked(tmp_path / "net.onnx", fixed).question.batches) == [2]
    with pytest.raises(InputError, match="batches of 2 alone: give --batch 2"):
        _asked(tmp_path / "net.onnx", fixed, 1, 2)


def test_random_inputs_are_the_same_for_everybody(tmp_path: Path) -> None:
    asked = _asked(tmp_path / "net.onnx", sound(), 1)
    assert asked.random and asked.request.data_dir is not None
    found = np.load(asked.request.data_dir)
    assert found.shape == (96, 8, 8, 3) and found.dtype == np.uint8
    assert found[0, 0, 0].tolist() == np.load(asked.request.data_dir)[0, 0, 0].tolist()


@pytest.mark.parametrize("shape", [(12, 3, 8, 8), (12, 8, 8, 3)])
def test_samples_may_lie_as_the_model_or_as_pictures_do(
    tmp_path: Path, shape: tuple[int, ...]
) -> None:
    np.save(tmp_path / "own.npy", np.ones(shape, np.float32))
    asked = _asked(tmp_path / "net.onnx", sound(), 1, data=tmp_path / "own.npy")
    assert not asked.random and prepare(asked.request).plan.dataset_title == ("samples (no labels)")


def _pickled(path: Path) -> None:
    np.save(path, np.array([{"a": 1}] * 12, object), allow_pickle=True)


@pytest.mark.parametrize(
    ("save", "why"),
    [
        (lambda path: np.save(path, np.ones((12, 4, 8, 8), np.float32)), "samples of 4 x 8 x 8"),
        (lambda path: np.save(path, np.ones((3, 3, 8, 8), np.float32)), "has 3 samples"),
        (lambda path: np.save(path, np.ones((12, 3, 8, 8), np.int64)), "holds int64"),
        (lambda path: np.save(path, np.float32(1)), "no array whose first dimension"),
        (lambda path: path.write_bytes(b""), "can't be read"),
        (lambda path: path.write_bytes(b"\x93NUMPY\x01\x00"), "can't be read"),
        (lambda path: path.write_text("1,2,3"), "can't be read"),
        (lambda path: None, "no such file"),
        (_pickled, "can't be read"),
    ],
)
def test_samples_that_cannot_be_used_are_refused(tmp_path: Path, save, why: str) -> None:  # type: ignore[no-untyped-def]
    save(tmp_path / "own.npy")
    with pytest.raises(InputError, match=why):
        _asked(tmp_path / "net.onnx", sound(), 1, data=tmp_path / "own.npy")


def test_class_folders_need_a_model_that_takes_pictures(tmp_path: Path) -> None:
    flat = model(node(), value(11, "x", FLOAT, ["b", 20]), OUTPUT)
    with pytest.raises(InputError, match=r"takes float32 20\. Give a NumPy file"):
        _asked(tmp_path / "net.onnx", flat, 1, data=tmp_path)


def test_pixels_are_those_that_data_can_be_scaled_to() -> None:
    assert set(PIXELS) == set(SCALES)


class _Held:
    """A run in which each process takes ten seconds, one after the other."""

    def __init__(self, folder: Path, prepared: Prepared) -> None:
        self.prepared = prepared._replace(run=a_run(folder))
        self.paused = False
        self.rounds: list[list[int]] = []
        self._ended = 0
        self.run_further([p for p in prepared.chosen if not p.cell.repeat])
        self.rounds.clear()

    def run_further(self, cells: list[PlannedCell]) -> None:
        self.rounds.append([planned.cell.repeat for planned in cells])
        for planned in cells:
            begin = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
            begin += datetime.timedelta(seconds=10 * self._ended)
            done = a_manifest(planned.cell, started_at=begin.isoformat(), wall_s=10.0)
            put(self.prepared.run, done.id, encode_manifest(done))
            self._ended += 1


@pytest.mark.parametrize(
    ("budget_s", "rounds"), [(1, 0), (119, 0), (120, 1), (159, 1), (160, 2), (240, 4)]
)
def test_a_budget_is_spent_on_whole_rounds(tmp_path: Path, budget_s: float, rounds: int) -> None:
    asked = _asked(tmp_path / "net.onnx", sound(), 1, budget_s=budget_s)
    held = _Held(tmp_path / "run", prepare(asked.request))  # 8 cells once: 80 s; a round: 40 s
    again(cast("Session", held), budget_s)
    assert held.rounds == [[number] * 4 for number in range(1, rounds + 1)]


def test_each_cell_is_planned_once(tmp_path: Path) -> None:
    asked = _asked(tmp_path / "net.onnx", sound(), 1, budget_s=60.0)
    assert {planned.cell.repeat for planned in prepare(asked.request).chosen} == {0}


@pytest.mark.parametrize("command", ["plan", "run"])
def test_samples_without_labels_are_for_models_of_ones_own(
    workshop: Workshop, command: str
) -> None:
    np.save(workshop.folder / "own.npy", np.ones((12, 3, 8, 8), np.float32))

    done = workshop(command, "toy", "--data-dir", "own.npy", status=2)

    assert "own.npy has samples without labels" in done.stderr
    assert "repliquant measure" in done.stderr


# What manifests come to
