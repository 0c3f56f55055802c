"""The value at a place of a table: from which cells, of how many processes, or why none."""

from __future__ import annotations

import msgspec
import pytest

from comparisons.measured import Measured, derive, measure_place, published_value, row_keys
from comparisons.points import Points
from manifests.manifest import Dataset, Flag, Inputs, Split
from papers.published import Column, Printed, PublishedRow
from tests.comparisons.places import LATENCY, place, table
from tests.comparisons.samples import measured, metric, planned, repeats
from tests.manifests.samples import a_cell


def test_the_median_of_the_samples_in_the_columns_unit() -> None:
    cell = a_cell()
    found = place([cell], [measured(cell, metric("latency_s", 0.002, 0.001, 0.009))])
    (process,) = found.processes
    assert (process.cell, process.repeat, process.value) == (cell.id, 0, 2.0)
    assert found._replace(processes=()) == Measured(2.0, 1, 3, "ok", [cell.id], [], values=(2.0,))


def test_repeats_count_as_processes_and_give_the_median_of_their_medians() -> None:
    cells = repeats(3)
    manifests = [
        measured(cell, metric("latency_s", middle, middle))
        for cell, middle in zip(cells, (0.001, 0.01, 0.002), strict=True)
    ]
    found = place(cells, manifests)
    assert (found.value, found.n, found.samples) == (2.0, 3, 6)
    assert found.cells == [cell.id for cell in cells]


def test_a_missing_sample_is_not_zero() -> None:
    cell = a_cell()
    found = place([cell], [measured(cell, metric("latency_s", None, 0.004, None))])
    assert (found.value, found.n, found.samples) == (4.0, 1, 1)


def test_samples_that_are_all_missing_are_no_value() -> None:
    cell = a_cell()
    found = place([cell], [measured(cell, metric("latency_s", None))])
    assert (found.value, found.n, found.state) == (None, 0, "not measured by this cell")


def test_per_item_divides_by_what_one_sample_covers() -> None:
    cell = a_cell()
    column = Column(name="l", label="l", unit="ms", metric="latency_s", per_item=True)
    found = place([cell], [measured(cell, metric("latency_s", 0.256, items=128))], column)
    assert found.value == 2.0


def test_a_share_is_a_part_of_the_time_of_all_operations() -> None:
    cell = a_cell()
    column = Column(
        name="c",
        label="c",
        unit="%",
        metric="op_time_s",
        share=["quantized::conv2d", "aten::convolution"],
    )
    operations = [
        metric("op_time_s", 0.5, 0.5, label="quantized::conv2d"),
        metric("op_time_s", 0.5, label="aten::convolution"),
        metric("op_time_s", 0.5, None, label="aten::add"),
    ]
    assert place([cell], [measured(cell, *operations)], column).value == 75.0


def test_a_share_without_operations_is_no_value() -> None:
    cell = a_cell()
    column = Column(
        name="c",
        label="c",
        unit="%",
        metric="op_time_s",
        share=["quantized::conv2d", "aten::convolution"],
    )
    assert place([cell], [measured(cell)], column).value is None


def test_a_failed_cell_gives_its_status_and_reason_and_no_number() -> None:
    cell = a_cell()
    failed = measured(cell, metric("latency_s", 0.1), status="oom", reason="out of memory: 9 GB")
    found = place([cell], [failed])
    assert [process.value for process in found.processes] == [None]
    assert found._replace(processes=()) == Measured(
        None, 0, 0, "oom: out of memory: 9 GB", [cell.id], []
    )


def test_a_repeat_that_failed_is_not_counted() -> None:
    good, bad = repeats(2)
    manifests = [
        measured(good, metric("latency_s", 0.001)),
        measured(bad, metric("latency_s", 0.1), status="crashed", reason="it broke"),
    ]
    found = place([good, bad], manifests)
    assert (found.value, found.n, found.state) == (1.0, 1, "ok")


def test_a_cell_without_a_manifest_is_not_run() -> None:
    assert place([a_cell()], []).state == "not run"


def test_a_place_without_cells_says_so() -> None:
    assert place([a_cell(framework="tensorflow")], []).state == "no such cell"


def test_a_selection_narrows_the_cells() -> None:
    one, many = a_cell(batch_size=1), a_cell(batch_size=128)
    manifests = [
        measured(one, metric("latency_s", 0.001)),
        measured(many, metric("latency_s", 0.1)),
    ]
    assert place([one, many], manifests, batch_size=128).value == 100.0


def test_flags_of_all_processes_are_told_once() -> None:
    cells = repeats(2)
    drift, busy = Flag(name="drift", detail=""), Flag(name="busy-machine", detail="")
    manifests = [
        measured(cells[0], metric("latency_s", 1), flags=[drift, busy]),
        measured(cells[1], metric("latency_s", 1), flags=[drift]),
    ]
    assert place(cells, manifests).flags == ["busy-machine", "drift"]


def test_manifests_that_are_not_in_the_plan_are_not_used() -> None:
    stray = a_cell(seed=99)
    points = Points([planned(a_cell())], [measured(stray, metric("latency_s", 1))])
    assert points.all[0].manifest is None


def test_a_table_without_published_rows_has_a_row_a_combination() -> None:
    cells = [*repeats(2), a_cell(framework="tensorflow")]
    assert row_keys(table(task="infer"), Points([planned(cell) for cell in cells], [])) == [
        {"framework": "pytorch"},
        {"framework": "tensorflow"},
    ]


