"""A run as long tables: nothing is lost, and failures stay in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from manifests import tidy
from manifests.cell import Cell
from manifests.manifest import Flag, Manifest, Metric
from tests.manifests.samples import a_cell, a_manifest


def test_a_row_for_each_sample_and_a_column_for_each_field_of_the_cell() -> None:
    table = tidy.samples([a_manifest()])
    assert table["value"] == [0.25, None, 0.5] and table["sample"] == [0, 1, 2]
    assert table["technique"] == ["ptq-eager"] * 3 and table["batch_size"] == [128] * 3
    assert table["recipe_measure_s"] == [1.5] * 3
    assert table["recipe_milestones"] == ["[0.5, 0.75]"] * 3
    assert {*Cell.__struct_fields__} - {"recipe"} <= table.keys()


def test_a_row_for_each_metric_counts_what_was_read() -> None:
    table = tidy.metrics([a_manifest()])
    row = {name: column[0] for name, column in table.items()}
    assert (row["n"], row["median"], row["minimum"], row["maximum"]) == (2, 0.375, 0.25, 0.5)


def test_a_cell_that_failed_has_a_row_without_a_metric() -> None:
    failed = a_manifest(a_cell(seed=2), status="oom", reason="needs more", metrics=[])
    table = tidy.samples([failed, a_manifest()])
    assert table["status"] == ["oom", "ok", "ok", "ok"] and table["reason"][0] == "needs more"
    assert table["metric"][0] is None and table["value"][0] is None
    assert tidy.metrics([failed])["n"] == [None]


def test_a_recipe_that_only_some_cells_have_is_empty_elsewhere() -> None:
    with_one = a_manifest(a_cell(recipe={"epochs": 2}))
    without = a_manifest(a_cell(recipe={"measure_s": 1.0}))
    table = tidy.metrics([with_one, without])
    assert table["recipe_epochs"] == [2, None] and table["recipe_measure_s"] == [None, 1.0]


def test_only_the_flags_of_a_metric_stand_beside_it() -> None:
    metrics = [
        Metric(name="latency_s", unit="s", samples=[1.0]),
        Metric(name="accuracy", unit="fraction", samples=[0.5]),
    ]
    flags = [Flag(name="few-samples", detail="", metrics=["latency_s"])]
    table = tidy.metrics([a_manifest(metrics=metrics, flags=flags)])
    assert dict(zip(table["metric"], table["flags"], strict=True)) == {
        "latency_s": "few-samples", "accuracy": "",
    }  # fmt: skip


_samples = st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False), max_size=5)


@given(st.lists(st.lists(_samples, max_size=3), max_size=4))
def test_no_sample_is_lost_and_all_columns_are_equally_long(runs: list[list[list[float]]]) -> None:
    manifests: list[Manifest] = [
        a_manifest(
            a_cell(seed=seed),
            metrics=[Metric(name=f"m{i}", unit="s", samples=s) for i, s in enumerate(metrics)],
        )
        for seed, metrics in enumerate(runs)
    ]
    table = tidy.samples(manifests)
    assert len({len(column) for column in table.values()}) == 1
    told = [value for value in table["value"] if value is not None]
    assert told == [v for metrics in runs for s in metrics for v in s if v is not None]
