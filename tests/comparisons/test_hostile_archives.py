"""Archives that were tampered with are refused in one line, and within little memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comparisons.archive import RefusedError, unpack
from tests.comparisons import hostile
from tests.comparisons.bundles import outcome
from tests.conftest import ROOT

MOST_MEMORY_KIB = 256 * 1024


def test_hostile_archives_are_refused_in_one_line_within_256_mib(
    good: hostile.Files, tmp_path: Path
) -> None:
    """All in one process, one after another, so that its peak is the worst of them."""
    cases = hostile.cases(good)
    assert len(cases) >= 60
    folder = tmp_path / "archives"
    folder.mkdir()
    for name, (data, _) in cases.items():
        (folder / f"{name}.zip").write_bytes(data)
    before = _everything(tmp_path.parent)
    done = subprocess.run(
        [sys.executable, "-m", "tests.comparisons.hostile", str(folder)], cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)}, capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    found = json.loads(done.stdout)
    for name, (_, word) in cases.items():
        lines = [line for line in found["results"][name] if ": ok" not in line]
        assert lines, (name, found["results"][name])
        assert any(word in line for line in lines), (name, word, lines)
        assert all(len(line.splitlines()) == 1 and len(line) < 1000 for line in lines), name
    assert _everything(tmp_path.parent) == before
    assert found["peak_kib"] < MOST_MEMORY_KIB


def _everything(folder: Path) -> set[str]:
    return {str(path) for path in folder.rglob("*")}


FUZZ = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@FUZZ
@given(data=st.data())
def test_no_change_of_bytes_gets_past_or_raises(
    good: hostile.Files, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    original = hostile.pack(good)
    changed = bytearray(original)
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(changed) - 1))
        kind = data.draw(st.sampled_from(("flip", "cut", "insert", "repeat")))
        if kind == "flip":
            changed[at] ^= data.draw(st.integers(1, 255))
        elif kind == "cut":
            del changed[at : at + data.draw(st.integers(1, 200))]
        elif kind == "insert":
            changed[at:at] = data.draw(st.binary(min_size=1, max_size=60))
        else:
            changed[at:at] = changed[at : at + data.draw(st.integers(1, 400))]
        if not changed:
            changed = bytearray(b"x")
    lines = outcome(bytes(changed), tmp_path_factory.mktemp("fuzz"))
    assert lines


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4)
    ),
    max_leaves=12,
)


@FUZZ
@given(data=st.data())
def test_no_json_in_a_manifest_raises(
    good: hostile.Files, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    name = next(name for name in sorted(good) if name.endswith("/manifest.json"))
    value = json.loads(good[name])
    for _ in range(data.draw(st.integers(1, 3))):
        inner = value
        while data.draw(st.booleans()) and isinstance(inner, dict | list) and inner:
            keys = list(inner) if isinstance(inner, dict) else list(range(len(inner)))
            key = data.draw(st.sampled_from(keys))
            if not isinstance(inner[key], dict | list) or data.draw(st.booleans()):
                inner[key] = data.draw(JSON)
                break
            inner = inner[key]
    text = json.dumps(value, separators=(",", ":")).encode() + b"\n"
    assert outcome(hostile.pack({**good, name: text}), tmp_path_factory.mktemp("fuzz"))


@given(st.binary(max_size=300))
def test_any_bytes_are_an_archive_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    folder = tmp_path_factory.mktemp("bytes")
    (folder / "x.zip").write_bytes(data)
    with pytest.raises(RefusedError):
        unpack(folder / "x.zip", folder)


def test_a_pipe_and_a_folder_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(RefusedError, match="is not a file"):
            unpack(path, tmp_path)
