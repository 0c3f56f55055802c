"""compare, claims, audit, report, bundle and verify, as a person would use them."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import RUN
from tests.conftest import Workshop
from tests.fakes.studies import CLAIMS, write_study


@pytest.fixture(scope="session")
def _measured_once(drawing: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("measured")
    write_study(folder)
    (folder / "studies" / "toy" / "claims.toml").write_text(CLAIMS)
    Workshop(folder).run("-k", "alpha")
    shutil.copytree(drawing, folder / "cache" / "charts")
    return folder


@pytest.fixture
def measured(workshop: Workshop, _measured_once: Path) -> Workshop:
    """A workshop with claims and a run of alpha's cells."""
    shutil.copytree(_measured_once, workshop.folder, dirs_exist_ok=True)
    return workshop


def test_claims_have_verdicts_on_both(measured: Workshop) -> None:
    found = json.loads(measured("claims", "toy", "--json").stdout)
    assert found["run"] == RUN
    verdicts = [(c["number"], c["published"]["verdict"], c["verdict"]) for c in found["claims"]]
    assert verdicts == [
        ("C1", "holds", "undecided"),
        ("C2", "holds", "not measured"),
        ("C3", "no number", "untestable"),
    ]
    first = found["claims"][0]
    assert first["cells"]
    assert first["reason"] == "1 process a side; the first look is at 4"
    assert first["would_decide"].startswith("3 more processes, about ")
    assert [one["what"] for one in first["differs"]] == ["hardware", "data", "recipe", "versions"]
    assert first["stand_in"] is None
    text = measured("claims", "toy", "--verbose").stdout
    assert "Alpha is fast." in text
    assert "measured: 1 undecided, 1 not measured, 1 untestable" in text


def test_one_claim_shows_its_test_its_tolerance_and_its_cells(measured: Workshop) -> None:
    text = measured("claims", "toy", "--claim", "C1").stdout
    assert "test: table1.latency[framework=alpha] <= tolerance" in text
    assert "tolerance: 5" in text
    assert "cells: " in text
    assert "Beta" not in text


def test_claims_of_the_paper_alone_need_no_run(workshop: Workshop) -> None:
    (workshop.folder / "studies" / "toy" / "claims.toml").write_text(CLAIMS)
    assert "no run of toy" in workshop("claims", "toy", status=2).stderr
    assert "C1" in workshop("claims", "toy", "--published-only").stdout
    assert workshop("claims", "toy", "--published-only", "--format", "md").stdout.startswith("###")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("claims", "tory"), "no study 'tory'. Did you mean 'toy'? Accepted: toy"),
        (("claims", "toy", "--claim", "C9"), "no claim 'C9'. Accepted: C1 to C3"),
        (("claims", "toy", "--format", "pdf"), "no format 'pdf'. Accepted: rich, md"),
        (("audit", "tory"), "no study 'tory'"),
        (("audit", "toy", "--format", "pdf"), "no format 'pdf'"),
        (("report", "--format", "pdf"), "no format 'pdf'. Accepted: html, md, latex"),
        (("report", "nowhere"), "no run 'nowhere'"),
        (("report", RUN, "-o", "no/such/file.html"), "can't be written to"),
        (("bundle", "nowhere"), "no run 'nowhere'"),
        (("bundle", RUN, "-o", "no/such/file.zip"), "can't be written to"),
        (("verify", "nowhere.zip"), "nowhere.zip can't be read: No such file"),
        (
            ("verify", "executed.txt"),
            "executed.txt: is not a ZIP archive; give a file that repliquant bundle wrote",
        ),
        (("compare", RUN, "nowhere"), "no run 'nowhere'"),
        (("compare", ",", RUN), "',' is not a run"),
        (("run", "toy", "--claim", "C9"), "no claim 'C9'"),
        (("run", "toy", "--claim", "C3"), "claim C3 (liked) has nothing to run: nobody was asked"),
    ],
)
def test_what_cannot_be_used_is_one_message(
    measured: Workshop, arguments: tuple[str, ...], message: str
) -> None:
    stderr = measured(*arguments, status=2).stderr
    assert message in " ".join(stderr.split())


def test_an_audit_needs_no_run(workshop: Workshop) -> None:
    (workshop.folder / "studies" / "toy" / "audit.toml").write_text(
        '[[check]]\nid = "double"\nkind = "relation"\nplace = "Table I"\nrule = "beta is 3 times"\n'
        'test = "table1.latency[framework=beta] == 3 * table1.latency[framework=alpha]"\n'
        'sure = "certain"\n'
    )
    found = json.loads(workshop("audit", "toy", "--json").stdout)
    assert [finding["id"] for finding in found["findings"]] == ["double"]
    assert found["checked"] == {"relation": 1}
    assert "beta is 3 times" in workshop("audit", "toy").stdout
    assert "beta is 3 times" in workshop("audit", "toy", "--format", "md").stdout


def a_second_run(workshop: Workshop, name: str = "again") -> str:
    shutil.copytree(workshop.runs / RUN, workshop.runs / name)
    return name


