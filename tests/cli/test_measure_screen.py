"""What ``measure`` ends with: a row a toolchain, one screen, and a sentence of advice."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec
import pytest

from manifests.cell import Cell
from manifests.manifest import Flag, Manifest, Metric, Proof
from manifests.plan import Plan, PlannedCell
from services.measure_rows import Row, advice, rows
from services.measure_screen import Screen, measure_screen
from tests.manifests.samples import a_cell, a_manifest

if TYPE_CHECKING:
    pass


def _plan(cells: list[Cell]) -> Plan:
    planned = [
        PlannedCell(
            id=cell.id, cell=cell, image="i", needs=[], estimate_s=1, study_estimate_s=1,
            estimate_source="", timeout_s=9,
        )
        for cell in cells
    ]  # fmt: skip
    return Plan(study="s", tier="quick", protocol="rigorous", dataset="random", cells=planned)


def _run(
    framework: str, technique: str, latencies_s: list[float], agreement: float | None, share: float
) -> list[Manifest]:
    """A quantize cell, and an infer cell a latency."""
    about = {"framework": framework, "technique": technique, "batch_size": 1}
    made = a_cell(task="quantize", **about)
    metrics = [Metric(name="model_size_bytes", unit="bytes", samples=[4_000_000])]
    if agreement is not None:
        metrics.append(Metric(name="agreement", unit="fraction", samples=[agreement], items=72))
    found = [a_manifest(made, metrics=metrics)]
    for repeat, latency_s in enumerate(latencies_s):
        cell = a_cell(task="infer", repeat=repeat, weights_from=made.id, **about)
        measured = [
            Metric(name="latency_s", unit="s", samples=[latency_s] * 3),
            Metric(name="throughput_items_per_s", unit="items/s", samples=[1 / latency_s]),
            Metric(name="promised_time_share", unit="fraction", samples=[share]),
        ]
        proof = Proof(promised="int8", operations={}, coverage=share, fallback=[], source="")
        found.append(a_manifest(cell, metrics=measured, proof=proof))
    return found


def _rows(*groups: list[Manifest]) -> list[Row]:
    manifests = [one for group in groups for one in group]
    return rows(_plan([one.cell for one in manifests]), manifests, "onnxruntime")


FILE = _run("onnxruntime", "model-file", [0.030, 0.031, 0.0305], None, 1.0)
OPENVINO = _run("openvino", "model-file-int8", [0.010, 0.0101, 0.0099], 71 / 72, 0.98)


def test_a_row_has_the_median_of_its_processes_and_their_interval() -> None:
    first, second = _rows(FILE, OPENVINO)
    assert first.reference and not second.reference
    assert (first.latency_s, second.latency_s) == (0.0305, 0.010)
    assert second.interval_s is not None
    assert 0.0095 < second.interval_s.low < 0.010 < second.interval_s.high < 0.0105
    assert (second.agreement, second.samples, second.size_bytes) == (71 / 72, 72, 4_000_000)
    assert second.proven and second.title == "INT8 in OpenVINO"


def test_the_advice_names_the_fastest_that_agrees_well_enough() -> None:
    found = _rows(FILE, OPENVINO, _run("onnxruntime", "model-file-int8", [0.004] * 3, 0.5, 1.0))
    told = advice(found, 0.98, random=False)
    assert told.startswith(
        "At batch 1 INT8 in OpenVINO answers 3.0 times as fast as the file in ONNX Runtime (95 %: "
    )
    assert told.endswith("; top-1 agreement 98.6 % of 72 samples.")
    assert "nothing that agrees with the file on 99 % of the samples" in advice(found, 0.99, False)
    assert "say nothing of accuracy" in advice(found, 0.98, random=True)


def test_a_disturbed_measurement_says_so() -> None:
    flagged = [
        msgspec.structs.replace(one, flags=[Flag(name="busy-machine", detail="")])
        for one in OPENVINO
    ]
    told = advice(_rows(FILE, flagged), 0.98, random=False)
    assert "3.0 times" in told and told.endswith("measure again before you rely on it.")
    lines = measure_screen(Screen("t", _rows(FILE, flagged), "", [], "n"))
    assert sum("OpenVINO*" in line for line in lines) == 1


def test_long_latencies_are_in_seconds() -> None:
    slow = _rows(_run("onnxruntime", "model-file", [2.5, 2.5, 2.5], None, 1.0))
    assert any("2.5 s ± 0 %" in line for line in measure_screen(Screen("t", slow, "", [], "n")))


def test_what_did_not_run_in_int8_is_never_advised() -> None:
    fake = _run("openvino", "model-file-int8", [0.001] * 3, 1.0, 0.1)
    assert "keep that" in advice(_rows(FILE, fake), 0.99, False)
    text = "\n".join(measure_screen(Screen("t", _rows(FILE, fake), "", [], "n")))
    assert "INT8?" in text and "INT8 " not in text


def test_a_gain_within_the_scatter_is_none() -> None:
    close = _run("openvino", "model-file-int8", [0.0250, 0.0330, 0.0302], 1.0, 1.0)
    assert "keep that" in advice(_rows(FILE, close), 0.99, False)


def test_a_cell_that_failed_is_a_row_with_its_reason() -> None:
    cell = a_cell(framework="openvino", technique="model-file-int8", batch_size=1)
    refused = a_manifest(cell, status="unsupported", reason="NNCF refuses \x1b[31mit", metrics=[])
    found = _rows(FILE, [refused])
    assert [row.status for row in found] == ["ok", "unsupported"]
    lines = measure_screen(Screen("t", found, "a", [], "n"))
    assert any("OpenVINO INT8: unsupported: NNCF refuses" in line for line in lines)
    assert all(line.isprintable() for line in lines)


def test_without_the_file_itself_nothing_is_advised() -> None:
    assert advice(_rows(OPENVINO), 0.9, False).startswith("The file could not be measured")


@pytest.mark.parametrize("count", [0, 1, 12, 16, 40])
def test_the_screen_fits_80_columns_and_24_lines(count: int) -> None:
    found = [_rows(FILE, OPENVINO)[1]] * count
    shown = Screen("x" * 200, found, "word " * 40, ["long " * 13], "repliquant " * 9)
    lines = measure_screen(shown)
    assert len(lines) <= 24 and max(map(len, lines)) <= 80
    assert ("more rows" in "\n".join(lines)) == (count > 12)


def test_rows_are_json() -> None:
    from cli.commands.measure import _row_data

    data = json.loads(json.dumps(_row_data(_rows(FILE)[0])))
    assert data["latency_s"] == 0.0305 and len(data["interval_s"]) == 2