def test_derivations_of_the_published_sizes_and_times() -> None:
    assert round(derive("reduction", 42.62, 10.76) or 0, 2) == 74.75
    assert round(derive("reduction", 42.61, 11.31) or 0, 2) == 73.46
    assert round(derive("increase", 16.80, 32.82) or 0, 2) == 95.36
    assert derive("reduction", None, 1) is None
    assert derive("reduction", 1, None) is None
    assert derive("increase", 0, 1) is None


def test_the_first_samples_can_be_left_out_as_warm_up() -> None:
    cell = a_cell()
    column = Column(name="s", label="s", unit="s", metric="latency_s", skip=3)
    found = place([cell], [measured(cell, metric("latency_s", 9, 8, 7, 2, 1, 2))], column)
    assert (found.value, found.samples) == (2.0, 3)


def test_the_amount_of_work_stands_beside_the_value() -> None:
    cell = a_cell()
    column = Column(name="s", label="s", unit="s", metric="latency_s", work="images")
    found = place([cell], [measured(cell, metric("latency_s", 2.0, items=50_000))], column)
    assert found.work == "50,000 images"


def test_a_total_adds_the_samples_up() -> None:
    cell = a_cell()
    column = Column(name="t", label="t", unit="s", metric="train_epoch_s", total=True)
    found = place([cell], [measured(cell, metric("train_epoch_s", 2.0, 3.0))], column)
    assert (found.value, found.samples) == (5.0, 2)


def test_a_column_may_ask_for_a_source() -> None:
    cell = a_cell()
    manifest = measured(
        cell,
        metric("peak_memory_bytes", 2**30, source="rss of the process"),
        metric("peak_memory_bytes", 2**29, source="allocator of TensorFlow"),
    )
    column = Column(name="m", label="m", unit="GiB", metric="peak_memory_bytes", source="allocator")
    assert place([cell], [manifest], column).value == 0.5
    from_nvml = msgspec.structs.replace(column, source="nvml")
    assert place([cell], [manifest], from_nvml).state == "not measured by this cell"


def test_rows_can_tell_apart_how_the_weights_were_trained() -> None:
    plain = a_cell(task="train", technique="float32")
    mixed = a_cell(task="train", technique="amp-float16")
    children = [
        a_cell(task="quantize", technique="int8", weights_from=parent.id)
        for parent in (plain, mixed)
    ]
    manifests = [
        measured(cell, metric("accuracy", value))
        for cell, value in zip(children, (0.25, 0.5), strict=True)
    ]
    points = Points([planned(cell) for cell in (plain, mixed, *children)], manifests)
    column = Column(name="a", label="a", unit="%", metric="accuracy")
    key = {"framework": "pytorch", "trained_with": "amp-float16"}
    found = measure_place(table(task="quantize"), column, key, points)
    assert (found.value, found.cells) == (50.0, [children[1].id])


def test_a_ratio_is_the_first_over_the_second() -> None:
    assert derive("ratio", 6.0, 4.0) == 1.5
    assert derive("ratio", 6.0, 0.0) is None
    assert derive("ratio", 0.0, 4.0) == 0.0


def a_row(**printed: float | None) -> PublishedRow:
    return PublishedRow({}, {name: Printed(f"{v}" if v else "", v) for name, v in printed.items()})


@pytest.mark.parametrize(("name", "value"), [("ratio", 4.0), ("drop", 6.0), ("reduction", 75.0)])
def test_what_is_not_printed_follows_from_what_is(name: str, value: float) -> None:
    column = Column(name="d", label="d", unit="×", derive={name: ["a", "b"]})
    assert published_value(column, a_row(a=8.0, b=2.0, d=None)) == value
    assert published_value(column, a_row(a=8.0, b=2.0, d=3.5)) == 3.5
    assert published_value(column, a_row(a=8.0, b=None, d=None)) is None
    assert published_value(column, PublishedRow({}, {})) is None


@pytest.mark.parametrize(
    ("name", "images"), [("accuracy", 200), ("top5_accuracy", 200), ("f1", 0), ("latency_s", 0)]
)
def test_a_proportion_knows_its_number_of_test_images(name: str, images: int) -> None:
    column = Column(name="a", label="a", unit="%", metric=name)
    cells = repeats(2)
    data = Dataset(
        name="digits", origin="here", classes=[], image_size=8, mean=[], std=[],
        splits={"test": Split(count=300, sha256="0")}, used={"test": 200},
    )  # fmt: skip
    known = measured(cells[0], metric(name, 0.5), inputs=Inputs(dataset=data))
    assert place([cells[0]], [known], column).images == images
    assert place(cells, [known, measured(cells[1], metric(name, 0.5))], column).images == 0


def test_a_variant_is_measured_only_where_it_is_asked_for() -> None:
    plain = a_cell()
    varied = msgspec.structs.replace(plain, variant="minmax")
    manifests = [
        measured(plain, metric("latency_s", 0.002)),
        measured(varied, metric("latency_s", 0.004)),
    ]
    points = Points([planned(plain), planned(varied)], manifests)
    key = {"framework": "pytorch"}
    assert measure_place(table(), LATENCY, key, points).value == 2.0
    assert measure_place(table(variant="minmax"), LATENCY, key, points).value == 4.0
    rows = msgspec.structs.replace(table(), key=["framework", "variant"])
    assert row_keys(table(), points) == [key]
    assert row_keys(rows, points) == [{**key, "variant": ""}, {**key, "variant": "minmax"}]
    chosen = {"framework": "pytorch", "variant": "minmax"}
    assert measure_place(rows, LATENCY, chosen, points).value == 4.0
