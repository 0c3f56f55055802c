"""A manifest that can't be used is skipped with a warning that names it; nothing ends for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import RUN
from tests.conftest import Workshop


def beta(workshop: Workshop, data: bytes) -> Path:
    """Bytes in the place of the manifest of a cell that was not run."""
    path = workshop.runs / RUN / "cells" / "ffffffffffff" / "manifest.json"
    path.parent.mkdir()
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (b"", b"", "belongs to cell"),
        (b'"wall_s":', b'"wall_s":NaN,"x":', "is not a manifest"),
        (b'{"schema":', b'{"id":"a","schema":', "names the key 'id' twice"),
        (b"manifest/1", b"manifest/2", "was written by a newer Repliquant"),
        (b'"seed":0', b'"seed":1', "it was edited"),
    ],
)
def test_table_and_status_warn_and_go_on(
    finished: Workshop, old: bytes, new: bytes, why: str
) -> None:
    good = finished.manifests()[0].read_bytes()
    assert old in good
    path = beta(finished, good.replace(old, new, 1))
    for command in (["table", "toy", RUN], ["status", RUN]):
        done = finished(*command)
        assert f"warning: skipped {path}: " in done.stderr
        assert why in done.stderr
        assert done.stdout
    assert path.exists()


@pytest.mark.parametrize("size", [0, 40, 17 * 2**20])
def test_what_is_cut_short_or_far_too_long_is_named(finished: Workshop, size: int) -> None:
    good = finished.manifests()[0].read_bytes()
    path = beta(finished, good[:size] if size < len(good) else good + b" " * size)
    assert f"warning: skipped {path}: " in finished("status", RUN).stderr


def test_a_plan_that_cannot_be_read_is_refused_by_name(finished: Workshop) -> None:
    plan = finished.runs / RUN / "plan.json"
    plan.write_bytes(plan.read_bytes()[:100])
    assert f"{plan}: is not a plan" in finished("status", RUN, status=2).stderr


def test_a_broken_run_does_not_hide_the_others(finished: Workshop) -> None:
    (finished.runs / "broken").mkdir()
    (finished.runs / "broken" / "plan.json").write_text("{")
    done = finished("status")
    assert "warning: the plan of run broken can't be used" in done.stderr
    assert RUN in done.stdout
    assert "Latency" in finished("table", "toy").stdout
