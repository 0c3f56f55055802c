"""Files of claims: what is refused, with its line, and what is read with a remark."""

from __future__ import annotations

from pathlib import Path

import pytest

from comparisons.claims import load_claims
from papers.claims import read_claims
from papers.published import PublishedError
from tests.fakes.studies import write_study

GOOD = """\
[[claim]]
id = "fast"
place = "Table I"
text = "It is fast."
table = "table1"
test = "table1.latency[framework=alpha] < tolerance"
tolerance = 5
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("tolerance = 5", "", "claim fast: test names a tolerance, and the claim has none"),
        ('table = "table1"', 'table = "table9"', "no table 'table9'. Did you mean 'table1'"),
        ("table1.latency", "table2.latency", "no table 'table2'"),
        (".latency", ".latenci", "no column of table1 'latenci'. Did you mean 'latency'"),
        ("framework=", "framewrk=", "no key of table1 'framewrk'"),
        ("=alpha", "=alfa", "no framework in table1 'alfa'. Did you mean 'alpha'"),
        ("< tolerance", "<", "found the end"),
        ("tolerance = 5", "tolerance = 5\ntolerances = { slack = 1 }", "'slack' has to end with"),
        ("test =", 'untestable = "no"\ntest =', "either a test or"),
        ("id =", "name =", r"claims.toml:\d+: .*unknown field"),
    ],
)
def test_a_claim_that_cannot_be_tested_is_refused(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    study = write_study(tmp_path)
    (study / "claims.toml").write_text(GOOD)
    assert [claim.id for claim in load_claims(study).claim] == ["fast"]
    assert old in GOOD
    (study / "claims.toml").write_text(GOOD.replace(old, new))
    with pytest.raises(PublishedError, match=message):
        load_claims(study)


def test_a_file_with_a_key_of_earlier_versions_is_read_with_a_remark(tmp_path: Path) -> None:
    study = write_study(tmp_path)
    (study / "claims.toml").write_text(f"single_process = 0.2\n\n{GOOD}")
    assert [claim.id for claim in load_claims(study).claim] == ["fast"]
    _, (remark,) = read_claims(study)
    assert (remark.line, remark.remark) == (1, True)
    assert "one process alone decides only what is exact" in remark.text


@pytest.mark.parametrize("given", ['["hardware", "wether"]', '"hardware"'])
def test_what_a_claim_can_depend_on_is_checked(tmp_path: Path, given: str) -> None:
    study = write_study(tmp_path)
    (study / "claims.toml").write_text(f"{GOOD}depends = {given}\n")
    with pytest.raises(PublishedError, match=r"claims.toml:\d+: .*depends"):
        load_claims(study)


def test_two_claims_have_two_names(tmp_path: Path) -> None:
    study = write_study(tmp_path)
    (study / "claims.toml").write_text(GOOD * 2)
    with pytest.raises(PublishedError, match="two claims are called 'fast'"):
        load_claims(study)
