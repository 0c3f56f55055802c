"""The points of a figure: from the study's definition, published beside measured."""

from __future__ import annotations

import math

import pytest

from comparisons.comparison import PROTOCOL, Line
from comparisons.figure_points import FigurePoint, figure_points
from comparisons.sequential.partners import Process
from papers.figures import Figure, FigureSeries
from papers.published import Column, TableFile
from tests.comparisons.samples import a_comparison, a_line


def a_table(metric: str = "latency_s", unit: str = "ms") -> TableFile:
    columns = [Column(name=name, label=name, unit=unit, metric=metric) for name in ("base", "int8")]
    return TableFile(id="table1", title="t", place="p", key=["model", "batch_size"], column=columns)


def a_figure(*series: FigureSeries, **changes: str) -> Figure:
    fields = {"along": "batch_size", "panel": "model", **changes}
    return Figure(id="f", title="F", place="Figure 1", table="table1", series=[*series], **fields)


def line(column: str, published: float | None, measured: float | None, **more: object) -> Line:
    key = {"model": "vgg16", "batch_size": "8"}
    fields: dict[str, object] = {
        "key": key, "column": column, "published": published, "measured": measured,
        "flags": [], "unit": "ms", "n": 1, **more,
    }  # fmt: skip
    return a_line(**fields)


OVER = FigureSeries(column="int8", label="INT8", over="base")
PLAIN = FigureSeries(column="int8", label="INT8")


def test_a_latency_is_an_improvement_the_shorter_it_is() -> None:
    lines = [line("base", 40.0, 30.0), line("int8", 2.0, 3.0)]
    points = figure_points(a_figure(OVER), a_table(), a_comparison(*lines))
    assert points == [
        FigurePoint("vgg16", "8", "INT8", "published", 20.0, "×"),
        FigurePoint("vgg16", "8", "INT8", "measured", 10.0, "×", n=1),
    ]


def test_a_rate_is_an_improvement_the_higher_it_is() -> None:
    lines = [line("base", 100.0, 200.0), line("int8", 400.0, 500.0)]
    table = a_table("throughput_items_per_s", "images/s")
    points = figure_points(a_figure(OVER), table, a_comparison(*lines))
    assert [point.value for point in points] == [4.0, 2.5]


@pytest.mark.parametrize("metric", ["latency_s", "throughput_items_per_s"])
def test_an_improvement_has_the_interval_of_its_processes(metric: str) -> None:
    def of(*values: float) -> dict[str, object]:
        found = [Process(f"c{n}", n, value, 1.0, (), ()) for n, value in enumerate(values)]
        return {"processes": tuple(found), "n": len(values)}

    slow, fast = (30.0, 31.0, 29.0), (3.0, 3.1, 2.9)
    base, new = (slow, fast) if metric == "latency_s" else (fast, slow)
    lines = [line("base", None, base[0], **of(*base)), line("int8", None, new[0], **of(*new))]
    (point,) = figure_points(a_figure(OVER), a_table(metric), a_comparison(*lines))
    assert point.value == pytest.approx(10.0)
    assert point.low is not None and point.high is not None
    assert 8 < point.low < 10 < point.high < 12.5
    assert math.sqrt(point.low * point.high) == pytest.approx(10.0, rel=0.03)


def test_a_plain_series_has_the_intervals_and_flags_of_its_line() -> None:
    found = line("int8", None, 3.0, low=2.5, high=3.5, flagged={"busy-machine": ["c1"]}, n=4)
    (point,) = figure_points(a_figure(PLAIN), a_table(), a_comparison(found))
    assert (point.value, point.unit, point.low, point.high, point.n) == (3.0, "ms", 2.5, 3.5, 4)
    assert point.flagged == {"busy-machine": ["c1"]}


def test_flags_of_both_sides_stand_at_an_improvement() -> None:
    lines = [
        line("base", None, 30.0, flagged={"busy-machine": ["c1"]}),
        line("int8", None, 3.0, flagged={"drift": ["c2"]}),
    ]
    (point,) = figure_points(a_figure(OVER), a_table(), a_comparison(*lines))
    assert point.flagged == {"busy-machine": ["c1"], "drift": ["c2"]}


def test_protocols_are_told_apart_where_there_are_two_and_print_once() -> None:
    def row(protocol: str, measured: float | None) -> Line:
        key = {"model": "vgg16", "batch_size": "8", PROTOCOL: protocol}
        return line("int8", 2.0, measured, key=key)

    two = a_comparison(row("as-published", 3.0), row("rigorous", 4.0))
    assert [
        (p.line, p.source, p.value) for p in figure_points(a_figure(PLAIN), a_table(), two)
    ] == [
        ("INT8", "published", 2.0),
        ("INT8 · as-published", "measured", 3.0),
        ("INT8 · rigorous", "measured", 4.0),
    ]
    one = a_comparison(row("as-published", None), row("rigorous", 4.0))
    assert [(p.line, p.source) for p in figure_points(a_figure(PLAIN), a_table(), one)] == [
        ("INT8", "published"), ("INT8", "measured"),
    ]  # fmt: skip


def test_a_line_for_each_value_of_a_key_says_what_a_number_counts() -> None:
    figure = a_figure(PLAIN, along="model", panel="", lines="batch_size")
    (point,) = figure_points(figure, a_table(), a_comparison(line("int8", None, 3.0)))
    assert (point.panel, point.along, point.line) == ("", "vgg16", "batch size 8")


def test_what_has_no_number_is_no_point() -> None:
    lines = [line("base", None, 0.0), line("int8", None, None)]
    assert figure_points(a_figure(OVER, PLAIN), a_table(), a_comparison(*lines)) == []
    assert figure_points(a_figure(OVER), a_table(), a_comparison(line("int8", 2.0, 3.0))) == []
