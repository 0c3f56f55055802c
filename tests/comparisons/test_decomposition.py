"""Speedups taken apart: published ones as far as the rows allow, measured ones rung by rung."""

from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparisons.contrasts import factor_interval, part_interval
from comparisons.decomposition import (
    Explanation,
    explain_measured,
    explain_published,
    without_ladder,
)
from comparisons.measured import Points
from comparisons.render import speedups
from manifests.cell import Cell
from manifests.manifest import Flag, Manifest
from papers.ladders import Ladders, Node, Rung, framework_rungs, ladders_of
from papers.paper import find_paper
from tests.comparisons.samples import a_plan, measured, metric
from tests.manifests.samples import a_cell

LADDERS = Ladders(list(framework_rungs()))


def published(study: str) -> list[Explanation]:
    paper = find_paper(study)
    return explain_published(paper.tables, paper.ladders)


def test_every_published_speedup_of_shafique2023_is_taken_apart() -> None:
    found = published("shafique2023")
    assert len(found) == 4 * 12 * 3  # four tables, twelve rows, three precision modes
    assert {item.source for item in found} == {f"published, Table {n}" for n in (6, 7, 8, 9)}
    for item in found:
        assert item.total == pytest.approx(math.prod(f.value for f in item.factors))


def test_vgg16_at_batch_8_as_the_paper_has_it() -> None:
    found = {
        (item.source, item.technique): item
        for item in published("shafique2023")
        if item.point["model"] == "vgg16" and item.point["batch_size"] == "8"
    }
    int8 = found["published, Table 6", "tftrt-int8"]
    assert int8.total == pytest.approx(39.3 / 1.2)
    assert [(f.kind, f.value) for f in int8.factors] == [
        ("calling convention x compiler", pytest.approx(39.3 / 4.7)),
        ("precision", pytest.approx(4.7 / 1.2)),
    ]
    rate = found["published, Table 8", "tftrt-fp16"]
    assert rate.total == pytest.approx(5470 / 204)


def test_lad2023_publishes_one_speedup() -> None:
    (only,) = published("lad2023")
    assert (only.technique, only.total) == ("ptq-eager", pytest.approx(33 / 13))


def explained(*pairs: tuple[Cell, float | None]) -> list[Explanation]:
    """Of inference cells with their latencies in seconds; None for one that is unsupported."""
    manifests: list[Manifest] = []
    for cell, seconds in pairs:
        if seconds is None:
            manifests.append(measured(cell, status="unsupported", reason="no GPU"))
        else:
            manifests.append(measured(cell, metric("latency_s", seconds)))
    plan = a_plan(*(cell for cell, _ in pairs))
    return explain_measured(plan, Points(plan.cells, manifests), LADDERS)


def test_a_ladder_goes_from_one_framework_to_another() -> None:
    """Eager, then another runtime, then int8 there: what the runtime gives and what precision."""
    ladders = ladders_of(
        [
            Rung(
                framework="onnxruntime", technique="float32", after_framework="pytorch",
                after="float32", changes="runtime",
            ),
            Rung(framework="onnxruntime", technique="int8", after="float32", changes="precision"),
        ]
    )  # fmt: skip
    pairs = [("pytorch", "float32", 0.012), ("onnxruntime", "float32", 0.006),
             ("onnxruntime", "int8", 0.002)]  # fmt: skip
    cells = [a_cell(framework=f, task="infer", technique=t) for f, t, _ in pairs]
    manifests = [
        measured(cell, metric("latency_s", seconds))
        for cell, (_, _, seconds) in zip(cells, pairs, strict=True)
    ]
    plan = a_plan(*cells)
    runtime, both = explain_measured(plan, Points(plan.cells, manifests), ladders)
    assert (runtime.technique, runtime.baseline) == ("float32", "pytorch float32")
    assert both.total == pytest.approx(6.0)
    assert [(f.kind, f.value) for f in both.factors] == [
        ("runtime", pytest.approx(2.0)), ("precision", pytest.approx(3.0)),
    ]  # fmt: skip
    assert [name for name, _ in both.rungs] == ["pytorch float32", "float32", "int8"]
    assert without_ladder(plan, ladders) == {}


