"""All checks of a study over its published tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from comparisons.audit.derived import audit_derived
from comparisons.audit.findings import MOST_CERTAIN, Finding, Report
from comparisons.audit.granularity import audit_granularity
from comparisons.claims.sources import Tables, published_source
from papers.audit import AuditFile, Check, Facts, Sure
from papers.expressions import Evaluator, ExpressionError, Missing, Quantity, Row, parse
from papers.expressions.quantities import FAILS
from papers.expressions.syntax import Call, Place
from papers.mistakes import PublishedError, no_such
from papers.paper import open_paper
from papers.published import Printed, PublishedTable
from papers.rounding import rounded_or_cut_off


def audit(study_folder: Path) -> Report:
    """Raises PublishedError for files that can't be used."""
    paper = open_paper(study_folder)
    return audit_tables(paper.tables, paper.audit)


def audit_tables(published: Sequence[PublishedTable], file: AuditFile) -> Report:
    """The same for tables in hand."""
    by_id = {table.file.id: table for table in published}
    findings, recomputed, notes = audit_derived(published)
    checked: Counter[str] = Counter({"derived": recomputed} if recomputed else {})
    for granularity in file.granularity:
        if granularity.table not in by_id:
            told = no_such("table", granularity.table, list(by_id))
            raise PublishedError(f"audit: {granularity.id}: {told}")
        columns = [column.name for column in by_id[granularity.table].file.column]
        for name in granularity.columns:
            if name not in columns:
                told = no_such("column", name, columns)
                raise PublishedError(f"audit: {granularity.id}: {told}")
        found, count = audit_granularity(granularity, by_id[granularity.table])
        findings += found
        checked["granularity"] += count
    source = _with_facts(_loosely_printed(published), file.facts)
    for check in file.check:
        found, count = _judge(check, source)
        findings += found
        checked[check.kind] += count
    return Report(findings, dict(checked), notes)


def _loosely_printed(published: Sequence[PublishedTable]) -> Tables:
    """The paper's numbers as claims have them; each may have been cut off as well as rounded."""
    source = published_source(published)
    tables = {
        table.file.id: [
            row._replace(values=_loosened(row, printed.numbers))
            for row, printed in zip(source.rows(table.file.id), table.rows, strict=True)
        ]
        for table in published
    }
    return Tables(tables, source.headings)


def _loosened(row: Row, printed: Mapping[str, Printed]) -> dict[str, Quantity | str]:
    found = dict(row.values)
    for name, number in printed.items():
        if number.value is not None and not number.text.startswith("~"):
            found[name] = Quantity(number.value, *rounded_or_cut_off(number.text))
    return found


def _with_facts(source: Tables, facts: Sequence[Facts]) -> Tables:
    tables = dict(source.tables)
    for fact in facts:
        for name in fact.tables:
            tables[name] = [_row(row, fact) for row in source.rows(name)]
            source = Tables(tables, source.headings)
    return source


def _row(row: Row, fact: Facts) -> Row:
    known = fact.values.get(row.key.get(fact.key, ""), {})
    added = {name: Quantity(value, value, value) for name, value in known.items()}
    return row._replace(values={**row.values, **added})


def _judge(check: Check, source: Tables) -> tuple[list[Finding], int]:
    """The places where the statement is certainly false, and how many were looked at."""
    where: list[str] = []
    count = 0
    for column in check.columns or [""]:
        try:
            for place, against in _places(check.test.replace("{column}", column), source):
                count += 1
                where += [f"{place}: {against}" if place else against] if against else []
        except Missing:
            continue
        except ExpressionError as error:
            raise PublishedError(f"audit: check {check.id}: {error}") from error
    if not where:
        return [], count
    sure, innocent = _at_most(check)
    finding = Finding(check.id, check.kind, check.place, check.rule, where, sure, innocent)
    return [finding], count


def _at_most(check: Check) -> tuple[Sure, str]:
    """How sure the check says that a finding is, where its kind allows that, and why not."""
    most, reason = MOST_CERTAIN.get(check.kind, (check.sure, ""))
    told = "; ".join(text for text in (check.innocent, reason) if text)
    return (most if check.sure == "certain" else check.sure), told


def _places(test: str, source: Tables) -> Iterator[tuple[str, str]]:
    """Each row or group of an ``every`` and what speaks against it, else the whole statement."""
    node, evaluator = parse(test), Evaluator(source)
    if isinstance(node, Call) and node.function == "every":
        rows = node.arguments[0]
        table = source.headings[rows.table].name if isinstance(rows, Place) else ""
        judged = [(f"{table}, {at}", truth) for at, truth in evaluator.judge_rows(node)[0]]
    else:
        judged = [("", evaluator.truth(node))]
    for place, truth in judged:
        yield place, truth.why if truth.state == FAILS else ""
