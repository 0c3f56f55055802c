"""Where a cell runs or ran, in words."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from manifests.allocation import Allocation
from manifests.codec import encode_manifest
from manifests.manifest import CodeVersion, Context, ImageUsed
from manifests.run_folder import Run
from orchestrator.engines.base import Handle
from orchestrator.engines.live_cells import write_handle
from services.cell_place import place_words
from tests.manifests.samples import a_cell, a_manifest

CELL = a_cell().id


@pytest.fixture
def run(tmp_path: Path) -> Run:
    (tmp_path / "run" / "cells" / CELL).mkdir(parents=True)
    return Run(tmp_path / "run")


@pytest.mark.parametrize(
    ("engine", "known", "told"),
    [
        ("local", {"pid": "4242", "started": "7"}, "engine local, process 4242"),
        ("docker", {"container": "3f2a9bc1d0e4aa77"}, "engine docker, container 3f2a9bc1d0e4"),
        ("local", {}, "engine local"),
    ],
)
def test_a_running_cell_is_where_its_engine_left_it(
    run: Run, engine: str, known: dict[str, str], told: str
) -> None:
    write_handle(run.cell_folder(CELL), Handle(engine=engine, cell=CELL, name="n", known=known))
    assert place_words(run, CELL) == told
    assert place_words(run, CELL, "pytorch-cpu") == f"{told}, environment pytorch-cpu"


def test_a_cell_of_a_queue_ran_on_a_node(run: Run) -> None:
    context = Context(
        engine="slurm",
        image=ImageUsed(name="pytorch-cpu", kind="venv"),
        kit=CodeVersion(version="1", commit=None, dirty=False),
        run="run",
        gpus=["GPU-1"],
        allocation=Allocation(scheduler="slurm", job="1043_7", node="n2", partition="long"),
    )
    manifest = msgspec.structs.replace(a_manifest(a_cell()), context=context)
    run.manifest_path(CELL).write_bytes(encode_manifest(manifest))
    assert place_words(run, CELL) == (
        "engine slurm, job 1043_7 on n2 of partition long, "
        "virtual environment pytorch-cpu, GPU GPU-1"
    )


def test_nothing_is_said_where_nobody_knows(run: Run) -> None:
    assert place_words(run, CELL) == "" and place_words(run, "another") == ""
