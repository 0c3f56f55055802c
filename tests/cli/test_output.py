"""Results on standard output, the rest on standard error; and nothing raw on either."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any

import pytest

from tests.cli.conftest import RUN
from tests.conftest import Workshop


def printed(workshop: Workshop, *arguments: str, status: int = 0) -> Any:
    return json.loads(workshop(*arguments, "--json", status=status).stdout)


def test_every_command_that_prints_data_prints_it_as_json(finished: Workshop) -> None:
    findings = printed(finished, "doctor")
    assert [finding["what"] for finding in findings][:3] == ["python", "processor", "gpu"]
    assert [study["id"] for study in printed(finished, "studies")] == ["toy"]
    assert len(printed(finished, "plan", "toy")["plan"]["cells"]) == 6
    rows = printed(finished, "status", RUN)
    assert [row["status"] for row in rows] == [
        "ok", "to do", "crashed", "crashed", "to do", "to do",
    ]  # fmt: skip
    assert printed(finished, "status") == [{"run": RUN, "cells": "1 ok, 3 to do, 2 crashed"}]
    assert printed(finished, "table", "toy")[0]["lines"][0]["state"].startswith("crashed: Value")
    assert printed(finished, "show", rows[0]["cell"])["status"] == "ok"
    images = printed(finished, "images", "list")
    assert [image["image"] for image in images] == ["alpha", "beta", "broken"]


def test_a_cell_is_shown_by_the_beginning_of_its_id(finished: Workshop) -> None:
    cell = printed(finished, "status", RUN)[0]["cell"]
    text = finished("show", cell[:5]).stdout
    assert text.startswith(f"cell {cell} · alpha train plain batch 2 · ok\n")
    assert "accuracy" in text
    assert "weights.bin" in text
    assert text == finished("show", cell, "--run", RUN).stdout


def test_a_beginning_that_fits_several_cells_names_them(finished: Workshop) -> None:
    cells = finished.runs / RUN / "cells"
    for name in ("aaaa00000001", "aaaa00000002"):
        (cells / name).mkdir()
        (cells / name / "manifest.json").write_bytes(finished.manifests()[0].read_bytes())
    told = finished("show", "aaaa", status=2).stderr
    assert "'aaaa' could be aaaa00000001, aaaa00000002; give more characters" in told


@pytest.mark.parametrize(
    "arguments",
    [
        ["status", RUN],
        ["table", "toy", RUN],
        ["table", "toy", RUN, "--format", "md"],
        ["table", "toy", RUN, "--format", "csv"],
        ["table", "toy", RUN, "--format", "json"],
    ],
)
def test_an_escape_sequence_in_an_error_stays_in_its_file(
    finished: Workshop, arguments: list[str]
) -> None:
    done = finished(*arguments)
    assert "it broke" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr


def test_an_escape_sequence_is_not_shown_with_its_cell_or_while_it_runs(
    finished: Workshop,
) -> None:
    crashed = next(r["cell"] for r in printed(finished, "status", RUN) if r["status"] == "crashed")
    text = finished("show", crashed).stdout
    assert "ValueError: it broke" in text
    assert "\x1b" not in text
    run = finished.run("-k", "alpha and batch_size=1", "--rerun", "crashed", status=1)
    assert "it broke" in run.stderr
    assert "\x1b" not in run.stdout + run.stderr


def test_tables_are_written_to_a_file_when_asked(finished: Workshop) -> None:
    done = finished("table", "toy", "--format", "md", "-o", "out.md")
    assert done.stdout == ""
    assert "written: out.md" in done.stderr
    assert (finished.folder / "out.md").read_text().startswith("### Latency (Table I)")


def test_a_plan_tells_what_is_there_already(finished: Workshop) -> None:
    text = finished("plan", "toy").stdout
    assert "6 cells, 3 to run" in text
    assert text.count("has a manifest") == 3


@pytest.mark.parametrize("arguments", [["plan", "toy"], ["status", RUN, "--json"], ["--help"]])
def test_a_reader_that_goes_away_ends_it_quietly(finished: Workshop, arguments: list[str]) -> None:
    process = subprocess.Popen(
        finished.command(*arguments), cwd=finished.folder, env=finished.environment,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    with process.stderr:
        told = process.stderr.read()
    assert process.wait(timeout=120) == 0
    assert told == ""


def test_a_run_says_first_what_is_wrong_with_the_machine(workshop: Workshop) -> None:
    told = workshop.run("-k", "alpha", "--doctor").stdout.splitlines()
    assert re.match(r"(doctor: nothing is wrong|(problem|advice): )", told[0])
    again = workshop.run("-k", "alpha", "--doctor", "--json")
    assert json.loads(again.stdout)["executed"] == []
    assert re.search(r"^(doctor|problem|advice): ", again.stderr, re.MULTILINE)
