"""Reading and writing manifests: what goes in comes out, once, in the newest version."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manifests.cell import Cell
from manifests.code_version import CodeVersion
from manifests.codec import (
    UnreadableError,
    decode_manifest,
    encode_manifest,
    read_manifest,
    read_struct,
    schema_version,
    upgrade,
    write_manifest,
    write_plan,
)
from manifests.manifest import (
    Artifact,
    Context,
    Environment,
    Flag,
    Gpu,
    ImageUsed,
    Inputs,
    Machine,
    Manifest,
    Metric,
    PhaseTime,
    Proof,
)
from manifests.plan import Plan, PlannedCell
from tests.manifests.samples import a_cell, a_manifest

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
counts = st.integers(0, 2**63 - 1)
seconds = st.floats(allow_nan=False, allow_infinity=False)
small = {"max_size": 3}
scalars = st.none() | st.booleans() | counts | seconds | text | st.lists(seconds, **small)
cells = st.builds(
    a_cell,
    technique=text,
    seed=counts,
    repeat=counts,
    device=st.sampled_from(["cpu", "gpu"]),
    weights_from=st.none() | text,
    recipe=st.dictionaries(text, scalars, **small),
)
metrics = st.builds(
    Metric,
    name=text,
    unit=text,
    samples=st.lists(st.none() | counts | seconds, max_size=5),
    label=text,
    items=counts,
)
proofs = st.builds(
    Proof,
    promised=text,
    operations=st.dictionaries(text, st.dictionaries(text, counts, **small), **small),
    coverage=st.none() | st.floats(0, 1),
    fallback=st.lists(text, **small),
    source=text,
)
gpus = st.builds(Gpu, name=text, memory_bytes=st.none() | counts)
machines = st.builds(
    Machine,
    system=text,
    architecture=text,
    cpu=st.none() | text,
    cpus=st.none() | counts,
    instruction_sets=st.lists(text, **small),
    memory_bytes=st.none() | counts,
    gpus=st.lists(gpus, max_size=2),
)
contexts = st.builds(
    Context,
    engine=text,
    image=st.builds(ImageUsed, name=text, kind=st.sampled_from(["venv", "container", "given"])),
    kit=st.builds(
        CodeVersion, version=text, commit=st.none() | text, dirty=st.none() | st.booleans()
    ),
    run=text,
    command=st.lists(text, **small),
)
manifests = st.builds(
    a_manifest,
    cells,
    status=st.sampled_from(["ok", "oom", "unsupported", "timeout", "crashed", "cancelled"]),
    reason=text,
    error=text,
    transient=st.booleans(),
    wall_s=seconds,
    metrics=st.lists(metrics, **small),
    proof=st.none() | proofs,
    flags=st.lists(st.builds(Flag, name=text, detail=text), **small),
    context=st.none() | contexts,
    environment=st.builds(Environment, machine=st.none() | machines),
    inputs=st.builds(Inputs, seeds=st.dictionaries(text, counts, **small)),
    artifacts=st.lists(
        st.builds(Artifact, path=text, kind=text, size_bytes=counts, sha256=text), **small
    ),
    phases=st.lists(st.builds(PhaseTime, name=text, seconds=seconds), **small),
)


@settings(max_examples=150)
@given(manifests)
def test_what_is_written_reads_back_equal(manifest: Manifest) -> None:
    data = encode_manifest(manifest)
    again = decode_manifest(data)
    assert again == manifest
    assert encode_manifest(again) == data


@settings(max_examples=50)
@given(manifests)
def test_other_spelling_of_the_same_json_reads_back_equal(manifest: Manifest) -> None:
    fields = json.loads(encode_manifest(manifest))
    indented = json.dumps(dict(reversed(fields.items())), indent=2).encode()
    assert decode_manifest(indented) == manifest


def test_a_manifest_is_one_line_that_begins_with_its_schema() -> None:
    data = encode_manifest(a_manifest())
    assert data.startswith(b'{"schema":"repliquant/manifest/1","id":"')
    assert data.index(b"\n") == len(data) - 1


def test_a_missing_reading_stays_null() -> None:
    manifest = decode_manifest(encode_manifest(a_manifest()))
    metric = manifest.metric("latency_s")
    assert metric is not None
    assert metric.samples == [0.25, None, 0.5]
    assert manifest.metric("latency_s", label="conv") is None
    assert manifest.labelled("latency_s") == [metric]


def test_a_field_that_a_later_kit_added_is_passed_over() -> None:
    data = encode_manifest(a_manifest())
    assert (
        decode_manifest(data.replace(b'"reason":""', b'"reason":"","mood":[1]', 1)) == a_manifest()
    )


def test_a_manifest_is_written_once(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    write_manifest(path, a_manifest())
    with pytest.raises(FileExistsError, match="manifests are never overwritten"):
        write_manifest(path, a_manifest(reason="another"))
    assert read_manifest(path) == a_manifest()
    assert [entry.name for entry in tmp_path.iterdir()] == ["manifest.json"]


def test_an_error_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_bytes(b"{")
    with pytest.raises(UnreadableError) as caught:
        read_manifest(path)
    assert str(caught.value) == f"{path}: is not a manifest: Input data was truncated"


def test_a_plan_is_written_for_people_and_reads_back(tmp_path: Path) -> None:
    cell = a_cell()
    planned = PlannedCell(
        id=cell.id,
        cell=cell,
        image="pytorch-cpu",
        needs=[],
        estimate_s=60.0,
        study_estimate_s=90.0,
        estimate_source="study",
        timeout_s=600.0,
    )
    plan = Plan(
        study="lad2023", tier="quick", protocol="rigorous", dataset="digits", cells=[planned]
    )
    path = tmp_path / "plan.json"
    write_plan(path, plan)
    assert path.read_text().startswith('{\n "schema": "repliquant/plan/1",\n "study": "lad2023",')
    assert read_struct(path, Plan) == plan
    assert plan.find(cell.id) == planned
    assert plan.find("0123456789ab") is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[]", "is not a cell: Expected `object`, got `array`"),
        (b"\xff\xfe", "is not a cell: "),
        (b"[" * 100_000, "is not a cell: "),
        (b'{"study":"\xff"}', "is not a cell: "),
    ],
)
def test_a_struct_that_cannot_be_read_names_its_file(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "cell.json"
    path.write_bytes(content)
    with pytest.raises(UnreadableError) as caught:
        read_struct(path, Cell)
    assert str(caught.value).startswith(f"{path}: {message}")


def _rename_old(data: dict[str, Any]) -> dict[str, Any]:
    return {**data, "schema": "repliquant/manifest/2", "wall_s": data["duration"]}


def _add_metrics(data: dict[str, Any]) -> dict[str, Any]:
    return {**data, "schema": "repliquant/manifest/3", "metrics": []}


def test_old_data_is_upgraded_step_by_step() -> None:
    steps = {1: _rename_old, 2: _add_metrics}
    old = {"schema": "repliquant/manifest/1", "duration": 2.0}
    assert upgrade(old, 1, steps, newest=3) == {
        "schema": "repliquant/manifest/3",
        "duration": 2.0,
        "wall_s": 2.0,
        "metrics": [],
    }
    assert old == {"schema": "repliquant/manifest/1", "duration": 2.0}


def test_the_newest_version_needs_no_step() -> None:
    assert upgrade({"a": 1}, 3, {}, newest=3) == {"a": 1}


def test_a_missing_step_is_refused() -> None:
    with pytest.raises(UnreadableError, match="has schema version 2, which was never released"):
        upgrade({"duration": 2.0}, 1, {1: _rename_old}, newest=3)


def test_the_versions_that_can_be_read_are_told_apart() -> None:
    assert schema_version("repliquant/manifest/1", newest=3) == 1
    assert schema_version("repliquant/manifest/3", newest=3) == 3
    with pytest.raises(UnreadableError, match="newer Repliquant"):
        schema_version("repliquant/manifest/4", newest=3)


def test_an_upgraded_manifest_is_checked_like_any_other() -> None:
    fields = msgspec.to_builtins(a_manifest())
    data = msgspec.json.encode({**fields, "schema": "repliquant/manifest/0"})
    with pytest.raises(UnreadableError, match="has schema version 0, which was never released"):
        decode_manifest(data)
