"""What a run left behind, by the titles of its cells."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import psutil

from manifests.codec import read_manifest
from manifests.manifest import Manifest
from manifests.run_folder import Run
from tests.conftest import Workshop

TITLES = [
    "alpha train plain batch 2",
    "beta train plain batch 2",
    "alpha infer plain batch 1",
    "alpha infer plain batch 2",
    "beta infer plain batch 1",
    "beta infer plain batch 2",
]


def the_run(workshop: Workshop) -> Run:
    return Run(workshop.runs / "toy-quick-digits")


def ids(workshop: Workshop) -> dict[str, str]:
    """Cell ids by title, as planned."""
    return {planned.cell.title: planned.id for planned in the_run(workshop).plan().cells}


def manifests(workshop: Workshop) -> dict[str, Manifest]:
    """The manifests of the cells by title; each has to be readable."""
    loaded = the_run(workshop).load()
    assert loaded.warnings == []
    return {manifest.cell.title: manifest for manifest in loaded.manifests}


def statuses(workshop: Workshop) -> list[str]:
    """One status a planned cell, in the order of the plan; "-" without a manifest."""
    found = manifests(workshop)
    return [found[t].status if t in found else "-" for t in ids(workshop)]


def earlier(workshop: Workshop, title: str, attempt: int = 1) -> Manifest:
    """The manifest of an attempt that was put aside."""
    folder = the_run(workshop).cells / f"{ids(workshop)[title]}.attempt-{attempt}"
    return read_manifest(folder / "manifest.json")


def attempts_aside(workshop: Workshop) -> list[Path]:
    return sorted(the_run(workshop).cells.glob("*.attempt-*"))


def runner_processes(workshop: Workshop) -> list[psutil.Process]:
    """The living runners whose folder is in this workshop."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or []
        ours = "tests.fakes.runner" in words and any(str(workshop.folder) in w for w in words)
        if ours and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process)
    return found


def wait_until(condition: Callable[[], object], what: str, limit_s: float = 120.0) -> None:
    """Look until ``condition`` holds; fails after ``limit_s`` with ``what``."""
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, f"waited in vain: {what}"
        time.sleep(0.01)
