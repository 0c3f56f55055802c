"""Reading a run: everything good comes back, everything else is named, nothing raises."""

from __future__ import annotations

import array
import os
from pathlib import Path

import pytest

from manifests.codec import UnreadableError, encode_manifest, write_plan
from manifests.manifest import Dataset, Inputs, Metric, Proof
from manifests.plan import Plan
from manifests.run_folder import Run
from manifests.select import Selector
from manifests.telemetry_summary import Readings, Telemetry
from tests.manifests.samples import a_cell, a_manifest, a_run, put

FIRST, SECOND, THIRD = sorted(
    (a_manifest(a_cell(seed=seed, batch_size=32 * seed)) for seed in (1, 2, 3)),
    key=lambda manifest: manifest.id,
)
BROKEN = a_cell(seed=9)
WHOLE = encode_manifest(a_manifest(BROKEN))


def test_manifests_come_ordered_by_cell_id(tmp_path: Path) -> None:
    run = a_run(tmp_path / "r", THIRD, FIRST, SECOND)
    assert run.load() == ([FIRST, SECOND, THIRD], [])


def test_a_run_without_cells_is_empty(tmp_path: Path) -> None:
    assert Run(tmp_path).load() == ([], [])
    assert a_run(tmp_path / "r").load() == ([], [])


def test_a_selector_chooses_among_them(tmp_path: Path) -> None:
    run = a_run(tmp_path / "r", FIRST, SECOND, THIRD)
    chosen = run.load(Selector("batch_size>32")).manifests
    assert sorted(manifest.cell.batch_size for manifest in chosen) == [64, 96]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (WHOLE[:-20], "is not a manifest: Input data was truncated"),
        (b"", "is not a manifest: Input data was truncated"),
        (WHOLE.replace(b'"seed":9', b'"seed":9,"seed":9'), "names the key 'seed' twice"),
        (WHOLE.replace(b'"wall_s":2.5', b'"wall_s":NaN'), "is not a manifest: JSON is malformed"),
        (WHOLE.replace(b"manifest/1", b"manifest/2"), "was written by a newer Repliquant"),
        (WHOLE.replace(b'"seed":9', b'"seed":8'), "it was edited"),
        (encode_manifest(FIRST), f"belongs to cell {FIRST.id}, not to the folder it lies in"),
        (b"[" * 100_000, "is not a manifest"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, content: bytes, why: str) -> None:
    run = a_run(tmp_path / "r", FIRST, SECOND)
    path = put(run, BROKEN.id, content)
    manifests, warnings = run.load()
    assert manifests == [FIRST, SECOND]
    assert len(warnings) == 1
    assert warnings[0].startswith(f"skipped {path}: ")
    assert why in warnings[0]


def test_a_folder_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    run = a_run(tmp_path / "r", FIRST)
    (run.cell_folder(BROKEN.id) / "manifest.json").mkdir(parents=True)
    assert run.load() == (
        [FIRST],
        [f"skipped {run.manifest_path(BROKEN.id)}: is not a file"],
    )


def test_a_link_that_leads_nowhere_is_named(tmp_path: Path) -> None:
    run = a_run(tmp_path / "r", FIRST)
    run.cell_folder(BROKEN.id).mkdir()
    run.manifest_path(BROKEN.id).symlink_to(tmp_path / "gone.json")
    assert run.load() == (
        [FIRST],
        [f"skipped {run.manifest_path(BROKEN.id)}: No such file or directory"],
    )