def test_a_run_compared_with_one_like_it(measured: Workshop) -> None:
    again = a_second_run(measured)
    found = json.loads(measured("compare", RUN, again, "--json").stdout)
    assert found["environments"] == []
    assert {line["metric"] for line in found["lines"]} >= {"latency_s", "accuracy"}
    assert {line["why"] for line in found["lines"] if line["metric"] == "latency_s"} == {
        "only one process on a side; give three runs a side: compare a,b,c d,e,f"
    }
    text = measured("compare", RUN, again).stdout
    assert text.index(f"ratio = {again} / {RUN}") < text.index("the environments are the same")
    assert "latency_s" not in text
    (heading,) = [line for line in text.splitlines() if "quantity" in line]
    assert again in heading and RUN in heading and "base" not in heading
    # Equal accuracies on few images, of which no record is kept, may differ on others.
    accuracies = [line for line in found["lines"] if line["metric"] == "accuracy"]
    assert {line["verdict"] for line in accuracies} == {"undecided"}
    assert all("not paired: no record" in line["why"] for line in accuracies)
    changed = json.loads(measured("compare", RUN, again, "--changed", "--json").stdout)["lines"]
    assert changed == [line for line in found["lines"] if line["verdict"] != "same"]


@pytest.mark.parametrize(
    ("base", "new"),
    [(RUN, RUN), (f"{RUN},{RUN}", "again"), ("again", f"{RUN},runs/{RUN}"), (f"{RUN},again", RUN)],
)
def test_no_run_is_compared_with_itself_or_counted_twice(
    measured: Workshop, base: str, new: str
) -> None:
    a_second_run(measured)
    told = measured("compare", base, new, status=2)
    assert told.stdout == ""
    assert f"{RUN} is listed twice; repeats must be different runs" in told.stderr


def test_runs_of_different_studies_are_not_compared(measured: Workshop) -> None:
    plan = measured.runs / a_second_run(measured) / "plan.json"
    plan.write_text(plan.read_text().replace('"study": "toy"', '"study": "play"', 1))
    told = " ".join(measured("compare", RUN, "again", status=2).stderr.split())
    assert f"{RUN} is a run of toy, " in told
    assert "again one of play: they have no cell in common. Name runs of one study" in told


def test_a_report_is_written_beside_the_run_or_elsewhere(measured: Workshop) -> None:
    path = measured.folder / measured("report").stdout.strip()
    assert path == measured.runs / RUN / "report.html"
    page = path.read_text()
    assert "Alpha is fast." in page
    assert 'href="cells/' in page
    elsewhere = measured.folder / "out.html"
    measured("report", RUN, "-o", str(elsewhere))
    assert f'href="runs/{RUN}/cells/' in elsewhere.read_text()
    first = path.read_bytes()
    measured("report")
    assert path.read_bytes() == first
    for format_, start in (("md", "# A toy"), ("latex", "% \\usepackage{array,booktabs}")):
        written = measured("report", RUN, "--format", format_).stdout.strip()
        assert (measured.folder / written).read_text().startswith(start)