def test_an_experiments_cells_are_taken_apart_among_themselves() -> None:
    """They stand beside cells of the default at the same point, with another seed."""
    techniques = {"float32": 0.010, "channels-last": 0.005}
    default = [a_cell(task="infer", technique=name, seed=0) for name in techniques]
    own = [msgspec.structs.replace(cell, seed=1) for cell in default]
    seconds = [*techniques.values(), 0.010, 0.0025]
    manifests = [
        measured(cell, metric("latency_s", value))
        for cell, value in zip([*default, *own], seconds, strict=True)
    ]
    plan = a_plan(*default, *own)
    cells = [
        msgspec.structs.replace(one, experiment="toolchains" if one.cell.seed else "")
        for one in plan.cells
    ]
    plan = msgspec.structs.replace(plan, cells=cells, experiments=["toolchains"])
    found = explain_measured(plan, Points(plan.cells, manifests), LADDERS)
    assert [(one.point.get("seed"), one.total) for one in found] == [
        (None, pytest.approx(2.0)), ("1", pytest.approx(4.0)),
    ]  # fmt: skip
    assert all("experiment" not in one.point for one in found)


def test_a_framework_that_no_ladder_names_is_told_and_not_passed_over() -> None:
    cells = [a_cell(framework="tvm", task="infer", technique=t) for t in ("float32", "int8")]
    plan = a_plan(*cells, a_cell(framework="pytorch", task="infer", technique="float32"))
    assert without_ladder(plan, LADDERS) == {"tvm": ["float32", "int8"]}
    assert explain_measured(plan, Points(plan.cells, []), LADDERS) == []


def test_a_rung_of_the_study_takes_the_place_of_the_frameworks() -> None:
    ladders = ladders_of(
        [Rung(framework="pytorch", technique="ptq-fx", after="compiled", changes="sparsity")]
    )
    node = Node("pytorch", "ptq-fx")
    assert [one.technique for one in ladders.path_to(node)][-2:] == ["compiled", "ptq-fx"]
    assert ladders.changes(node) == "sparsity"


def rung(technique: str, **changes: object) -> Cell:
    return a_cell(framework="tensorflow", task="infer", technique=technique, **changes)


def test_measured_rungs_of_one_point_and_protocol_belong_together() -> None:
    found = explained(
        (rung("keras-predict"), 0.06),
        (rung("signature"), 0.02),
        (rung("keras-predict", protocol="as-published"), 0.05),
        (rung("signature", protocol="as-published"), 0.02),
        (rung("signature", batch_size=7), 0.01),
    )
    assert [(item.source, item.technique, item.total) for item in found] == [
        ("measured, rigorous", "signature", pytest.approx(3.0)),
        ("measured, as-published", "signature", pytest.approx(2.5)),
    ]


def predicted(protocol: str, seconds: float, steps: int, batch: int = 64) -> Manifest:
    cell = rung("keras-predict", protocol=protocol, batch_size=batch)
    return measured(cell, metric("latency_s", seconds), metric("steps_per_call", float(steps)))


def explained_of(*manifests: Manifest) -> dict[str, Explanation]:
    plan = a_plan(*(manifest.cell for manifest in manifests))
    return {
        item.source: item for item in explain_measured(plan, Points(plan.cells, manifests), LADDERS)
    }


def called(protocol: str, seconds: float, batch: int = 64) -> Manifest:
    cell = rung("signature", protocol=protocol, batch_size=batch)
    return measured(cell, metric("latency_s", seconds))


def test_a_batch_that_the_published_call_splits_is_a_factor_of_its_own() -> None:
    whole = predicted("rigorous", 0.040, 1)
    found = explained_of(
        predicted("as-published", 0.060, 2), called("as-published", 0.020),
        whole, called("rigorous", 0.020),
    )  # fmt: skip
    published = found["measured, as-published"]
    assert published.total == pytest.approx(3.0)
    assert [(f.kind, f.value) for f in published.factors] == [
        ("batch splitting", pytest.approx(1.5)), ("calling convention", pytest.approx(2.0)),
    ]  # fmt: skip
    assert sum(factor.share or 0 for factor in published.factors) == pytest.approx(1.0)
    assert published.rungs == [
        ("keras-predict", 60.0), ("keras-predict in one step", 40.0), ("signature", 20.0),
    ]  # fmt: skip
    assert whole.id in published.cells
    assert [f.kind for f in found["measured, rigorous"].factors] == ["calling convention"]


@pytest.mark.parametrize(
    "others",
    [
        [predicted("rigorous", 0.040, 2)],  # it splits as well
        [],
        [measured(rung("keras-predict", batch_size=64), metric("latency_s", 0.04))],  # older
    ],
)
def test_without_the_same_call_in_one_step_it_is_none(others: list[Manifest]) -> None:
    pair = [predicted("as-published", 0.060, 2), called("as-published", 0.020)]
    found = explained_of(*pair, *others)["measured, as-published"]
    assert [f.kind for f in found.factors] == ["calling convention"]


def test_a_batch_of_one_step_has_no_splitting() -> None:
    found = explained_of(
        predicted("as-published", 0.060, 1, 32), called("as-published", 0.020, 32),
        predicted("rigorous", 0.040, 1, 32), called("rigorous", 0.020, 32),
    )  # fmt: skip
    assert [f.kind for f in found["measured, as-published"].factors] == ["calling convention"]


