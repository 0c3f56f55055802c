"""Published beside measured: the paper's tables, line by line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import NamedTuple

from comparisons.conclusions import conclusions
from comparisons.issue_verdicts import with_verdicts
from comparisons.line_intervals import Ends, interval_of
from comparisons.measured import Measured, derive, measure_place, published_value, row_keys
from comparisons.number_flags import NO_FLAGS, Flagged, merged
from comparisons.points import Points
from comparisons.sequential.partners import Process
from manifests.errors import RepliquantError
from manifests.manifest import Manifest
from manifests.metrics import is_proportion
from manifests.plan import Plan
from manifests.runner_files import readable_frameworks
from manifests.suggest import check
from papers.published import Column, Printed, PublishedRow, PublishedTable, TableFile

PROTOCOL = "protocol"
_PAPER = "paper"


class UnknownTableError(RepliquantError, ValueError):
    """No such table; the message lists those there are."""


class Line(NamedTuple):
    """One quantity of one row. ``ratio`` is measured over published.

    ``low`` and ``high`` are the ends of the measured value's interval of 95 %, over repeated
    processes, or over test images for an accuracy. ``flagged`` has the cells of
    each of its ``flags``. ``processes`` are those of a number that isn't derived.
    """

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
    work: str = ""
    column: str = ""
    low: float | None = None
    high: float | None = None
    flagged: Flagged = NO_FLAGS
    processes: tuple[Process, ...] = ()
    images: int = 0


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
    study: str = ""


def compare_tables(
    published: list[PublishedTable], plan: Plan, manifests: list[Manifest], run: str = ""
) -> list[Comparison]:
    """Every table of the study for one run; those of an experiment where the run has it."""
    points = Points(plan.cells, manifests)
    wanted = ("", *plan.experiments)
    return [
        _compare(table, points, plan, run) for table in published if table.file.experiment in wanted
    ]


def choose_table(comparisons: list[Comparison], wanted: str) -> list[Comparison]:
    """The one called ``wanted``, or all for an empty name. Raises UnknownTableError."""
    if not wanted:
        return comparisons
    by_id = {comparison.id: comparison for comparison in comparisons}
    return [by_id[check("table", wanted, by_id, UnknownTableError)]]


def describe_scope(plan: Plan, protocols: Collection[str] = ()) -> str:
    """What every table has to say of itself: tier, data set, protocol.

    ``protocols`` are those of the table's own lines; none stand for the plan's.
    """
    instead = f" in place of {' and '.join(plan.stands_in_for)}" if plan.stands_in_for else ""
    (protocol,) = protocols if len(protocols) == 1 else [plan.protocol]
    told = "both protocols" if protocol == "both" else protocol
    return f"tier {plan.tier} · {plan.dataset_title or plan.dataset}{instead} · {told}"


def _plain(package: str) -> str:
    """Names of packages are the same whatever their case and dashes."""
    return package.lower().replace("_", "-")


def describe_environments(manifests: list[Manifest]) -> list[str]:
    """Machines, packages and versions of Repliquant behind the numbers; differences first."""
    machines: Counter[str] = Counter()
    versions: dict[str, set[str]] = {}
    kits: set[str] = set()
    shown = {_plain(name) for each in readable_frameworks().values() for name in each.packages}
    # The manifests of a run share one object for each environment and context.
    shared = {id(m.environment): m.environment for m in manifests}
    counts = Counter(id(m.environment) for m in manifests)
    for key, environment in shared.items():
        machine, threads = environment.machine, environment.threads
        if machine is None:
            continue
        text = f"{machine.cpu}, {machine.cpus} processors, {threads} threads, {machine.system}"
        machines[text] += counts[key]
        for name, version in environment.packages.items():
            if _plain(name) in shown:
                versions.setdefault(name, set()).add(version)
    for context in {id(m.context): m.context for m in manifests if m.environment.machine}.values():
        if context is not None:
            kits.add(context.kit.short)
    differing = [("machines or threads", machines), ("versions of Repliquant", kits)]
    lines = [f"the cells come from different {what}" for what, seen in differing if len(seen) > 1]
    lines += [f"measured on {text} ({count:,} cells)" for text, count in machines.items()]
    told = [f"{name} {', '.join(sorted(found))}" for name, found in sorted(versions.items())]
    told += [f"kit {', '.join(sorted(kits))}"] if kits else []
    return [*lines, "; ".join(told)] if told else lines


def _compare(table: PublishedTable, points: Points, plan: Plan, run: str) -> Comparison:
    file = table.file
    rows = table.rows or [PublishedRow(key, {}) for key in row_keys(file, points)]
    lines, protocols = _of_protocols(file, rows, points, plan.tier)
    scope = describe_scope(plan, protocols)
    return Comparison(
        id=file.id,
        title=file.title,
        place=file.place,
        scope=scope + describe_weights(file, points) + _stand_ins(file, lines),
        scope_note="; ".join(plan.notes),
        note=". ".join(filter(None, [file.note, *conclusions(file, lines)])),
        key=[*file.keys, PROTOCOL] if len(protocols) > 1 else file.keys,
        lines=lines,
        issues=with_verdicts(table.issues, table.issue_tests, points),
        run=run,
        study=plan.study,
    )


def _of_protocols(
    file: TableFile, rows: list[PublishedRow], points: Points, tier: str
) -> tuple[list[Line], set[str]]:
    """A table's lines, and the protocols of their cells; one protocol isn't told line by line."""
    protocols = sorted(
        {point.cell.protocol for point in points.matching(file.select, experiment=file.experiment)}
    )
    asked = protocols if len(protocols) > 1 else []
    lines = [line for row in rows for line in side_by_side(file, row, points, tier, asked)]
    by_id: dict[str, str] = {point.id: point.cell.protocol for point in points.all}
    used = {by_id[cell] for line in lines for cell in line.cells}
    if asked and len(used) == 1:
        lines = [
            line._replace(key={name: line.key[name] for name in line.key if name != PROTOCOL})
            for line in lines
        ]
    return lines, used


def _stand_ins(table: TableFile, lines: list[Line]) -> str:
    """For a table about a GPU with numbers of a processor beside it."""
    devices = {
        column.name: wanted["device"]
        for column in table.column
        for wanted in column.select.values()
        if "device" in wanted
    }
    shown = {devices.get(line.column) for line in lines if line.measured is not None}
    mixed = {"cpu", "gpu"} <= set(devices.values()) and "cpu" in shown
    return " · lines marked CPU are stand-ins" if mixed else ""


def describe_weights(table: TableFile, points: Points) -> str:
    """For a table of accuracies: what its networks started from, where the recipe says so."""
    if not any(is_proportion(column.metric) for column in table.column):
        return ""
    trained = [
        point for point in points.matching(table.select, {"task": "train"})
        if "weights" in point.cell.recipe
    ]  # fmt: skip
    told = {
        p.manifest.inputs.weights.partition(",")[0].partition(":")[0]
        if p.manifest is not None and p.manifest.status == "ok"
        else str(p.cell.recipe["weights"])
        for p in trained
    }
    names = sorted({"ImageNet" if name.lower() == "imagenet" else name for name in told})
    return f" · pretrained weights: {', '.join(names)}" if names else ""


def side_by_side(
    table: TableFile, row: PublishedRow, points: Points, tier: str, protocols: Sequence[str]
) -> list[Line]:
    """A row's lines, for each protocol; what has neither a cell nor a printed number is left out,
    and a printed number without a cell stands once.
    """
    if not protocols:
        lines = _lines(table, row, points, tier)
        return [line for line in lines if line.cells or line.printed or not table.data]
    pairs = [
        _lines(table, PublishedRow({**row.key, PROTOCOL: name}, row.numbers), points, tier)
        for name in protocols
    ]  # fmt: skip
    kept: list[Line] = []
    for same in zip(*pairs, strict=True):
        with_cells = [line for line in same if line.cells]
        kept += with_cells or [line for line in same[:1] if line.printed]
    return sorted(kept, key=lambda line: protocols.index(line.key[PROTOCOL]))


def _lines(table: TableFile, row: PublishedRow, points: Points, tier: str) -> list[Line]:
    measured: dict[str, Measured] = {}
    for column in table.column:
        if not column.derive:
            measured[column.name] = measure_place(table, column, row.key, points)
    for column in table.column:
        if column.derive:
            measured[column.name] = _derived(column, measured)
    units = {column.name: column.unit for column in table.column}
    return [
        _line(column, row, measured, tier, interval_of(column, measured, units))
        for column in table.column
    ]


def _derived(column: Column, measured: dict[str, Measured]) -> Measured:
    ((name, operands),) = column.derive.items()
    first, second = (measured[operand] for operand in operands)
    value = derive(name, first.value, second.value)
    state = "ok" if value is not None else first.state if first.state != "ok" else second.state
    found = merged([first.flagged, second.flagged])
    return Measured(
        value,
        min(first.n, second.n),
        min(first.samples, second.samples),
        state,
        first.cells + second.cells,
        list(found),
        flagged=found,
    )


def _line(
    column: Column, row: PublishedRow, every: dict[str, Measured], tier: str, ends: Ends
) -> Line:
    measured = every[column.name]
    low, high = ends
    printed = row.numbers.get(column.name, Printed("", None))
    published = published_value(column, row)
    ratio = None
    same_work = not column.work or tier == _PAPER
    if measured.value is not None and published and same_work and "drop" not in column.derive:
        ratio = measured.value / published
    return Line(
        key=row.key,
        quantity=column.label,
        unit=column.unit,
        printed=printed.text,
        printed_unit=column.printed_unit or column.unit,
        published=published,
        measured=measured.value,
        ratio=ratio,
        n=measured.n,
        samples=measured.samples,
        state=measured.state,
        cells=measured.cells,
        flags=measured.flags,
        work=measured.work,
        column=column.name,
        low=low,
        high=high,
        flagged=measured.flagged,
        processes=measured.processes,
        images=measured.images,
    )
