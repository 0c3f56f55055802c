"""Whether an issue that a paper lists is still one, by probes of then and of now."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from comparisons.issue_verdicts import judge_issue, with_verdicts
from comparisons.points import Points
from manifests.manifest import Environment, Manifest
from manifests.probe_record import Outcome, Probe
from papers.issue_tests import IssueTest, read_issue_tests
from papers.published import load_published
from papers.study import study_folder
from tests.comparisons.samples import a_plan, metric
from tests.manifests.samples import a_cell, a_manifest

THEN, NOW = {"torch": "2.0.0"}, {"torch": "2.13.0"}
EMBEDDING = IssueTest(framework="pytorch", works=["embedding"])


def probed(
    feature: str, technique: str, outcome: Outcome, environment: str = "", words: str = ""
) -> Manifest:
    cell = a_cell(task="probe", technique=technique, feature=feature, environment=environment)
    packages = THEN if environment else NOW
    probe = Probe(outcome=outcome, words=words, source="TFLite's interpreter")
    made = a_manifest(cell, environment=Environment(packages=packages))
    return msgspec.structs.replace(made, probe=probe)


def points(*manifests: Manifest) -> Points:
    return Points(a_plan(*(one.cell for one in manifests)).cells, manifests)


@pytest.mark.parametrize(
    ("then", "now", "state"),
    [
        ("", "mixed", "still so"),
        ("", "int8", "no longer so"),
        ("refused", "int8", "no longer so, since a version after PyTorch 2.0.0"),
        ("int8", "int8", "no longer so, and not so in PyTorch 2.0.0"),
        ("int8", "wrong", "still so"),
        ("int8", "", "not probed"),
    ],
)
def test_an_issue_is_solved_where_some_technique_runs_each_feature(
    then: Outcome, now: Outcome, state: str
) -> None:
    made = [probed("embedding", "dynamic", then, "pytorch-2.0")] if then else []
    made += (
        [probed("embedding", "dynamic", now), probed("embedding", "fx", "refused")] if now else []
    )
    assert judge_issue(EMBEDDING, points(*made)).state == state


def test_a_probe_that_took_too_long_decides_nothing() -> None:
    cell = a_cell(task="probe", technique="dynamic", feature="embedding")
    late = a_manifest(cell, status="timeout")
    refused = probed("embedding", "fx", "refused")
    assert judge_issue(EMBEDDING, points(late, refused)).state == "not probed"
    works = probed("embedding", "fx", "int8")
    assert judge_issue(EMBEDDING, points(late, works)).state == "no longer so"


def test_the_evidence_names_techniques_and_versions() -> None:
    found = points(
        probed("embedding", "dynamic", "int8"), probed("embedding", "fx", "mixed"),
        probed("embedding", "dynamic", "refused", "pytorch-2.0"),
    )  # fmt: skip
    (line,) = with_verdicts([{"issue": "embeddings"}], [EMBEDDING], found)
    assert line == {
        "issue": "embeddings",
        "here": "no longer so, since a version after PyTorch 2.0.0",
        "evidence": "embedding by dynamic · PyTorch 2.0.0: embedding by no technique",
    }


def test_what_is_made_by_itself_has_to_run_all_that_is_made_by_hand() -> None:
    test = IssueTest(framework="pytorch", technique=["fx"], covers="eager")
    both = [probed("relu", "fx", "int8"), probed("relu", "eager", "int8")]
    lacking = [probed("gelu", "fx", "mixed"), probed("gelu", "eager", "int8")]
    neither = [probed("lstm", "fx", "mixed"), probed("lstm", "eager", "refused")]
    assert judge_issue(test, points(*both, *neither)).state == "no longer so"
    found = judge_issue(test, points(*both, *lacking, *neither))
    assert found.state == "still so"
    assert found.now.evidence == "of 2 features that eager runs, fx lacks gelu"


def test_a_refusal_that_asks_for_an_annotation() -> None:
    test = IssueTest(framework="pytorch", technique=["qat"], refusal="QuantizeConfig")
    words = "You can pass a QuantizeConfig"
    assert (
        judge_issue(test, points(probed("gru", "qat", "refused", words=words))).state == "still so"
    )
    assert judge_issue(test, points(probed("gru", "qat", "refused"))).state == "no longer so"
    assert judge_issue(test, points(probed("gru", "fx", "refused"))).state == "not probed"


def test_all_that_works_in_one_interpreter() -> None:
    test = IssueTest(framework="pytorch", only_in="TFLite")
    assert judge_issue(test, points(probed("relu", "fx", "int8"))).state == "still so"
    assert judge_issue(test, points(probed("relu", "fx", "mixed"))).state == "not probed"


@pytest.mark.parametrize(("share", "state"), [(1.0, "no longer so"), (0.5, "still so")])
def test_a_profiler_has_to_see_every_layer(share: float, state: str) -> None:
    seen = metric("layers_profiled", share, items=4)
    made = a_manifest(a_cell(task="infer", technique="profiled"), metrics=[seen])
    test = IssueTest(framework="pytorch", profiled="infer")
    assert judge_issue(test, points(made)).state == state


def test_what_needs_other_hardware_says_what_would_decide_it() -> None:
    test = IssueTest(framework="pytorch", needs="a TPU", would_decide="a training on one")
    (line,) = with_verdicts([{"issue": "TPUs"}], [test], points())
    assert line["here"] == "can't tell here: needs a TPU"
    assert line["evidence"] == "would decide: a training on one"


def test_every_issue_of_lad2023_has_a_test_and_twelve_need_no_other_hardware() -> None:
    (table,) = [one for one in load_published(study_folder("lad2023")) if one.issue_tests]
    assert table.file.id == "table4" and len(table.issues) == len(table.issue_tests) == 16
    assert sum(not test.needs for test in table.issue_tests) == 12
    for issue, test in zip(table.issues, table.issue_tests, strict=True):
        assert issue["framework"] == test.framework


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "0 tests for a table of 1 issues"),
        ('[[issue]]\nframework = "a"\n', "not none"),
        ('[[issue]]\nframework = "a"\nclaim = "C1"\nneeds = "b"\n', "not claim, needs"),
        ('[[issue]]\nframework = "a"\nwork = ["b"]\n', "work"),
    ],
)
def test_what_is_wrong_with_a_file_of_tests_is_said(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "t.toml").write_text(text or "issue = []\n")
    _, mistakes = read_issue_tests(tmp_path, "t.toml", 1)
    assert told in str(mistakes[0])
