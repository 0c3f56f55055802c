"""The page as a reader finds it: cells like the plan, a line for what needs a GPU, every flag."""

from __future__ import annotations

import html
import re

import pytest

from comparisons.audit import audit
from comparisons.gpu_only import gpu_only_cells
from comparisons.report import ReportInput, render_page
from comparisons.report.cells import cell_parts, reading_words
from comparisons.report.figure_charts import figure_parts
from comparisons.report.folded import folded
from comparisons.report.ladder import ladder, ladder_charts
from comparisons.results import Evidence, gather
from manifests.manifest import Flag, Manifest
from manifests.metrics import METRICS
from manifests.paths import ROOT
from manifests.plan import Plan
from papers.published import SELECTABLE
from tests.comparisons.samples import a_line, a_plan, measured, metric
from tests.manifests.samples import a_cell

STUDIES = ROOT / "studies"
NO_GPU = "needs an NVIDIA GPU; none was found"
BUSY = Flag(name="busy-machine", detail="others took 40 %", metrics=["latency_s"])


def infer(technique: str, seconds: float, repeat: int = 0, *flags: Flag) -> Manifest:
    cell = a_cell(technique=technique, batch_size=1, repeat=repeat)
    return measured(cell, metric("latency_s", seconds), flags=list(flags))


def a_run() -> Evidence:
    """Four processes a side of float32 and int8 in PyTorch; three cells for a GPU alone."""
    manifests = [
        infer(technique, value * (1 + 0.01 * repeat), repeat)
        for repeat in range(4)
        for technique, value in (("float32", 0.04), ("ptq-eager", 0.01))
    ]
    manifests.append(infer("ptq-fx", 0.02, 0, BUSY))
    gpu = [a_cell(technique="float32", batch_size=5, device="gpu", repeat=n) for n in range(3)]
    manifests += [measured(cell, status="unsupported", reason=NO_GPU) for cell in gpu]
    plan = a_plan(*(m.cell for m in manifests), a_cell(technique="qat-eager", batch_size=1))
    return gather(STUDIES / "lad2023", plan, list(reversed(manifests)), "a-run")


@pytest.fixture(scope="module")
def page() -> str:
    return render_page(ReportInput(a_run(), audit(STUDIES / "lad2023"), "", ""))


