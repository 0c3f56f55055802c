"""Giving a run away: secrets that earlier versions kept stay at home, and the archive says so."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from comparisons.environments import facts
from comparisons.redaction import sentence
from manifests.cell import sha256_hex
from manifests.codec import encode_manifest
from manifests.manifest import (
    CodeVersion,
    Context,
    Environment,
    ImageUsed,
    Inputs,
    Machine,
    Manifest,
)
from manifests.run_folder import Run
from tests.comparisons import hostile
from tests.comparisons.bundles import bundle, files_of, toy_manifests, toy_run
from tests.conftest import CLI, ROOT

SECRETS = (b"hunter2", b"nvapi-", b"s3cret")
MACHINE = Machine(
    system="Linux", architecture="x86_64", cpu="c", cpus=2, instruction_sets=[], memory_bytes=1
)


def old_manifests() -> list[Manifest]:
    """As a version with prefixes kept them; the second started from the first one's weights."""
    fields: dict[str, Any] = {
        "environment": Environment(
            machine=MACHINE,
            variables={
                "OMP_NUM_THREADS": "2",
                "TF_VAR_pw": "hunter2",
                "NVIDIA_API_KEY": "nvapi-" + 40 * "a",
            },
        ),
        "context": Context(
            engine="local",
            image=ImageUsed(name="alpha", kind="venv"),
            kit=CodeVersion(version="1"),
            run="r",
            command=["repliquant", "run", "--data", "https://ann:s3cret@host/x"],
        ),
    }
    parent, child, broken = toy_manifests(**fields)
    broken = msgspec.structs.replace(broken, reason="GET https://ann:s3cret@host/y failed")
    cell = msgspec.structs.replace(child.cell, weights_from=parent.id)
    inputs = Inputs(weights_manifest_sha256=sha256_hex(encode_manifest(parent)))
    return [parent, msgspec.structs.replace(child, id=cell.id, cell=cell, inputs=inputs), broken]


@pytest.fixture
def old_run(tmp_path: Path) -> Run:
    run = toy_run(tmp_path, old_manifests())
    for name in ("log.txt", "stderr.txt", "events.jsonl"):
        for folder in run.cells.iterdir():
            line = json.dumps({"event": "warning", "text": "GET https://ann:s3cret@host/x?n=1"})
            (folder / name).write_text(f"{line}\n")
    return run


def verified(archive: Path, into: Path) -> dict[str, str]:
    into.mkdir()
    lines = hostile.outcome(archive, into)
    return dict(line.split(": ", 1) for line in lines)


def test_no_file_of_the_archive_holds_a_secret_and_it_says_what_went(
    old_run: Run, tmp_path: Path
) -> None:
    made = bundle(old_run, tmp_path / "a.zip")
    files = files_of(tmp_path / "a.zip")
    for name, data in files.items():
        assert not any(secret in data for secret in SECRETS), name
    assert made.redacted == (
        "left out: variables that change no number (NVIDIA_API_KEY, TF_VAR_pw) and credentials in "
        "12 places. The run's own files still hold them"
    )
    about = json.loads(files["bundle.json"])
    first = old_manifests()[0].id
    assert about["redacted"][f"cells/{first}/manifest.json"] == [
        "variable NVIDIA_API_KEY", "variable TF_VAR_pw", "credentials in context.command",
    ]  # fmt: skip
    assert about["redacted"][f"cells/{first}/log.txt"] == ["credentials"]
    graph = {node["@id"]: node for node in json.loads(files["ro-crate-metadata.json"])["@graph"]}
    told = graph[f"cells/{first}/manifest.json"]["description"]
    assert told.startswith("a copy without: variable NVIDIA_API_KEY")
    assert made.redacted in graph["./"]["description"]
    assert b"left out: variables" in files["report.html"]
    assert b"left out: variables" in files["derived/tables.md"]
    kept = json.loads(files[f"cells/{first}/manifest.json"])
    assert kept["environment"]["variables"] == {"OMP_NUM_THREADS": "2"}
    events = files[f"cells/{first}/events.jsonl"]
    assert json.loads(events)["text"] == "GET https://***@host/x?n=1"


def test_the_run_itself_stays_as_it_was(old_run: Run, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in old_run.folder.rglob("*") if path.is_file()}
    bundle(old_run, tmp_path / "a.zip")
    assert {p: p.read_bytes() for p in old_run.folder.rglob("*") if p.is_file()} == before


def test_it_verifies_and_says_which_origins_are_not_comparable(
    old_run: Run, tmp_path: Path
) -> None:
    bundle(old_run, tmp_path / "a.zip")
    found = verified(tmp_path / "a.zip", tmp_path / "into")
    assert all(text.startswith("ok") for text in found.values()), found
    assert "1 that are copies without secrets" in found["weights"]
    assert "TF_VAR_pw" in found["redacted"]


def test_an_archive_with_nothing_to_hide_has_no_word_of_it(tmp_path: Path) -> None:
    made = bundle(toy_run(tmp_path, toy_manifests()), tmp_path / "a.zip")
    assert made.redacted == ""
    assert "redacted" not in json.loads(files_of(tmp_path / "a.zip")["bundle.json"])


@pytest.mark.parametrize("intact", [True, False])
def test_the_origin_of_weights_is_checked_by_its_hash(tmp_path: Path, intact: bool) -> None:
    parent, child, broken = toy_manifests()
    cell = msgspec.structs.replace(child.cell, weights_from=parent.id)
    known = sha256_hex(encode_manifest(parent)) if intact else "0" * 64
    inputs = Inputs(weights_manifest_sha256=known)
    child = msgspec.structs.replace(child, id=cell.id, cell=cell, inputs=inputs)
    bundle(toy_run(tmp_path, [parent, child, broken]), tmp_path / "a.zip")
    said = verified(tmp_path / "a.zip", tmp_path / "into")["weights"]
    assert said.startswith("ok") if intact else "started from another cells/" in said


def test_environments_of_old_runs_show_only_what_changes_numbers() -> None:
    found = facts(old_manifests())
    assert [name for name in found if "$" in name] == ["alpha: $OMP_NUM_THREADS"]


def test_the_sentence_counts_places() -> None:
    assert sentence({"a": ["credentials in reason"]}) == (
        "left out: credentials in 1 place. The run's own files still hold them"
    )


def test_a_report_of_an_old_run_leaves_them_out_and_says_so(old_run: Run, tmp_path: Path) -> None:
    environment = {
        "PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": str(ROOT),
        "REPLIQUANT_STUDIES": str(tmp_path / "studies"), "REPLIQUANT_CACHE": str(tmp_path / "c"),
        "REPLIQUANT_IMAGES": str(tmp_path / "images"), "REPLIQUANT_RUNS": str(tmp_path / "runs"),
    }  # fmt: skip
    for kind, name in (("html", "report.html"), ("md", "report.md")):
        done = subprocess.run(
            [*CLI, "report", str(old_run.folder), "--format", kind],
            env=environment, cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert (
            "left out: variables that change no number (NVIDIA_API_KEY, TF_VAR_pw)" in done.stderr
        )
        page = (old_run.folder / name).read_bytes()
        assert b"left out: variables" in page
        assert not any(secret in page for secret in SECRETS)
