"""``studies new``: what it writes plans and audits at once, whatever is said of the paper."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comparisons.audit import audit
from comparisons.results import gather
from manifests.errors import InputError
from manifests.paths import ROOT
from papers.new_study import Answers, check_id, write_study
from papers.study import load_study
from services.study_check import check_study
from tests.conftest import Workshop

CHOICES = [
    ("pytorch", ("float32", "ptq-fx")),
    ("pytorch", ("float32", "qat-eager", "dynamic")),
    ("pytorch", ("float32", "compiled-bfloat16")),
    ("tensorflow", ("keras-predict", "ptq-tflite")),
    ("tensorflow", ("keras-predict", "tftrt-int8")),
]


@pytest.mark.parametrize(("framework", "techniques"), CHOICES)
def test_what_is_written_is_right_plans_and_audits(
    tmp_path: Path, framework: str, techniques: tuple[str, ...]
) -> None:
    answers = Answers("toy2026", framework=framework, techniques=techniques)
    folder = write_study(answers, tmp_path)
    assert {mistake.remark for mistake in check_study(folder)} == {True}  # numbers are to come
    timed = {
        t for g in load_study("toy2026", tmp_path).cells if g.task == "infer" for t in g.technique
    }
    assert timed == set(techniques)
    assert audit(folder).findings == []
    (claim,) = gather(folder).claims
    assert claim.published.state == "no number"


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(title=st.text(st.characters(codec="utf-8"), max_size=40), year=st.integers(1900, 2100))
def test_any_title_comes_back_as_it_was_given(tmp_path: Path, title: str, year: int) -> None:
    root = tmp_path / f"{abs(hash((title, year)))}"
    if not root.exists():
        write_study(Answers("toy2026", title=title, authors=(title,), year=year), root)
    study = load_study("toy2026", root)
    assert (study.title, study.authors, study.year) == (title, [title], year)


def test_an_overlay_plans_at_once(tmp_path: Path) -> None:
    folder = write_study(Answers("mine", extends="lad2023"), tmp_path)
    assert check_study(folder) == []
    assert load_study("mine", tmp_path).cell_study == "lad2023"


@pytest.mark.parametrize("study", ["new", "check", "show", "Toy", "../x", "a b", "", "lad2023"])
def test_an_id_that_cannot_be_one_is_refused(study: str) -> None:
    with pytest.raises(InputError, match=r"can't be the id of a study|there is a study"):
        check_id(study)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"framework": "pytroch"}, "no framework 'pytroch'. Did you mean 'pytorch'"),
        ({"techniques": ("flaot32",)}, "no pytorch technique 'flaot32'. Did you mean 'float32'"),
        ({"extends": "lad2032"}, "no study 'lad2032'. Did you mean 'lad2023'"),
    ],
)
def test_what_there_is_not_is_answered_with_what_there_is(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        write_study(Answers("toy2026")._replace(**changes), tmp_path)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


@pytest.fixture
def real(workshop: Workshop) -> Workshop:
    """With the studies and images that there really are."""
    studies = workshop.folder / "studies"
    for path in (ROOT / "studies").iterdir():
        (studies / path.name).symlink_to(path)
    workshop.environment["REPLIQUANT_IMAGES"] = str(ROOT / "images")
    return workshop


def test_from_flags(real: Workshop) -> None:
    real("studies", "new", "toy2026", "--title", "A paper", "--author", "A. B.", "--year", "2026")
    (study,) = json.loads(real("studies", "toy2026", "--json").stdout)
    assert (study["title"], study["authors"], study["year"]) == ("A paper", ["A. B."], 2026)
    assert "4 cells" in real("plan", "toy2026").stdout
    assert "0 findings" in real("audit", "toy2026").stdout
    real("claims", "toy2026", "--published-only")
    refused = real("studies", "new", "toy2026", status=2)
    assert "there is a study 'toy2026' already" in refused.stderr


def test_from_questions_on_a_terminal(real: Workshop) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.fakes.cli", "studies", "new", "toy2026"], stdin=theirs,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=real.folder, env=real.environment,
        text=True,
    )  # fmt: skip
    os.close(theirs)
    answers = ["A paper", "A. B., C. D.", "2026", "A journal", "All of it", "", "float32", ""]
    os.write(ours, ("\n".join(answers) + "\n").encode())
    _, asked = process.communicate(timeout=60)
    assert process.returncode == 0, asked
    assert "Authors, with commas" in asked
    (study,) = json.loads(real("studies", "toy2026", "--json").stdout)
    assert (study["authors"], study["year"]) == (["A. B.", "C. D."], 2026)
    assert [group["technique"] for group in study["cells"]] == [["float32"], ["float32"]]
    os.close(ours)


def test_a_study_without_claims_is_a_study(real: Workshop) -> None:
    real("studies", "new", "toy2026")
    (real.folder / "studies" / "toy2026" / "claims.toml").unlink()
    (real.folder / "studies" / "toy2026" / "audit.toml").unlink()
    audited = real("audit", "toy2026")
    assert "toy2026 has no audit.toml" in audited.stderr
    refused = real("claims", "toy2026", "--published-only", status=2)
    assert "toy2026 has no claims.toml" in refused.stderr
    assert "table1" in real("studies", "toy2026").stdout
    unknown = real("audit", "toy2027", status=2)
    assert "no study 'toy2027'. Did you mean 'toy2026'?" in unknown.stderr
