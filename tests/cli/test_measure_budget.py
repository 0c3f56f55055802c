"""What ``measure`` runs within its budget, and in which order: literal seconds, literal plans."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import msgspec
import pytest

from comparisons.pareto import preferred
from manifests.cell import Cell
from manifests.codec import encode_manifest
from manifests.manifest import Manifest, Metric
from manifests.plan import Plan, PlannedCell
from orchestrator.running.request import Request, prepare
from services import measure_budget
from services.measure import Measuring, again, measuring, once
from services.measure_budget import Budget, batch_order
from services.measure_rows import NO_TIME, NOT_RUN, rows
from services.measure_screen import Screen, measure_screen
from services.results import Results, explain_speedups, pareto_networks
from tests.manifests.samples import a_manifest, a_run, put
from tests.orchestrator.model_bytes import sound

if TYPE_CHECKING:
    from orchestrator.running.execute import Session


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPLIQUANT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("REPLIQUANT_RUNS", str(tmp_path / "runs"))


@pytest.fixture
def asked(tmp_path: Path) -> Measuring:
    (tmp_path / "net.onnx").write_bytes(sound())
    return measuring(
        tmp_path / "net.onnx", (1, 8, 32), None, "0-1", 240.0, Request("", engine="local")
    )


def named(cells: Sequence[PlannedCell]) -> list[tuple[str, str, str, int]]:
    """Task, toolchain, as given or INT8, batch size (of what is timed)."""
    return [
        (one.cell.task, one.cell.framework, one.cell.technique.removeprefix("model-file") or "-",
         one.cell.batch_size if one.cell.task == "infer" else 0)
        for one in cells
    ]  # fmt: skip


def test_batch_sizes_tell_most_at_both_ends() -> None:
    assert batch_order([8, 1, 32]) == [1, 32, 8]
    assert batch_order([64, 16, 4, 2, 1]) == [1, 64, 2, 4, 16]
    assert (batch_order([7]), batch_order([1, 32]), batch_order([])) == ([7], [1, 32], [])


def test_the_file_comes_first_and_each_toolchain_as_it_is_before_int8(asked: Measuring) -> None:
    cells = prepare(asked.request).chosen
    first = measure_budget.first_stage(cells, "onnxruntime")
    assert named(first) == [
        ("quantize", "onnxruntime", "-", 0), ("infer", "onnxruntime", "-", 1),
        ("quantize", "onnxruntime", "-int8", 0), ("infer", "onnxruntime", "-int8", 1),
        ("quantize", "openvino", "-", 0), ("infer", "openvino", "-", 1),
        ("quantize", "openvino", "-int8", 0), ("infer", "openvino", "-int8", 1),
    ]  # fmt: skip
    later = [{batch for *_, batch in named(stage)} for stage in measure_budget.later_stages(cells)]
    assert later == [{32}, {8}]
    ids = [one.id for stage in (first, *measure_budget.later_stages(cells)) for one in stage]
    assert sorted(ids) == sorted(one.id for one in cells)


def a_call(cell: Cell, wall_s: float, latency_s: float, at_s: float = 0.0) -> Manifest:
    begin = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(seconds=at_s)
    timed = [Metric(name="latency_s", unit="s", samples=[latency_s] * 3)]
    held = [Metric(name="agreement", unit="fraction", samples=[0.99], items=72)]
    metrics = timed if cell.task == "infer" else held
    return a_manifest(cell, wall_s=wall_s, metrics=metrics, started_at=begin.isoformat())


def planned_at(cells: Sequence[PlannedCell], batch: int) -> PlannedCell:
    (found,) = [
        one for one in cells
        if (one.cell.framework, one.cell.technique, one.cell.batch_size, one.cell.task)
        == ("onnxruntime", "model-file", batch, "infer")
    ]  # fmt: skip
    return found


def test_what_a_larger_batch_takes_follows_from_the_smallest(asked: Measuring) -> None:
    cells = prepare(asked.request).chosen
    one, largest = planned_at(cells, 1), planned_at(cells, 32)
    nothing = Budget(240.0, [])
    assert nothing.cost_s(largest) == largest.estimate_s and nothing.left_s == 240.0
    budget = Budget(240.0, [a_call(one.cell, 5.0, 0.05)])
    assert budget.cost_s(largest) == pytest.approx(5.0 + 6 * 32 * 0.05)  # 14.6 s
    assert budget.cost_s(one) == 5.0 and budget.left_s == 235.0


def test_breaks_between_cells_count(asked: Measuring) -> None:
    cells = prepare(asked.request).chosen
    one, other = planned_at(cells, 1), planned_at(cells, 8)
    ran = [a_call(one.cell, 5.0, 0.05), a_call(other.cell, 10.0, 0.4, at_s=9.0)]
    budget = Budget(60.0, ran)  # 5 s, a break of 4 s, 10 s
    assert budget.left_s == pytest.approx(41.0)
    assert budget.cost_s(one) == pytest.approx(7.0)


@pytest.mark.parametrize(
    ("left_s", "fitting"), [(9.0, []), (10.0, [0]), (29.0, [0]), (31.0, [0, 2]), (60.0, [0, 1, 2])]
)
def test_what_is_too_slow_gives_way_to_what_fits(
    asked: Measuring, left_s: float, fitting: list[int]
) -> None:
    chosen = prepare(asked.request).chosen[:3]
    cells = [
        msgspec.structs.replace(one, estimate_s=seconds)
        for one, seconds in zip(chosen, (10.0, 30.0, 20.0), strict=True)
    ]
    assert Budget(left_s, []).fitting(cells) == [cells[index] for index in fitting]


class _Machine:
    """A run whose cells take as long as ``seconds`` says of them."""

    def __init__(self, folder: Path, asked: Measuring, slow: float) -> None:
        self.prepared = prepare(asked.request)._replace(run=a_run(folder))
        self.paused = False
        self.ran: list[PlannedCell] = []
        self._slow, self._now_s = slow, 0.0

    def run_chosen(self, cells: Sequence[PlannedCell]) -> None:
        for planned in cells:
            cell = planned.cell
            if self.prepared.run.manifest(planned.id) is not None:
                continue
            latency_s = 0.05 * self._slow * cell.batch_size
            wall_s = 10.0 * self._slow if cell.task == "quantize" else 4.0 + 5 * latency_s
            done = a_call(cell, wall_s, latency_s, self._now_s)
            put(self.prepared.run, done.id, encode_manifest(done))
            self._now_s += wall_s
            self.ran.append(planned)

    run_further = run_chosen

    def measure(self, asked: Measuring) -> float:
        once(cast("Session", self), asked)
        again(cast("Session", self), asked.cells_s)
        return self._now_s


@pytest.mark.parametrize(
    ("slow", "at_32", "at_8"),
    [(1.0, 4, 4), (3.0, 2, 3), (5.0, 0, 0)],
    ids=["quiet", "three times slower", "five times slower"],
)
def test_a_machine_that_is_slower_measures_less_and_ends_in_time(
    tmp_path: Path, asked: Measuring, slow: float, at_32: int, at_8: int
) -> None:
    machine = _Machine(tmp_path / "run", asked, slow)
    assert machine.measure(asked) <= asked.budget_s
    ran = [one.cell for one in machine.ran if one.cell.task == "infer" and not one.cell.repeat]
    counts = [sum(cell.batch_size == batch for cell in ran) for batch in (1, 32, 8)]
    assert counts == [4, at_32, at_8]


def test_the_smallest_batch_is_measured_whatever_the_budget(
    tmp_path: Path, asked: Measuring
) -> None:
    machine = _Machine(tmp_path / "run", asked, 1.0)
    machine.measure(asked._replace(budget_s=1.0))
    assert [one.cell.batch_size for one in machine.ran if one.cell.task == "infer"] == [1] * 4
    assert len(machine.ran) == 8


def test_a_larger_budget_goes_on_where_the_smaller_one_ended(
    tmp_path: Path, asked: Measuring
) -> None:
    machine = _Machine(tmp_path / "run", asked, 1.0)
    machine.measure(asked._replace(budget_s=1.0))
    machine.measure(asked)
    ended = machine.prepared.run.load().manifests
    assert {one.cell.batch_size for one in ended if one.cell.task == "infer"} == {1, 8, 32}
    assert [one.cell.batch_size for one in machine.ran[8:12]] == [32] * 4


def test_rounds_go_on_for_the_batch_size_that_fits(tmp_path: Path, asked: Measuring) -> None:
    machine = _Machine(tmp_path / "run", asked, 2.0)
    machine.measure(asked)
    repeats = dict.fromkeys((1, 8, 32), 0)
    for one in machine.ran:
        if one.cell.task == "infer":
            batch = one.cell.batch_size
            repeats[batch] = max(repeats[batch], one.cell.repeat)
    assert repeats[1] > repeats[32]


def test_what_had_no_time_is_a_row_that_says_so(asked: Measuring) -> None:
    cells = prepare(asked.request).chosen
    first = measure_budget.first_stage(cells, "onnxruntime")
    manifests = [a_call(one.cell, 4.0, 0.05) for one in first]
    plan = Plan(study="s", tier="quick", protocol="rigorous", dataset="random", cells=cells)
    found = rows(plan, manifests, "onnxruntime")
    assert {(row.batch_size, row.status) for row in found} == {
        (1, "ok"), (8, NOT_RUN), (32, NOT_RUN),
    }  # fmt: skip
    assert {row.reason for row in found if row.status == NOT_RUN} == {NO_TIME}
    text = "\n".join(measure_screen(Screen("t", found, "", [], "n")))
    assert "OpenVINO INT8 batch 32: not run: the budget left no time for it" in text


def test_a_speedup_over_the_file_is_runtime_times_precision(
    tmp_path: Path, asked: Measuring
) -> None:
    machine = _Machine(tmp_path / "run", asked, 1.0)
    machine.measure(asked._replace(budget_s=1.0))
    results = Results(machine.prepared.run, machine.prepared.plan,
                      machine.prepared.run.load().manifests, [])  # fmt: skip
    found = {
        (one.point["framework"], one.technique): one
        for one in explain_speedups(results)
        if one.point["batch_size"] == "1"
    }
    assert set(found) == {
        ("onnxruntime", "model-file-int8"), ("openvino", "model-file"),
        ("openvino", "model-file-int8"),
    }  # fmt: skip
    across = found["openvino", "model-file-int8"]
    assert across.baseline == "onnxruntime model-file"
    assert [factor.kind for factor in across.factors] == ["runtime", "precision"]


def test_all_toolchains_stand_on_one_pareto_front(tmp_path: Path, asked: Measuring) -> None:
    machine = _Machine(tmp_path / "run", asked, 1.0)
    machine.measure(asked._replace(budget_s=1.0))
    results = Results(machine.prepared.run, machine.prepared.plan,
                      machine.prepared.run.load().manifests, [])  # fmt: skip
    (network,) = preferred(pareto_networks(results))
    assert network.by == "agreement" and len(network.ways) == 4
