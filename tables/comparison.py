"""Published beside measured: the paper's tables, line by line."""

from __future__ import annotations

from typing import NamedTuple

from manifests.manifest import Manifest
from manifests.plan import Plan
from manifests.select import nearest
from tables.measured import Measured, Points, derive, measure_place, row_keys
from tables.published import Column, Printed, PublishedRow, PublishedTable, TableFile


class UnknownTableError(ValueError):
    """No such table; the message lists those there are."""


class Line(NamedTuple):
    """One quantity of one row. ``ratio`` is measured over published."""

    key: dict[str, str]
    quantity: str
    unit: str
    printed: str
    printed_unit: str
    published: float | None
    measured: float | None
    ratio: float | None
    n: int
    samples: int
    state: str
    cells: list[str]
    flags: list[str]


class Comparison(NamedTuple):
    """A table of the paper with what was measured."""

    id: str
    title: str
    place: str
    scope: str
    scope_note: str
    note: str
    key: list[str]
    lines: list[Line]
    issues: list[dict[str, str]]
    run: str = ""


def compare_tables(
    published: list[PublishedTable], plan: Plan, manifests: list[Manifest], run: str = ""
) -> list[Comparison]:
    """Every table of the study for one run."""
    points = Points(plan.cells, manifests)
    return [_compare(table, points, plan, run) for table in published]


def choose_table(comparisons: list[Comparison], wanted: str) -> list[Comparison]:
    """The one called ``wanted``, or all for an empty name. Raises UnknownTableError."""
    if not wanted:
        return comparisons
    chosen = [comparison for comparison in comparisons if comparison.id == wanted]
    if not chosen:
        ids = [comparison.id for comparison in comparisons]
        raise UnknownTableError(
            f"no table {wanted!r}.{nearest(wanted, ids)} Accepted: {', '.join(ids)}"
        )
    return chosen


def describe_scope(plan: Plan) -> str:
    """What every table has to say of itself: tier, data set, protocol."""
    return f"tier {plan.tier} · {plan.dataset} · {plan.protocol}"


def describe_environments(manifests: list[Manifest]) -> list[str]:
    """The machines and package versions behind the numbers; more than one is told."""
    machines: dict[str, int] = {}
    versions: dict[str, set[str]] = {}
    for manifest in manifests:
        machine = manifest.environment.machine
        if machine is None:
            continue
        text = f"{machine.cpu}, {machine.cpus} processors, {machine.system}"
        machines[text] = machines.get(text, 0) + 1
        for name, version in manifest.environment.packages.items():
            if name in ("torch", "tensorflow", "tensorflow_cpu", "tf_keras", "ai-edge-litert"):
                versions.setdefault(name, set()).add(version)
    lines = [f"measured on {text} ({count} cells)" for text, count in machines.items()]
    if len(machines) > 1:
        lines.insert(0, "the cells of this run come from different machines")
    packages = "; ".join(f"{name} {', '.join(sorted(v))}" for name, v in sorted(versions.items()))
    return [*lines, packages] if packages else lines


def _compare(table: PublishedTable, points: Points, plan: Plan, run: str) -> Comparison:
    rows = table.rows or [PublishedRow(key, {}) for key in row_keys(table.file, points)]
    lines = [line for row in rows for line in _lines(table.file, row, points)]
    file = table.file
    return Comparison(
        id=file.id,
        title=file.title,
        place=file.place,
        scope=describe_scope(plan),
        scope_note=f"tier {plan.tier}: {plan.tier_about}" if plan.tier_about else "",
        note=file.note,
        key=file.key,
        lines=lines,
        issues=table.issues,
        run=run,
    )


def _lines(table: TableFile, row: PublishedRow, points: Points) -> list[Line]:
    measured: dict[str, Measured] = {}
    for column in table.column:
        if not column.derive:
            measured[column.name] = measure_place(table, column, row.key, points)
    for column in table.column:
        if column.derive:
            measured[column.name] = _derived(column, measured)
    return [_line(column, row, measured[column.name]) for column in table.column]


def _derived(column: Column, measured: dict[str, Measured]) -> Measured:
    ((name, operands),) = column.derive.items()
    first, second = (measured[operand] for operand in operands)
    value = derive(name, first.value, second.value)
    state = "ok" if value is not None else first.state if first.state != "ok" else second.state
    return Measured(
        value,
        min(first.n, second.n),
        min(first.samples, second.samples),
        state,
        first.cells + second.cells,
        sorted({*first.flags, *second.flags}),
    )


def _line(column: Column, row: PublishedRow, measured: Measured) -> Line:
    printed = row.numbers.get(column.name, Printed("", None))
    ratio = None
    if measured.value is not None and printed.value:
        ratio = measured.value / printed.value
    return Line(
        key=row.key,
        quantity=column.label,
        unit=column.unit,
        printed=printed.text,
        printed_unit=column.printed_unit or column.unit,
        published=printed.value,
        measured=measured.value,
        ratio=ratio,
        n=measured.n,
        samples=measured.samples,
        state=measured.state,
        cells=measured.cells,
        flags=measured.flags,
    )