def test_a_pipe_is_named_and_does_not_block(tmp_path: Path) -> None:
    run = a_run(tmp_path / "r", FIRST)
    run.cell_folder(BROKEN.id).mkdir()
    os.mkfifo(run.manifest_path(BROKEN.id))
    assert run.load().warnings == [f"skipped {run.manifest_path(BROKEN.id)}: is not a file"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_named(tmp_path: Path) -> None:
    run = a_run(tmp_path / "r", FIRST)
    put(run, BROKEN.id, WHOLE).chmod(0)
    assert run.load().warnings == [f"skipped {run.manifest_path(BROKEN.id)}: Permission denied"]


def test_a_file_that_the_system_will_not_open_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = a_run(tmp_path / "r", FIRST)

    def refused(*arguments: object, **more: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.open", refused)
    loaded = run.load()
    monkeypatch.undo()
    assert loaded == ([], [f"skipped {run.manifest_path(FIRST.id)}: Permission denied"])


def test_a_file_in_place_of_the_cells_is_named(tmp_path: Path) -> None:
    (tmp_path / "cells").write_text("")
    assert Run(tmp_path).load() == ([], [f"skipped {tmp_path / 'cells'}: Not a directory"])


def test_earlier_attempts_are_passed_over(tmp_path: Path) -> None:
    run = a_run(tmp_path / "r", FIRST)
    put(run, f"{FIRST.id}.attempt-1", encode_manifest(FIRST))
    put(run, f"{FIRST.id}.attempt-2", b"{")
    assert run.load() == ([FIRST], [])


def test_a_cell_that_has_no_manifest_yet_is_passed_over(tmp_path: Path) -> None:
    run = a_run(tmp_path / "r", FIRST)
    (run.cell_folder(BROKEN.id)).mkdir()
    (run.cells / "notes.txt").write_text("")
    assert run.load() == ([FIRST], [])
    assert run.manifest(BROKEN.id) is None


def test_one_manifest_is_found_by_its_cell(tmp_path: Path) -> None:
    run = a_run(tmp_path / "r", FIRST, SECOND)
    assert run.manifest(SECOND.id) == SECOND
    path = put(run, BROKEN.id, b"{}")
    with pytest.raises(UnreadableError) as caught:
        run.manifest(BROKEN.id)
    assert str(caught.value).startswith(f"{path}: is not a manifest")


def test_a_run_knows_where_its_files_lie(tmp_path: Path) -> None:
    run = Run(tmp_path / "2024-05-01")
    assert run.id == "2024-05-01"
    assert run.manifest_path("ab") == tmp_path / "2024-05-01" / "cells" / "ab" / "manifest.json"
    with pytest.raises(FileNotFoundError):
        run.plan()


def test_many_manifests_take_less_memory_and_read_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples: list[list[int | float | None]] = [
        [0.25 * n for n in range(20)], [0.5, None] * 20, [1, 2], [10**400] * 20,
    ]  # fmt: skip
    metrics = [Metric(name="latency_s", unit="s", samples=values) for values in samples]
    series = Telemetry(
        path="telemetry.jsonl", samples=9, phases=["load", "measure"], seconds=[0.5, 2.0],
        phase_samples=[2, 7], reasons={"gpus": "none"},
        readings={"host/cpu_percent": Readings(mean=[1.5, 2.5], max=[3.0, None])},
    )  # fmt: skip
    written = a_manifest(metrics=metrics, telemetry=series)
    run = a_run(tmp_path / "r", written)
    monkeypatch.setattr("manifests.run_folder.MANY", 0)
    (read,) = run.load().manifests
    assert [list(metric.samples) for metric in read.metrics] == samples
    assert isinstance(read.metrics[0].samples, array.array)
    assert read.cell == written.cell
    assert (read.id, read.cell.id, read.status) == (written.id, written.id, "ok")
    assert read.telemetry is not None
    assert read.telemetry.by_phase() == series.by_phase()
    assert encode_manifest(read) == run.manifest_path(read.id).read_bytes()


def test_what_many_manifests_repeat_is_held_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = Dataset(
        name="digits", origin="scikit-learn", classes=["0", "1"], image_size=32, mean=[0.5],
        std=[0.25], splits={},
    )  # fmt: skip
    proof = Proof(promised="int8", operations={"int8": {"conv": 2}}, coverage=1, fallback=[],
                  source="graph")  # fmt: skip
    written = [
        a_manifest(a_cell(seed=seed), inputs=Inputs(dataset=dataset), proof=proof)
        for seed in (1, 2)
    ]
    run = a_run(tmp_path / "r", *written)
    monkeypatch.setattr("manifests.run_folder.MANY", 0)
    one, other = run.load().manifests
    assert one.inputs.dataset is other.inputs.dataset
    assert one.proof is other.proof


def test_a_plan_may_be_larger_than_a_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = a_run(tmp_path / "r")
    write_plan(run.plan_path, Plan(study="s", tier="t", protocol="rigorous", dataset="d", cells=[]))
    monkeypatch.setattr("manifests.codec.MAX_BYTES", 10)
    assert run.plan().study == "s"
    monkeypatch.setattr("manifests.run_folder.MAX_PLAN_BYTES", 10)
    with pytest.raises(UnreadableError, match="is not a plan: Input data was truncated"):
        run.plan()