def test_repeats_give_the_median_of_their_processes() -> None:
    found = explained(
        *((rung("keras-predict", repeat=n), s) for n, s in enumerate((0.06, 0.08, 0.07))),
        *((rung("signature", repeat=n), s) for n, s in enumerate((0.01, 0.02, 0.09))),
    )
    assert [item.total for item in found] == [pytest.approx(0.07 / 0.02)]
    assert len(found[0].cells) == 6


def test_what_could_not_run_says_why() -> None:
    (found,) = explained((rung("keras-predict"), 0.06), (rung("tftrt-int8"), None))
    assert (found.total, found.factors) == (None, [])
    assert found.state == "unsupported: no GPU"


def repeated(scatter: float, processes: int, *flags: Flag) -> Explanation:
    """Three rungs of 60, 20 and 10 ms; process by process a little apart."""
    manifests = [
        measured(
            rung(technique, repeat=n),
            metric("latency_s", seconds * (1 + scatter * ((n * step) % processes - processes / 2))),
            flags=list(flags) if technique == "signature" else [],
        )
        for step, (technique, seconds) in enumerate(
            (("keras-predict", 0.06), ("signature", 0.02), ("tflite-float32", 0.01)), start=1
        )
        for n in range(processes)
    ]
    plan = a_plan(*(manifest.cell for manifest in manifests))
    found = explain_measured(plan, Points(plan.cells, manifests), LADDERS)
    return next(item for item in found if item.technique == "tflite-float32")


def test_one_process_has_no_interval_and_says_so() -> None:
    found = repeated(0.01, 1)
    assert (found.n, found.interval) == (1, None)
    assert {(f.interval, f.share_interval) for f in found.factors} == {(None, None)}
    assert speedups.legend([found])[-1] == speedups.NO_INTERVAL
    assert speedups.plain(found)["interval"] is None


def test_repeats_give_every_factor_and_share_an_interval() -> None:
    found = repeated(0.01, 5)
    assert found.total is not None and found.interval is not None and found.n == 5
    assert found.interval.low < found.total < found.interval.high
    for factor in found.factors:
        assert factor.interval is not None and factor.share_interval is not None
        assert factor.interval.low < factor.value < factor.interval.high
        assert factor.share_interval.low < (factor.share or 0) < factor.share_interval.high
    shown = speedups.row(found)
    assert shown[3].startswith("6.00 [") and "compiler 2.00 [" in shown[4]
    assert speedups.legend([found]) == [speedups.LEGEND]
    assert len(speedups.plain(found)["factors"][0]["share_interval"]) == 2


def test_more_scatter_is_a_wider_interval_until_a_share_is_anything() -> None:
    widths = [repeated(scatter, 5).interval for scatter in (0.001, 0.01, 0.1)]
    assert all(interval is not None for interval in widths)
    spans = [interval.high / interval.low for interval in widths if interval]
    assert spans == sorted(spans)
    near = {"a": [1.0, 1.1, 0.9], "b": [1.0, 0.95, 1.1]}
    assert part_interval({"a": 1, "b": -1}, {"a": 1, "b": -1}, near) is None


@given(st.lists(st.lists(st.floats(0.5, 2), min_size=3, max_size=5), min_size=3, max_size=3))
def test_the_whole_of_a_clear_speedup_has_the_share_one(values: list[list[float]]) -> None:
    processes = {"a": [100 * v for v in values[0]], "b": values[1], "c": values[2]}
    whole = {"a": 1, "c": -1}
    found = part_interval(whole, whole, processes)
    assert found is None or found == (pytest.approx(1.0), pytest.approx(1.0))
    product = factor_interval({"a": 1, "b": 0, "c": -1}, processes)
    assert product == factor_interval(whole, processes)


def test_the_interval_of_several_steps_covers_their_product() -> None:
    found = factor_interval(
        {"a": 1, "b": -1, "c": 1, "d": -1},
        {"a": [4.0, 4.1], "b": [2.0, 2.1], "c": [3.0, 3.1], "d": [1.0, 1.1]},
    )
    assert found is not None and found.low < 4.05 / 2.05 * 3.05 / 1.05 < found.high


def test_flags_of_every_rung_stand_beside_the_speedup() -> None:
    busy = Flag(name="busy-machine", detail="others took 75%")
    found = repeated(0.01, 2, busy)
    assert list(found.flagged) == ["busy-machine"] and len(found.flagged["busy-machine"]) == 2
    assert speedups.row(found)[-1] == "busy-machine"
    assert speedups.plain(found)["flagged"] == found.flagged
