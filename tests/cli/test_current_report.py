"""``run --report`` leaves a report that is newer than all that it is made from."""

from __future__ import annotations

import os

import pytest

from tests.conftest import Workshop

pytestmark = pytest.mark.cells


@pytest.mark.first(1)
@pytest.mark.parametrize("changed", ["", "plan.json", "cells/*/manifest.json"])
def test_a_report_is_written_anew_where_it_is_older_than_what_it_is_made_from(
    workshop: Workshop, changed: str
) -> None:
    workshop.run("-k", "alpha")  # the plan's estimates follow from it, once
    workshop.run("-k", "alpha", "--report")
    folder = next(workshop.folder.rglob("plan.json")).parent
    page = folder / "report.html"
    written = page.stat().st_mtime_ns
    for path in folder.glob(changed) if changed else ():
        os.utime(path, ns=(written + 1, written + 1))
    workshop.run("-k", "alpha", "--report")
    assert (page.stat().st_mtime_ns > written) == bool(changed)
