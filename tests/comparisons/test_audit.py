"""Audits: planted errors are found, consistent tables are left alone."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from comparisons.audit import Finding, audit
from comparisons.audit.checks import audit_tables
from comparisons.audit.derived import audit_derived, convention, derived_numbers
from manifests.paths import ROOT
from papers.audit import AuditFile, Check, Facts, load_audit
from papers.published import PublishedTable, load_published
from tests.comparisons.architectures import architectures
from tests.comparisons.printed_tables import printed, table

STUDIES = ROOT / "studies"


def test_what_no_digits_could_give_is_certain_and_what_they_could_is_likely() -> None:
    rows = [{"a": f"{n}0.0", "b": "10.0", "d": f"{n}.00"} for n in range(1, 9)]
    (finding,) = audit_derived([table([*rows, {"a": "90.0", "b": "10.0", "d": "9.50"}])])[0]
    assert (finding.sure, finding.innocent) == ("certain", "")
    assert finding.where == ["Table T, batch_size 9, d: printed 9.50 ×"]
    assert finding.rule == "ratio of 90.0 and 10.0 is 9.0000"
    (finding,) = audit_derived([table([*rows, {"a": "90.0", "b": "10.0", "d": "9.01"}])])[0]
    assert finding.sure == "likely"
    assert "more digits" in finding.innocent


def test_a_paper_that_cuts_off_is_not_called_wrong() -> None:
    numbers = derived_numbers(load_published(STUDIES / "lad2023"))
    assert [number.printed for number in numbers] == ["74.7", "73.4", "95.3", "217.8"]
    assert convention(numbers) == "cut off"
    assert audit_derived(load_published(STUDIES / "lad2023"))[0] == []


def consistent() -> PublishedTable:
    """Latency a in ms and throughput b in items a second; d is their product."""
    return table([{"a": f"{n * 2}.0", "b": "500", "d": f"{n * 2 / 500:.6f}"} for n in range(1, 9)])


CHECKS = AuditFile(
    facts=[
        Facts(
            tables=["t"], key="batch_size", source="a test",
            values={str(n): {"least": n} for n in range(1, 9)},
        )
    ],
    check=[
        Check(
            id="product", kind="throughput", place="Table T", rule="r",
            test="every(t, a / 1000 * b == batch_size)", sure="certain",
        ),
        Check(
            id="bound", kind="bound", place="Table T", rule="r",
            test="every(t, {column} >= least)", columns=["a", "b"], sure="certain",
        ),
        Check(
            id="rising", kind="monotonic", place="Table T", rule="r",
            test="rising(t.a, batch_size)", sure="likely",
        ),
    ],
)  # fmt: skip


def test_checks_over_a_consistent_table_raise_no_alarm() -> None:
    report = audit_tables([consistent()], CHECKS)
    assert report.findings == []
    assert report.checked == {"derived": 8, "throughput": 8, "bound": 16, "monotonic": 1}


@pytest.mark.parametrize(
    ("row", "column", "text", "ids"),
    [
        (3, "a", "8.3", ["derived-t", "product"]),
        (3, "a", "1.0", ["derived-t", "product", "bound", "rising"]),
        (6, "b", "505", ["derived-t", "product"]),
        (5, "b", "5.0", ["derived-t", "product", "bound"]),
    ],
)
def test_a_check_names_the_row_that_speaks_against_it(
    row: int, column: str, text: str, ids: list[str]
) -> None:
    found = consistent()
    numbers = {**found.rows[row].numbers, column: printed(text)}
    rows = [*found.rows]
    rows[row] = found.rows[row]._replace(numbers=numbers)
    findings = audit_tables([found._replace(rows=rows)], CHECKS).findings
    assert [finding.id for finding in findings] == ids
    for finding in findings:
        assert len(finding.where) == 1
        if finding.id != "rising":
            assert f"batch_size {row + 1}" in finding.where[0]


def test_what_may_have_been_cut_off_is_no_certain_violation() -> None:
    """4 images in 1.69 ms and 2,366 images a second: 3.9985, where 1.699 ms are 4.0198."""
    found = table([{"a": "1.69", "b": "2366", "d": ""}])
    check = Check(
        id="product", kind="relation", place="Table T", rule="r",
        test="every(t, a / 1000 * b >= 4.01)", sure="certain",
    )  # fmt: skip
    assert audit_tables([found], AuditFile(check=[check])).findings == []
    far = Check(
        id="product", kind="relation", place="Table T", rule="r",
        test="every(t, a / 1000 * b >= 4.05)", sure="certain",
    )  # fmt: skip
    (finding,) = audit_tables([found], AuditFile(check=[far])).findings
    assert finding.sure == "certain"


def test_throughput_against_latency_is_never_certain() -> None:
    """All items over all time is not the batch over the median call."""
    found = consistent()
    numbers = {**found.rows[3].numbers, "a": printed("9.0")}
    rows = [*found.rows]
    rows[3] = found.rows[3]._replace(numbers=numbers)
    findings = audit_tables([found._replace(rows=rows)], CHECKS).findings
    (finding,) = (one for one in findings if one.kind == "throughput")
    assert CHECKS.check[0].sure == "certain"
    assert finding.sure == "likely"
    assert "latency is a median" in finding.innocent
    for study in ("lad2023", "shafique2023"):
        found_sure = {f.sure for f in audit(STUDIES / study).findings if f.kind == "throughput"}
        assert "certain" not in found_sure


def by_id(study: str) -> dict[str, Sequence[Finding]]:
    found: dict[str, list[Finding]] = {}
    for finding in audit(STUDIES / study).findings:
        found.setdefault(finding.id, []).append(finding)
    return dict(found)


def test_what_the_audit_of_lad2023_finds() -> None:
    found = by_id("lad2023")
    assert list(found) == ["same-int8-size", "seconds-of-training", "qat-three-times"]


def test_what_the_audit_of_shafique2023_finds() -> None:
    found = by_id("shafique2023")
    assert "derived-table2" not in found  # all 68 factors are right to the last digit
    assert wheres(found["latency-throughput-48"]) == [
        "Table 6, model resnet50, batch_size 64", "Table 6, model vgg16, batch_size 8",
    ]  # fmt: skip
    assert found["latency-throughput-48"][0].where[0].partition(": ")[2] == (
        "TF-TRT FP16 / 1,000 × TF-TRT FP16 of Table 8 is 67.32 (65.79 to 70.38), "
        "expected 64 = batch size"
    )
    assert len(found["accuracy-cifar10"][0].where) == 17
    assert found["accuracy-cifar10"][0].rule.endswith(
        "of sizes up to 10,000, 1,984 cut off explains 14 (by chance: fewer than 0.01 sizes)"
    )
    assert found["accuracy-cats-and-dogs"][0].rule.endswith(
        "of sizes up to 3,000, 512 cut off explains 12 (by chance: fewer than 0.01 sizes)"
    )
    assert found["memory-of-training-48"][0].where[1] == (
        "Table 4, model vgg16, batch_size 32: with AMP is 0.16 GB (0.155 to 0.17), "
        "expected at least 0.2197 GiB = 16 × parameters / 2^30"
    )
    assert found["batch-32-below-1-in-table-3"][0].where == [
        "Table 3, model resnet50, batch_size 32: "
        "speedup is 1.56 × (1.555 to 1.57), expected less than 1 ×",
        "Table 3, model mobilenet-v1, batch_size 32: "
        "speedup is 1.58 × (1.575 to 1.59), expected less than 1 ×",
    ]
    assert found["factor-of-12-in-table-4"][0].where == [
        "largest memory reduction factor of Table 4 (model vgg16) is 8.88 × (8.875 to 8.89), "
        "expected 12 × (within 0.01)"
    ]
    for size, number in (("48", 6), ("128", 7)):
        assert wheres(found[f"base-from-32-to-64-{size}"]) == [
            f"Table {number}, model {model}, batch_size 64"
            for model in ("vgg16", "resnet50", "mobilenet-v1")
        ]
    assert found["equation-3"][0].rule.endswith("Equation 3 gives -383, which is none")
    assert len(found) == 17
    assert "images-cifar10" not in found and "equation-11" not in found


@pytest.mark.parametrize(
    ("table_id", "row", "column", "text", "check"),
    [
        ("table4", 5, "without", "8.79", "memory-of-the-gpu-48"),
        ("table5", 4, "with", "8.01", "memory-of-the-gpu-128"),
        ("table8", 3, "fp16", "41,475", "peak-float16-48"),
        ("table8", 3, "int8", "85,960", "peak-int8-48"),
        ("table9", 3, "fp16", "6271", "peak-float16-128"),
        ("table9", 3, "int8", "15,718", "peak-int8-128"),
        ("table8", 1, "base", "106", "throughput-rises-48"),
        ("table9", 2, "int8", "5111", "throughput-rises-128"),
        ("table10", 0, "int8", "183.921", "accuracy-is-a-share-48"),
        ("table11", 0, "fp32", "100.1", "accuracy-is-a-share-128"),
    ],
)
def test_a_number_that_cannot_be_is_found_in_either_table(
    table_id: str, row: int, column: str, text: str, check: str
) -> None:
    folder = STUDIES / "shafique2023"
    tables, file = load_published(folder), load_audit(folder)
    assert check not in {finding.id for finding in audit_tables(tables, file).findings}
    (found,) = (one for one in tables if one.file.id == table_id)
    rows = [*found.rows]
    rows[row] = rows[row]._replace(numbers={**rows[row].numbers, column: printed(text)})
    mutated = [one._replace(rows=rows) if one is found else one for one in tables]
    (finding,) = (one for one in audit_tables(mutated, file).findings if one.id == check)
    assert len(finding.where) == 1
    assert finding.where[0].startswith(f"{found.file.name}, model ")


def wheres(findings: Sequence[Finding]) -> list[str]:
    return [where.partition(":")[0] for finding in findings for where in finding.where]


def test_the_facts_of_shafique2023_are_those_of_the_architectures() -> None:
    small, large = load_audit(STUDIES / "shafique2023").facts
    for name, size, _, (parameters, multiply_adds) in architectures():
        facts = (small if size == 48 else large).values[name]
        assert facts == {"parameters": parameters, "multiply_adds": multiply_adds}
