"""The types of ``published/tables.toml``, and of what a printed table says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, NamedTuple

import msgspec

from manifests.select import FIELDS
from papers.issue_tests import IssueTest

Wanted = dict[str, str | int | list[str | int]]
DERIVATIONS = ("reduction", "increase", "ratio", "drop")
TRAINED_WITH = "trained_with"
"""What rows and selections may name beside a cell's own fields: the technique whose training
made the weights, which for a cell that trains is its own."""
OF_RECIPE = (
    "epochs", "train_images", "calibration_images", "calibration_source", "calibration_classes",
    "left_in_float",
)  # fmt: skip
"""What of a cell's recipe they may name too."""
SELECTABLE = (*FIELDS, TRAINED_WITH, *OF_RECIPE)
MAY_BE_EMPTY = ("variant", "environment")
"""Of which a cell may have none: ``environment = ""`` selects what runs in today's."""
_WORDS = {"": "blank", "OOM": "oom", "N/A": "not-applicable"}


class Column(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One quantity: a metric of selected cells, or derived from two other columns.

    name: what the CSV's header, claims and audits call it.
    label: what people read.
    unit: the unit that published and measured numbers are shown in.
    printed_unit: the unit in which the paper prints it, where that is another word.
    metric: the metric of a cell (manifests.metrics) that is its measured side.
    select: fields that the cells behind it have, by framework, or under ``any``.
    instead: values that they have in place of those of the row's key: the row's float32 model, say.
    elsewhere: fields of the cells behind it where those are not the row's own, so that the same
        number stands in every row: the machine's peak, say.
    derive: instead of a metric: reduction, increase, ratio or drop of two other columns.
    share: names of operations whose part of the whole is shown.
    per_item: divided by the number of items that a sample covers.
    skip: how many of the first samples are left out.
    total: samples are added up.
    source: the metric's label, or how its source begins.
    work: what a sample covers ("images"); its count is shown, and a ratio to the published number
        only in tier ``paper``, where the amount of work is the paper's.
    published_from: the columns that the printed number was derived from, where ours takes others.
    """

    name: str
    label: str
    unit: str
    printed_unit: str = ""
    metric: str = ""
    select: dict[str, Wanted] = {}
    instead: Wanted = {}
    elsewhere: Wanted = {}
    derive: dict[str, list[str]] = {}
    share: list[str] = []
    per_item: bool = False
    skip: int = 0
    total: bool = False
    source: str = ""
    work: str = ""
    published_from: list[str] = []


class TableFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table of ``tables.toml``.

    id: what claims, audits and ``repliquant table --table`` call it.
    title: one line for people.
    place: where it stands in the paper, e.g. ``Table 6, section 6.2``.
    key: the CSV's columns that tell rows apart and are fields of a cell, ``trained_with``, or of
        its recipe: epochs, train_images, calibration_images, _source and _classes, left_in_float.
    labels: further key columns, which no cell has: a processor, a version. Rows that differ in
        them alone stand beside the same measured number, and no claim about them is decided by it.
    metric_label: a further key column, which has a row for each label that the first column's
        metric has in the cells: a quantizer, a format.
    data: the CSV file beside ``tables.toml`` with the printed numbers.
    issues: a CSV file of any columns that is shown as it is.
    issue_tests: a file of tests that decide whether each of its lines is still so.
    note: what has to be said of the table.
    select: fields that the cells behind all columns have.
    experiment: the part of the study whose cells it is about; it and its claims are shown where a
        run has that part.
    best: columns whose best row is told below the table.
    correlate: columns; the rank correlation of the first with each of the others is told there.
    column: its quantities, in order.
    """

    id: str
    title: str
    place: str
    key: list[str]
    labels: list[str] = []
    metric_label: str = ""
    data: str = ""
    issues: str = ""
    issue_tests: str = ""
    note: str = ""
    select: Wanted = {}
    experiment: str = ""
    best: list[str] = []
    correlate: list[str] = []
    column: list[Column] = []

    @property
    def name(self) -> str:
        """What the paper calls it: ``Table 6`` of ``Table 6, section 6.2``."""
        return self.place.partition(",")[0]

    @property
    def keys(self) -> list[str]:
        """Every column that tells rows apart."""
        of_metrics = [self.metric_label] if self.metric_label else []
        return [*self.key, *of_metrics, *self.labels]

    def of_cells(self, key: dict[str, str]) -> dict[str, str]:
        """What of a row's key cells have."""
        if not self.labels and not self.metric_label:
            return key
        others = (*self.labels, self.metric_label)
        return {name: value for name, value in key.items() if name not in others}


class TablesFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``tables.toml``.

    table: the paper's tables and figures, in order.
    """

    table: Annotated[list[TableFile], msgspec.Meta(max_length=100)]


class Printed(NamedTuple):
    """A published number: as printed, and its value in the column's unit."""

    text: str
    value: float | None

    @property
    def kind(self) -> str:
        """``number``, ``oom``, ``not-applicable`` or ``blank``."""
        return "number" if self.value is not None else _WORDS[self.text]


class PublishedRow(NamedTuple):
    """Key values, and the printed numbers by column name."""

    key: dict[str, str]
    numbers: dict[str, Printed]


class PublishedTable(NamedTuple):
    """A table of the paper: what it is, and what it says."""

    file: TableFile
    rows: list[PublishedRow]
    issues: list[dict[str, str]]
    issue_tests: Sequence[IssueTest] = ()
