"""Worked examples of shafique2023: the audit, the paper, and what the reference gives."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from comparisons.audit.checks import audit_tables
from papers.audit import load_audit
from papers.published import load_published
from runners.arithmetic.quantizers import asymmetric, quantize, symmetric_restricted

STUDY = Path(__file__).resolve().parents[3] / "studies" / "shafique2023"
AUDIT = load_audit(STUDY)
TESTS = {check.id: check.test for check in AUDIT.check}


def nears(check: str) -> list[tuple[float, float]]:
    """Of each ``near(x, target, slack)``: the target and the slack."""
    found = re.findall(r", (-?[\d.]+), ([\d.]+)\)", TESTS[check])
    return [(float(target), float(slack)) for target, slack in found]


def test_equations_4_to_6_are_the_references() -> None:
    parameters = asymmetric(-2.5, 5)
    ours = [float(parameters.scale), int(parameters.zero_point), int(quantize(4.1, parameters))]
    assert [target for target, _ in nears("equations-4-to-6")] == [0.0294, -43, 96]
    for value, (target, slack) in zip(ours, nears("equations-4-to-6"), strict=True):
        assert value == pytest.approx(target, abs=slack)


def test_equation_10_is_wrong_in_the_paper_and_equation_11_right_all_the_same() -> None:
    """8 / 127 rounds to 0.0630; 0.0629 is printed. The audit finds the one and not the other."""
    parameters = symmetric_restricted(-8, 8)
    ((printed, slack),) = nears("equation-10")
    assert printed == 0.0629 and abs(float(parameters.scale) - printed) > slack
    assert round(float(parameters.scale), 4) == 0.0630
    assert {target for target, _ in nears("equation-11")} == {int(quantize(3.86, parameters))}
    found = {one.id for one in audit_tables(load_published(STUDY), AUDIT).findings}
    assert "equation-10" in found and not found & {"equations-4-to-6", "equation-11"}


def test_equation_3_gives_a_zero_point_that_is_none() -> None:
    zero_point = int(asymmetric(1, 2).zero_point)
    (rule,) = (check.rule for check in AUDIT.check if check.id == "equation-3")
    assert str(zero_point) in rule and zero_point < -128
