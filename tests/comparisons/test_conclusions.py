"""What is told below a table: the best row, and what a column goes with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from comparisons.comparison import compare_tables
from manifests.documents import Document
from papers.mistakes import Place
from papers.published import Column, PublishedTable, TableFile
from papers.table_checks import table_mistakes
from papers.table_types import TablesFile
from tests.comparisons.samples import a_plan, measured, metric
from tests.manifests.samples import a_cell

TABLE = TableFile(
    id="factors",
    title="Factors",
    place="section 7",
    key=["model"],
    note="nothing is printed",
    best=["latency"],
    correlate=["latency", "parameters", "depthwise"],
    column=[
        Column(name="latency", label="latency", unit="ms", metric="latency_s"),
        Column(name="parameters", label="parameters", unit="million", metric="parameters"),
        Column(name="depthwise", label="depthwise", unit="%", metric="depthwise_share",
               source="layers"),
    ],
)  # fmt: skip
ROWS = {"small": (0.002, 1e6, 0.0), "middle": (0.004, 3e6, 0.5), "large": (0.008, 2e6, 0.0)}
CELLS = {name: a_cell(task="infer", model=name) for name in ROWS}
_PLACE = Place(Document(Path("tables.toml"), "", {}))


def note(table: TableFile = TABLE, models: tuple[str, ...] = tuple(ROWS)) -> str:
    manifests = [
        measured(
            CELLS[name],
            metric("latency_s", ROWS[name][0]),
            metric("parameters", int(ROWS[name][1])),
            metric("depthwise_share", ROWS[name][2], label="layers"),
        )
        for name in models
    ]
    plan = a_plan(*CELLS.values())
    (found,) = compare_tables([PublishedTable(table, [], [])], plan, manifests)
    return found.note


def test_the_best_row_and_the_correlations_are_told() -> None:
    assert note() == (
        "nothing is printed. Best latency: small, 2 ms. Kendall's tau of the latency with "
        "parameters 0.33 (3 rows, p = 1), depthwise 0.00 (3 rows, p = 1) (p exact)"
    )


def test_more_is_better_where_it_is() -> None:
    columns = [Column(name="rate", label="rate", unit="GMAC/s", metric="multiply_add_rate")]
    table = msgspec.structs.replace(TABLE, best=["rate"], correlate=[], column=columns)
    manifests = [
        measured(CELLS["small"], metric("multiply_add_rate", 2e9)),
        measured(CELLS["large"], metric("multiply_add_rate", 7e9)),
    ]
    plan = a_plan(*CELLS.values())
    (found,) = compare_tables([PublishedTable(table, [], [])], plan, manifests)
    assert found.note == "nothing is printed. Best rate: large, 7 GMAC/s"


def test_a_number_from_elsewhere_stands_in_every_row() -> None:
    product = a_cell(task="quantize", technique="matrix-product", model="none")
    columns = [
        Column(name="rate", label="rate", unit="GMAC/s", metric="multiply_add_rate"),
        Column(name="peak", label="peak", unit="GMAC/s", metric="multiply_add_rate",
               source="int8", elsewhere={"technique": "matrix-product"}),
        Column(name="share", label="share", unit="ratio", derive={"ratio": ["rate", "peak"]}),
    ]  # fmt: skip
    table = msgspec.structs.replace(
        TABLE, select={"task": "infer"}, best=[], correlate=[], column=columns
    )
    manifests = [
        measured(CELLS["small"], metric("multiply_add_rate", 2e9)),
        measured(CELLS["large"], metric("multiply_add_rate", 7e9)),
        measured(product, metric("multiply_add_rate", 5e9, label="float32"),
                 metric("multiply_add_rate", 1e10, label="int8")),
    ]  # fmt: skip
    plan = a_plan(*CELLS.values(), product)
    (found,) = compare_tables([PublishedTable(table, [], [])], plan, manifests)
    shown = {(line.key["model"], line.column): line.measured for line in found.lines}
    assert shown == {
        ("small", "rate"): 2, ("small", "peak"): 10, ("small", "share"): 0.2,
        ("middle", "rate"): None, ("middle", "peak"): 10, ("middle", "share"): None,
        ("large", "rate"): 7, ("large", "peak"): 10, ("large", "share"): 0.7,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ({"elsewhere": {"techniqe": "x"}}, "no field 'techniqe'"),
        (
            {"elsewhere": {"technique": "x"}, "instead": {"model": "y"}},
            "elsewhere takes the place of select and instead",
        ),
    ],
)
def test_what_elsewhere_can_t_be(column: dict[str, Any], message: str) -> None:
    first = msgspec.structs.replace(TABLE.column[0], **column)
    table = msgspec.structs.replace(TABLE, column=[first], correlate=[])
    told = [mistake.text for mistake in table_mistakes(_PLACE, TablesFile(table=[table]))]
    assert any(message in text for text in told), told


def test_what_was_not_measured_is_not_told() -> None:
    assert note(models=()) == "nothing is printed"
    assert note(models=("large",)) == "nothing is printed. Best latency: large, 8 ms"
    assert note(msgspec.structs.replace(TABLE, best=[], correlate=[])) == "nothing is printed"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"best": ["latencey"]}, "no column 'latencey'"),
        ({"correlate": ["latency", "params"]}, "no column 'params'"),
        ({"best": ["parameters"]}, "of parameters neither more nor less is better"),
        ({"correlate": ["latency"]}, "correlate takes two columns or more, not 1"),
    ],
)
def test_what_can_t_be_told_is_a_mistake(changed: dict[str, list[str]], message: str) -> None:
    file = TablesFile(table=[msgspec.structs.replace(TABLE, **changed)])
    told = [mistake.text for mistake in table_mistakes(_PLACE, file)]
    assert any(message in text for text in told), told