def test_an_archive_made_here_verifies_in_another_place(
    measured: Workshop, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Without the study, the run, or the cache that it was made with."""
    made = json.loads(measured("bundle", RUN, "--json").stdout)
    assert made["file"] == f"{RUN}.crate.zip"
    elsewhere = Workshop(tmp_path_factory.mktemp("elsewhere"))
    (elsewhere.folder / "studies").mkdir()
    shutil.copy(measured.folder / made["file"], elsewhere.folder / "given.zip")
    done = elsewhere("verify", "given.zip")
    assert "given.zip: archive verified: " in done.stdout.splitlines()[-1]
    assert "study: ok (this version has no study toy)" in done.stdout
    assert json.loads(elsewhere("verify", "given.zip", "--json").stdout)["good"] is True
    assert sorted(path.name for path in elsewhere.folder.iterdir()) == ["given.zip", "studies"] or (
        sorted(path.name for path in elsewhere.folder.iterdir())
        == ["cache", "given.zip", "studies"]
    )


def test_an_archive_that_was_changed_ends_with_1(measured: Workshop) -> None:
    from tests.comparisons.bundles import files_of
    from tests.comparisons.hostile import pack

    measured("bundle", RUN, "-o", "a.zip")
    files = files_of(measured.folder / "a.zip")
    changed = {**files, "derived/claims.md": files["derived/claims.md"] + b"\nIt all holds.\n"}
    (measured.folder / "b.zip").write_bytes(pack(changed))
    assert "hashes: derived/claims.md was changed" in measured("verify", "b.zip", status=1).stdout
    del changed["checksums.sha256"]
    (measured.folder / "c.zip").write_bytes(pack(changed))
    stdout = measured("verify", "c.zip", status=1).stdout
    assert "claims: derived/claims.md comes out otherwise" in stdout
    assert "c.zip: archive NOT verified" in stdout


def test_the_cells_of_a_claim_are_run_and_its_verdict_shown(workshop: Workshop) -> None:
    (workshop.folder / "studies" / "toy" / "claims.toml").write_text(CLAIMS)
    done = workshop.run("--claim", "fast")
    assert "C1" in done.stdout
    assert "on this run: undecided" in done.stdout
    cells = [json.loads(path.read_text())["cell"] for path in workshop.manifests()]
    assert {cell["framework"] for cell in cells} == {"alpha"}
    assert {(cell["task"], cell["batch_size"]) for cell in cells} == {("train", 2), ("infer", 1)}


def test_a_sample_is_the_quickest_cell_of_each_environment(workshop: Workshop) -> None:
    workshop.run("--sample")
    cells = [json.loads(path.read_text())["cell"] for path in workshop.manifests()]
    assert sorted((cell["framework"], cell["task"]) for cell in cells) == [
        ("alpha", "train"), ("beta", "train"),
    ]  # fmt: skip


def test_a_run_ends_with_a_screen_of_verdicts(workshop: Workshop) -> None:
    (workshop.folder / "studies" / "toy" / "claims.toml").write_text(CLAIMS)
    lines = workshop.run("-k", "alpha", "--report").stdout.splitlines()
    assert lines[0].startswith("toy · ") and lines[0].endswith(" · tier quick, digits")
    assert [line for line in lines if re.match(r"C1 Alpha is fast +undecided +3 more proc", line)]
    labels = {line[:9].rstrip(): line[9:] for line in lines[lines.index("") :] if line}
    assert labels["verdicts"] == "1 of 3 claims undecided, 1 not measured, 1 untestable"
    assert labels["cells"] == "3 ok, 3 not run"
    assert (workshop.folder / labels["report"]).is_file()
    assert labels["next"] == "repliquant run toy --tier quick"
    assert len(lines) <= 24 and max(map(len, lines)) <= 80


@pytest.mark.parametrize("changed", ["", "plan.json", "cells/*/manifest.json"])
def test_a_report_is_written_anew_where_it_is_older_than_what_it_is_made_from(
    measured: Workshop, changed: str
) -> None:
    folder = next(measured.folder.rglob("plan.json")).parent
    page = folder / "report.html"
    measured.run("-k", "alpha", "--report")
    written = page.stat().st_mtime_ns
    for path in folder.glob(changed) if changed else ():
        os.utime(path, ns=(written + 1, written + 1))
    measured.run("-k", "alpha", "--report")
    assert (page.stat().st_mtime_ns > written) == bool(changed)


def test_tables_are_printed_where_they_are_asked_for(workshop: Workshop) -> None:
    (workshop.folder / "studies" / "toy" / "claims.toml").write_text(CLAIMS)
    told = workshop.run("-k", "alpha", "--tables").stdout
    assert "ratio = measured / published" in told
    assert told.splitlines()[-1].startswith("next     repliquant run toy")
    assert "ratio = measured / published" not in workshop.run("-k", "alpha").stdout


def test_claims_that_cant_be_used_leave_a_run_as_it_is(workshop: Workshop) -> None:
    broken = CLAIMS.replace('test = "', 'test = "nonsense(', 1)
    (workshop.folder / "studies" / "toy" / "claims.toml").write_text(broken)
    done = workshop.run("-k", "alpha")
    assert "3 cells executed; of 3: 3 ok" in done.stderr
    assert "warning: no verdicts: " in done.stderr and "no function 'nonsense'" in done.stderr
    assert done.stdout == ""


def test_what_a_plan_costs(workshop: Workshop) -> None:
    text = workshop("plan", "toy", "--cost", "--watts", "1000").stdout
    assert "6 cells" in text
    assert "disk for the run: not known before a first run" in text
    assert "kWh at 1000 W" in text
    workshop.run("-k", "alpha and train")
    assert "disk for the run: about" in workshop("plan", "toy", "--cost").stdout


def test_evidence_imports_no_framework_and_no_browser(measured: Workshop) -> None:
    from tests.cli.imported import FRAMEWORKS, imported

    found = imported(measured, "claims", "toy")
    assert not found & {*FRAMEWORKS, "numpy", "scipy", "vl_convert", "jinja2", "rocrate"}
    assert not imported(measured, "audit", "toy") & {*FRAMEWORKS, "numpy", "scipy", "jinja2"}


def test_a_plan_of_some_cells_counts_the_numbers_of_these_alone(workshop: Workshop) -> None:
    def counted(*arguments: str) -> list[tuple[int, int]]:
        found = json.loads(workshop("plan", "toy", "--json", *arguments).stdout)
        return [(item["planned"], item["printed"]) for item in found["published_numbers"]]

    assert counted() == [(2, 2)]
    assert counted("-k", "alpha") == [(1, 2)]
    assert counted("-k", "train") == [(0, 2)]
    text = workshop("plan", "toy", "-k", "alpha").stdout
    assert "published numbers with a planned cell: 1 of 2" in text
