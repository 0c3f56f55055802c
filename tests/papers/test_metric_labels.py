"""Tables whose rows are labels of a metric: quantizers, formats, calibrators."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from comparisons.claims.run_source import measured_source
from comparisons.comparison import Comparison, compare_tables
from manifests.documents import Document
from manifests.manifest import Manifest
from papers.mistakes import Place
from papers.published import Column, PublishedTable, TableFile
from papers.table_checks import table_mistakes
from papers.table_types import TablesFile
from tests.comparisons.samples import a_plan, measured, metric
from tests.manifests.samples import a_cell

TABLE = TableFile(
    id="arithmetic",
    title="Quantizers",
    place="section 3",
    key=["framework"],
    metric_label="quantizer",
    column=[
        Column(name="equal", label="equal", unit="%", metric="equal_integers"),
        Column(name="scale", label="scale", unit="count", metric="scale_ulp"),
    ],
)
_PLACE = Place(Document(Path("tables.toml"), "", {}))
CELLS = [a_cell(framework=name, technique="arithmetic") for name in ("alpha", "beta")]


def compared(*manifests: Manifest) -> Comparison:
    plan = a_plan(*CELLS)
    (comparison,) = compare_tables([PublishedTable(TABLE, [], [])], plan, list(manifests))
    return comparison


def values(comparison: Comparison) -> list[tuple[str, str, str, float | None]]:
    return [
        (line.key["framework"], line.key["quantizer"], line.column, line.measured)
        for line in comparison.lines
    ]


FIRST = measured(
    CELLS[0],
    metric("equal_integers", 0.5, label="minmax"),
    metric("scale_ulp", 1, label="minmax"),
    metric("equal_integers", 1.0, label="histogram"),
)


def test_a_row_for_each_label_and_every_column_by_it() -> None:
    comparison = compared(FIRST, measured(CELLS[1], metric("equal_integers", 0.25, label="own")))
    assert comparison.key == ["framework", "quantizer"]
    assert values(comparison) == [
        ("alpha", "histogram", "equal", 100.0), ("alpha", "histogram", "scale", None),
        ("alpha", "minmax", "equal", 50.0), ("alpha", "minmax", "scale", 1.0),
        ("beta", "own", "equal", 25.0), ("beta", "own", "scale", None),
    ]  # fmt: skip


def test_a_cell_that_left_none_has_a_row_that_says_why() -> None:
    failed = msgspec.structs.replace(
        measured(CELLS[1]), status="unsupported", reason="no such quantizer"
    )
    line = compared(FIRST, failed).lines[-1]
    assert (line.key, line.measured) == ({"framework": "beta", "quantizer": ""}, None)
    assert line.state == "unsupported: no such quantizer"


def test_claims_name_the_label_as_any_key() -> None:
    comparison = compared(FIRST)
    source = measured_source([PublishedTable(TABLE, [], [])], [comparison])
    found = {row.key["quantizer"]: row.values["equal"] for row in source.rows("arithmetic")}
    assert not isinstance(found["minmax"], str) and isinstance(found[""], str)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"metric_label": "technique"}, "'technique' is a field of a cell: it belongs under key"),
        ({"data": "table1.csv"}, "rows come from the metrics of cells: give no data"),
        ({"column": []}, "its rows are the labels of the first column's metric"),
        ({"metric_label": "scale"}, "'scale' is the name of two keys, or of a column too"),
    ],
)
def test_what_cannot_be_is_told(change: dict[str, object], told: str) -> None:
    file = TablesFile(table=[msgspec.structs.replace(TABLE, **change)])
    found = [str(one) for one in table_mistakes(_PLACE, file)]
    assert any(told in one for one in found), found
