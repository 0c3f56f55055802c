"""Archives: what goes in comes out to the byte, and a stranger's harms nobody."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from comparisons.archive import RefusedError
from manifests.manifest import Environment, Flag
from tests.comparisons import hostile
from tests.comparisons.bundles import bundle, files_of, outcome, toy_manifests, toy_run


def test_a_run_makes_the_same_archive_twice_and_it_verifies(tmp_path: Path) -> None:
    run = toy_run(tmp_path, toy_manifests())
    made = bundle(run, tmp_path / "one.zip")
    bundle(run, tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    assert made.files == len(files_of(tmp_path / "one.zip"))
    (tmp_path / "into").mkdir()
    lines = hostile.outcome(tmp_path / "one.zip", tmp_path / "into")
    assert [line.partition(":")[0] for line in lines] == [
        "opened", "hashes", "schemas", "artifacts", "numbers", "kit", "tables", "claims", "audit",
        "report", "metadata",
    ]  # fmt: skip
    assert all(": ok" in line for line in lines)


def test_the_archive_holds_what_the_verdicts_come_from(good: hostile.Files) -> None:
    cells = {name.split("/")[1] for name in good if name.startswith("cells/")}
    assert len(cells) == 3
    for cell in cells:
        assert {f"cells/{cell}/manifest.json", f"cells/{cell}/log.txt"} <= good.keys()
    assert {
        "plan.json", "bundle.json", "report.html", "study/toy/study.toml", "study/toy/claims.toml",
        "study/toy/published/tables.toml", "study/toy/published/table1.csv",
        "environments/an-image/image.toml", "derived/tables.csv", "derived/claims.json",
        "derived/audit.json", "ro-crate-metadata.json",
    } - {"environments/an-image/image.toml"} <= good.keys()  # fmt: skip


def test_the_archive_holds_what_the_environments_were_built_from(tmp_path: Path) -> None:
    run = toy_run(tmp_path, toy_manifests())
    image = tmp_path / "images" / "an-image"
    image.mkdir()
    names = {
        "image.toml", "Dockerfile", "requirements.in", "requirements.txt",
        "container-requirements.in", "container-requirements.txt",
    }  # fmt: skip
    for name in (*names, "notes.txt"):
        (image / name).write_text("")
    bundle(run, tmp_path / "one.zip")
    held = {name for name in files_of(tmp_path / "one.zip") if name.startswith("environments/")}
    assert held == {f"environments/an-image/{name}" for name in names}


def test_the_metadata_are_a_process_run_crate(good: hostile.Files) -> None:
    graph = {node["@id"]: node for node in json.loads(good["ro-crate-metadata.json"])["@graph"]}
    assert graph["ro-crate-metadata.json"]["about"] == {"@id": "./"}
    assert graph["./"]["conformsTo"] == {"@id": "https://w3id.org/ro/wfrun/process/0.5"}
    actions = [node for node in graph.values() if node["@type"] == "CreateAction"]
    statuses = sorted(action["actionStatus"]["@id"].rpartition("/")[2] for action in actions)
    assert statuses == ["CompletedActionStatus", "CompletedActionStatus", "FailedActionStatus"]
    (failed,) = [action for action in actions if "error" in action]
    assert failed["error"].startswith("crashed: it broke")
    for action in actions:
        assert action["instrument"]["@id"] in graph
        assert all(part["@id"] in graph for part in (*action["object"], *action["result"]))
    parts = {part["@id"] for part in graph["./"]["hasPart"]}
    assert parts == set(good) - {"ro-crate-metadata.json"}


def test_models_come_along_when_asked_for(tmp_path: Path) -> None:
    from manifests.cell import sha256_hex
    from manifests.manifest import Artifact

    model = Artifact(path="model.bin", kind="test", size_bytes=1, sha256=sha256_hex(b"m"))
    manifests = toy_manifests(artifacts=[model])
    run = toy_run(tmp_path, manifests)
    for manifest in manifests[:2]:
        (run.cell_folder(manifest.id) / "model.bin").write_bytes(b"m")
    assert len(bundle(run, tmp_path / "bare.zip").left_out) == 2
    assert bundle(run, tmp_path / "full.zip", artifacts=True).left_out == []
    files = files_of(tmp_path / "full.zip")
    name = f"artifacts/{manifests[0].id}/model.bin"
    assert files[name] == b"m"
    files = {**files, name: b"n"}
    del files["checksums.sha256"]
    assert f"artifacts: {name} is not what its manifest says" in outcome(
        hostile.pack(files), tmp_path
    )
    del files[name]
    again = tmp_path / "again"
    again.mkdir()
    assert f"artifacts: {name} is missing" in outcome(hostile.pack(files), again)


def test_a_run_whose_models_were_changed_is_no_archive(tmp_path: Path) -> None:
    from manifests.cell import sha256_hex
    from manifests.manifest import Artifact

    model = Artifact(path="model.bin", kind="test", size_bytes=1, sha256=sha256_hex(b"m"))
    manifests = toy_manifests(artifacts=[model])
    run = toy_run(tmp_path, manifests)
    (run.cell_folder(manifests[0].id) / "model.bin").write_bytes(b"n")
    with pytest.raises(RefusedError, match=r"model\.bin was changed: .* \(cell \w+\)"):
        bundle(run, tmp_path / "bare.zip")
    (run.cell_folder(manifests[0].id) / "model.bin").unlink()
    bundle(run, tmp_path / "bare.zip")
    with pytest.raises(RefusedError, match=r"model\.bin is missing \(cell \w+\)"):
        bundle(run, tmp_path / "full.zip", artifacts=True)
    assert not (tmp_path / "full.zip").exists()


def test_a_run_too_large_to_be_verified_is_no_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = toy_run(tmp_path, toy_manifests())
    for limit, message in (("MAX_VALUES", "values in its JSON"), ("MAX_ENTRIES", "would hold")):
        with monkeypatch.context() as patch:
            patch.setattr(f"comparisons.archive.extraction.{limit}", 20)
            with pytest.raises(RefusedError, match=message):
                bundle(run, tmp_path / "a.zip")
    assert not list(tmp_path.glob("*.zip"))


INJECTED = [
    "<script>alert(1)</script>", "</script><img src=x onerror=alert(1)>", "=HYPERLINK(1)",
    "\x1b]0;owned\x07\x1b[31m", r"\input{/etc/passwd}", "| a | b |", "{{ 7 * 7 }}", "\u202e",
    "'; DROP TABLE cells; --", "](javascript:alert(1))", "%s%n", "\u2028\u2029",
]  # fmt: skip


@pytest.mark.parametrize("text", INJECTED)
def test_no_text_becomes_anything_but_text(tmp_path: Path, text: str) -> None:
    """In a manifest, a claim, a table's title and the paper's, a finding."""
    fields = {
        "flags": [Flag(name=text, detail=text)],
        "environment": Environment(packages={text: text}),
    }
    failed = toy_manifests()[2]
    run = toy_run(tmp_path, [*toy_manifests(**fields)[:2], failed])
    _inject(tmp_path / "studies" / "toy", text)
    bundle(run, tmp_path / "good.zip")
    files = {name: data.decode() for name, data in files_of(tmp_path / "good.zip").items()}
    page = files["report.html"]
    assert not re.search(r"<script>alert|<img |href=.javascript", page)
    for name in ("derived/tables.md", "derived/tables.tex", "derived/claims.md", "report.html"):
        assert not re.search("[\x1b\x07\u202e]", files[name]), name
    assert r"\input{" not in files["derived/tables.tex"]
    for row in csv.reader(files["derived/tables.csv"].splitlines()):
        assert not any(field.startswith(("=", "+", "@")) for field in row)
    (tmp_path / "into").mkdir()
    lines = hostile.outcome(tmp_path / "good.zip", tmp_path / "into")
    assert all(": ok" in line and "\x1b" not in line for line in lines)


def _inject(study: Path, text: str) -> None:
    """JSON's strings are TOML's too."""
    quoted = json.dumps(text)
    for name, old in (
        ("claims.toml", '"Alpha is fast."'),
        ("study.toml", '"A toy"'),
        ("published/tables.toml", '"Latency"'),
    ):
        path = study / name
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, quoted))
    (study / "audit.toml").write_text(
        f'[[check]]\nid = "x"\nkind = "text"\nplace = {quoted}\nrule = {quoted}\n'
        f'test = "1 == 2"\nsure = "certain"\ninnocent = {quoted}\n'
    )