def text_of(page: str) -> str:
    """What can be read, without pictures."""
    bare = re.sub(r"<(script|style|svg).*?</\1>", "", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", bare)).split())


def test_cells_stand_in_the_order_of_the_plan() -> None:
    evidence = a_run()
    assert isinstance(evidence.plan, Plan)
    cells = cell_parts(evidence, "")
    assert [cell.id for cell in cells.shown] == [one.id for one in evidence.plan.cells[:9]]
    assert [cell.id for cell in cells.gpu_only] == [one.id for one in evidence.plan.cells[9:12]]
    assert cells.gpu_reason == NO_GPU
    assert cells.not_run == [evidence.plan.cells[12].cell.title]
    assert cells.statuses == ["ok"]


def test_what_a_gpu_alone_can_run_is_one_line(page: str) -> None:
    text = text_of(page)
    assert text.count(f"3 cells only on a GPU: {NO_GPU}") == 1
    assert text.count(f"3 cells: {NO_GPU}") == 1  # on the first page
    assert text.count("1 row for a GPU alone, which this machine doesn't have") == 1
    assert f"unsupported: {NO_GPU} (" not in text


def test_rows_for_a_gpu_fold_with_what_the_paper_prints() -> None:
    evidence = a_run()
    (table,) = [one for one in evidence.comparisons if one.id == "device-time"]
    found = folded(table.lines, gpu_only_cells(evidence.plan, evidence.manifests))
    (fold,) = [one for one in found.folds if "GPU" in one.words]
    assert {line.key["device"] for line in fold.lines} == {"gpu"}
    assert "19" in {line.printed for line in fold.lines}
    assert all(line.key["device"] != "gpu" for line in found.kept)


def test_failures_and_measurements_never_fold() -> None:
    lines = [
        a_line(measured=None, state="oom: 8 GiB", cells=["a"]),
        a_line(measured=None, state="crashed: segfault", cells=["b"]),
        a_line(measured=None, state="unsupported: needs AVX-512", cells=["c"]),
        a_line(cells=["gpu1"]),
        *(a_line(measured=None, state="not run", cells=[f"n{n}"]) for n in range(3)),
        *(a_line(measured=None, state="no such cell", cells=[]) for _ in range(2)),
    ]
    found = folded(lines, {"gpu1"})
    assert found.kept == [*lines[:4], *lines[7:]]
    assert [fold.words for fold in found.folds] == ["3 rows not run"]


def test_no_flag_is_hidden(page: str) -> None:
    text = text_of(page)
    assert "What was flagged busy-machine 1 cell: other processes" in text
    assert "· ok · flags: busy-machine" in text
    assert re.search(r"C10 .* flags: busy-machine", text)


def test_a_figure_is_drawn_from_the_definition_of_the_study() -> None:
    parts = {part.id: part for part in figure_parts(a_run())}
    assert list(parts) == ["figure3", "figure4"]
    assert parts["figure3"].panels == []
    assert parts["figure3"].notes[-1] == "nothing that it shows was measured in this run"
    latency = parts["figure4"]
    assert latency.title == "Inference latency of a sample (Figure 4, section V)"
    ((name, chart),) = latency.panels
    assert name == "pytorch"
    assert chart.about == (
        "Inference latency of a sample, pytorch: measured, 3 values from 10.15 to 40.60 ms"
    )
    values = {row["along"]: row for row in chart.spec["data"]["values"]}
    assert list(values) == ["float32", "ptq-eager", "ptq-fx"]
    assert values["float32"]["value"] == pytest.approx(40.6)
    assert values["float32"]["low"] < 40.6 < values["float32"]["high"]
    assert values["ptq-fx"]["flags"] == "busy-machine" and values["ptq-fx"]["pale"]
    assert latency.flags == ["busy-machine"]
    scales = [layer["encoding"]["x"].get("scale", {}) for layer in chart.spec["layer"]]
    assert "log" in {scale.get("type") for scale in scales}


def test_published_points_stand_beside_measured_ones() -> None:
    cell = a_cell(
        study="shafique2023", framework="tensorflow", task="infer", technique="keras-predict",
        model="vgg16", image_size=48, batch_size=8, dataset="cifar10",
    )  # fmt: skip
    plan = a_plan(cell)
    evidence = gather(STUDIES / "shafique2023", plan, [measured(cell, metric("latency_s", 0.1))])
    parts = {part.id: part for part in figure_parts(evidence)}
    names = [name for name, _ in parts["figure12"].panels]
    assert names == ["vgg16", "resnet50", "mobilenet-v1"]
    rows = parts["figure12"].panels[0][1].spec["data"]["values"]
    assert {row["source"] for row in rows} == {"published"}
    (int8,) = [row for row in rows if row["line"] == "TF-TRT INT8" and row["along"] == "8"]
    assert int8["value"] == pytest.approx(39.3 / 1.2)
    (rate,) = [
        row for row in parts["figure14"].panels[0][1].spec["data"]["values"]
        if row["line"] == "TF-TRT INT8" and row["along"] == "8"
    ]  # fmt: skip
    assert rate["value"] == pytest.approx(5455 / 204)


def test_a_ladder_is_a_chart_on_a_logarithmic_scale_with_intervals() -> None:
    parts = ladder(a_run())
    charts = ladder_charts(parts)
    assert list(charts) == ["measured, rigorous"]
    spec = charts["measured, rigorous"].spec
    rows = {(row["what"], row["part"]): row for row in spec["data"]["values"]}
    int8 = rows["ptq-eager", "precision"]
    assert int8["times"] == pytest.approx(4.0) and int8["baseline"] == "float32"
    assert int8["low"] < 4.0 < int8["high"]
    assert int8 == {**rows["ptq-eager", "whole speedup"], "part": "precision"}
    assert rows["ptq-fx", "precision"]["pale"] and not int8["pale"]
    (marks,) = [layer for layer in spec["layer"] if layer["mark"]["type"] == "point"]
    assert marks["encoding"]["x"]["scale"]["type"] == "log"
    assert marks["encoding"]["x"]["title"] == [
        "times as fast", "resnet18 32 px batch 1 pytorch cpu",
    ]  # fmt: skip
    assert "rule" in {layer["mark"]["type"] for layer in spec["layer"] if "x2" in layer["encoding"]}


def test_no_names_of_fields_can_be_read(page: str) -> None:
    text = text_of(page)
    fields = [name for name in (*METRICS, *SELECTABLE) if "_" in name]
    assert [name for name in fields if re.search(rf"\b{name}\b", text)] == []


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("cpu_percent", "cpu (%)"),
        ("gpus/0/power_w", "gpus 0 power (W)"),
        ("memory_bytes", "memory (bytes)"),
        ("load", "load"),
    ],
)
def test_a_reading_has_its_unit_in_parentheses(name: str, told: str) -> None:
    assert reading_words(name) == told


def test_the_first_page_comes_before_tables_ladders_figures_and_claims(page: str) -> None:
    places = [page.index(f'<section id="{name}"') for name in (
        "summary", "tables", "ladder", "figures", "claims", "audit", "environment", "cells",
    )]  # fmt: skip
    assert places == sorted(places)


def test_the_first_page_has_the_sentence_then_where_then_what_differs_then_claims(
    page: str,
) -> None:
    first = text_of(page[page.index('<section id="summary"') : page.index('<section id="tables"')])
    told = [
        "Where and how it was measured measured 2024-05-01 12:00 UTC",
        "What differs from the paper", "data digits (paper: cifar10)",
        "recipe tier quick (paper: tier paper)", "What was flagged", "C1 Quantization shrinks",
    ]  # fmt: skip
    places = [first.find(words) for words in told]
    assert -1 not in places, first
    assert places == sorted(places)
    assert first.startswith("15 of 16 claims were not measured, 1 can't be tested.")


def test_the_same_run_gives_the_same_bytes(page: str) -> None:
    assert render_page(ReportInput(a_run(), audit(STUDIES / "lad2023"), "", "")) == page
