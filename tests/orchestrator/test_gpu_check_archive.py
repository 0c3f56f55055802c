"""The archive of a check: texts of a run, no weights, within its limit."""

from __future__ import annotations

import tarfile
from pathlib import Path

from orchestrator.gpu_check.archive import LIMIT_BYTES, pack


def a_run(folder: Path) -> Path:
    run = folder / "check"
    cell = run / "cells" / "0123456789ab"
    cell.mkdir(parents=True)
    for name in ("summary.md", "summary.json", "probe.json", "plan.json", "history.jsonl", "lock"):
        (run / name).write_text(name)
    for name in ("manifest.json", "events.jsonl", "telemetry.jsonl", "log.txt", "stderr.txt"):
        (cell / name).write_text(name)
    (cell / "weights.pt").write_bytes(b"w" * 1000)
    (cell / "link.json").symlink_to("/etc/hostname")
    return run


def names(path: Path) -> list[str]:
    with tarfile.open(path) as archive:
        return sorted(archive.getnames())


def test_everything_but_weights_is_in_it(tmp_path: Path) -> None:
    packed = pack(a_run(tmp_path))
    assert packed.path == tmp_path / "check.tar.gz"
    cell = "check/cells/0123456789ab/"
    assert names(packed.path) == [
        cell + "events.jsonl", cell + "log.txt", cell + "manifest.json", cell + "stderr.txt",
        cell + "telemetry.jsonl", "check/history.jsonl", "check/plan.json", "check/probe.json",
        "check/summary.json", "check/summary.md",
    ]  # fmt: skip
    assert packed.size_bytes == packed.path.stat().st_size and not packed.left_out
    assert LIMIT_BYTES == 64_000_000
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith(".")] == []


def test_what_is_too_large_stays_behind_and_is_named(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    log = run / "cells" / "0123456789ab" / "log.txt"
    log.write_text("x" * 5000)
    packed = pack(run, limit_bytes=1000)
    assert packed.left_out == ["cells/0123456789ab/log.txt"]
    assert "check/cells/0123456789ab/manifest.json" in names(packed.path)
    log.write_text("short")
    assert pack(run).left_out == []
