"""Numbers that can't be: no table, speedup, claim or archive takes them for a result."""

from __future__ import annotations

from pathlib import Path

import pytest

from comparisons.decomposition import explain_measured
from comparisons.gpu_check import check_lines
from comparisons.points import Points
from comparisons.report.cells import describe
from comparisons.report.charts import _label, draw
from manifests.manifest import Environment, Flag, Machine, Manifest
from papers.ladders import ladders_of
from tests.comparisons import hostile
from tests.comparisons.bundles import bundle, toy_manifests, toy_run
from tests.comparisons.places import place
from tests.comparisons.samples import a_comparison, a_line, a_plan, measured, metric
from tests.manifests.samples import a_cell


def machine(memory_bytes: int) -> Environment:
    return Environment(
        machine=Machine(
            system="Linux", architecture="x86_64", cpu="one", cpus=2, instruction_sets=[],
            memory_bytes=memory_bytes,
        )
    )  # fmt: skip


def test_a_time_below_nothing_is_no_value_and_the_reason_is_told() -> None:
    cell = a_cell(task="train", technique="float32")
    found = place([cell], [measured(cell, metric("latency_s", 0.1, -0.857))])
    assert (found.value, found.n) == (None, 0)
    assert found.state == (
        "impossible: latency can't be -0.857: it has to be more than 0 (1 of 2 samples)"
    )
    assert list(found.flagged) == ["impossible-value"]


def test_a_repeat_that_can_not_be_is_left_out_and_flags_the_rest() -> None:
    cells = [a_cell(task="train", technique="float32", repeat=n) for n in range(2)]
    manifests = [
        measured(c, metric("latency_s", v)) for c, v in zip(cells, (0.1, -1.0), strict=True)
    ]
    found = place(cells, manifests)
    assert found.n == 1 and found.flagged == {"impossible-value": [cells[1].id]}


def test_no_speedup_comes_of_a_time_below_nothing() -> None:
    cells = [a_cell(framework="pytorch", technique=t) for t in ("float32", "ptq-eager")]
    manifests = [
        measured(c, metric("latency_s", v)) for c, v in zip(cells, (0.1, -0.01), strict=True)
    ]
    plan = a_plan(*cells)
    (found,) = explain_measured(plan, Points(plan.cells, manifests), ladders_of([]))
    assert found.total is None and found.state.startswith("impossible: ")
    lines = check_lines(manifests)
    assert [line.speedup for line in lines if line.technique == "ptq-eager"] == [None]


def test_a_cell_of_the_report_has_the_reason_in_place_of_a_median() -> None:
    manifest = measured(a_cell(), metric("latency_s", -1.0))
    (row,) = describe(manifest, "").metrics
    assert (row.median, row.note) == ("–", "latency can't be -1: it has to be more than 0")


def verified(folder: Path, manifests: list[Manifest]) -> str:
    bundle(toy_run(folder, manifests), folder / "a.zip")
    (folder / "into").mkdir()
    lines = hostile.outcome(folder / "a.zip", folder / "into")
    (found,) = [line for line in lines if line.startswith("numbers: ")]
    return found


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("end_to_end_s", -0.5, "end-to-end time can't be -0.5: it has to be more than 0"),
        ("accuracy", 1.5, "accuracy can't be 1.5: it has to be at most 1"),
        ("model_size_bytes", 0, "model size can't be 0: it has to be more than 0"),
        ("peak_memory_bytes", 2**40, "peak memory can't be 1.09951e+12: the machine has 1,024"),
    ],
)
def test_verify_names_what_can_not_be(tmp_path: Path, name: str, value: float, told: str) -> None:
    manifests = toy_manifests(environment=machine(1024))
    wrong = measured(manifests[0].cell, metric(name, value), environment=machine(1024))
    found = verified(tmp_path, [wrong, *manifests[1:]])
    assert found.startswith(f"numbers: cell {wrong.id}: {told}")


def test_verify_accepts_what_a_manifest_itself_calls_impossible(tmp_path: Path) -> None:
    manifests = toy_manifests()
    flag = Flag(name="impossible-value", detail="", metrics=["latency_s"])
    admitted = measured(manifests[0].cell, metric("latency_s", -1.0), flags=[flag])
    found = verified(tmp_path, [admitted, *manifests[1:]])
    assert found == "numbers: ok (2 metrics, 1 impossible and flagged so)"


def test_a_chart_marks_what_was_disturbed() -> None:
    line = a_line(flagged={"busy-machine": ["x"], "few-samples": ["x"]})
    assert _label(line) == "pytorch · int8 size (busy-machine)"
    (chart,) = draw([a_comparison(line, a_line(key={"framework": "tensorflow"}))])
    assert "pale where the measurement was disturbed" in chart.about
    assert "busy-machine" in chart.svg
    (calm,) = draw([a_comparison(a_line())])
    assert "pale" not in calm.about and "busy" not in calm.svg
