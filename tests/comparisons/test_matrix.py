"""The support matrix: derived from manifests, filtered, and never more sure than they are."""

from __future__ import annotations

import csv
import io
from typing import Any

import msgspec

from comparisons.matrix import (
    Column,
    Matrix,
    begun,
    chosen,
    counts,
    names,
    support_matrix,
    works_in,
)
from comparisons.render.matrix import (
    as_csv,
    as_html,
    as_json,
    as_markdown,
    html_table,
    legend,
    list_row,
    sign,
)
from manifests.manifest import Manifest
from manifests.plan import PlannedCell
from manifests.probe_record import Probe
from tests.manifests.samples import a_cell, a_manifest

FX = Column("pytorch", "ptq-fx", "", "cpu")
TFLITE = Column("tensorflow", "ptq-tflite", "", "cpu")
REFUSED = Probe(outcome="refused", words="'tf.TensorListReserve' op <needs> =it", stage="convert")
INT8 = Probe(outcome="int8", promised="int8", own={"int8": {"lstm": 1}}, sqnr_db=24.04, images=64)


def planned(feature: str, column: Column) -> PlannedCell:
    cell = a_cell(
        task="probe", feature=feature, framework=column.framework, technique=column.technique,
        model="none",
    )  # fmt: skip
    return PlannedCell(
        id=cell.id, cell=cell, image="i", needs=[], estimate_s=1.0, study_estimate_s=1.0,
        estimate_source="", timeout_s=60.0,
    )  # fmt: skip


def found(item: PlannedCell, probe: Probe | None = None, **changes: Any) -> Manifest:
    return a_manifest(item.cell, probe=probe, **changes)


def a_matrix() -> Matrix:
    cells = [planned(name, column) for column in (FX, TFLITE) for name in ("conv2d", "gru", "lstm")]
    manifests = [
        found(cells[0], INT8),
        found(cells[1], status="crashed", reason="ended by SIGSEGV"),
        found(cells[2], INT8),
        found(cells[3], INT8),
        found(cells[5], REFUSED),
    ]
    return support_matrix(cells, manifests)


def test_each_outcome_comes_from_its_manifest() -> None:
    matrix = a_matrix()

    outcomes = {(name, c.technique): entry.outcome for (name, c), entry in matrix.entries.items()}
    assert outcomes == {
        ("conv2d", "ptq-fx"): "int8", ("gru", "ptq-fx"): "crashed", ("lstm", "ptq-fx"): "int8",
        ("conv2d", "ptq-tflite"): "int8", ("gru", "ptq-tflite"): "",
        ("lstm", "ptq-tflite"): "refused",
    }  # fmt: skip
    assert (matrix.filled, len(matrix.entries)) == (5, 6)
    assert counts(matrix) == {"int8": 3, "crashed": 1, "refused": 1}
    assert matrix.features == ["conv2d", "lstm", "gru"]  # as manifests.features has them
    assert matrix.columns == [FX, TFLITE]


def test_what_cant_run_here_has_no_outcome() -> None:
    item = planned("lstm", FX)
    matrix = support_matrix([item], [found(item, status="unsupported", reason="needs a GPU")])

    entry = matrix.at("lstm", FX)
    assert entry is not None
    assert (entry.outcome, entry.words) == ("", "needs a GPU")
    assert begun(matrix).entries == {}


def test_what_is_no_probe_is_left_out() -> None:
    item = planned("lstm", FX)
    other = msgspec.structs.replace(item, cell=a_cell(), id=a_cell().id)

    assert len(support_matrix([item, other], []).entries) == 1


def test_features_that_work_in_one_and_not_in_the_other() -> None:
    matrix = a_matrix()

    assert works_in(matrix, "pytorch") - works_in(matrix, "tensorflow") == {"lstm"}
    assert works_in(matrix, "ptq-tflite") == {"conv2d"}
    assert names(matrix) == ["pytorch", "tensorflow", "ptq-fx", "ptq-tflite"]
    assert chosen(matrix, features=["lstm"], frameworks=["tensorflow"]).columns == [TFLITE]


def test_a_refusal_shows_the_frameworks_own_words() -> None:
    matrix = a_matrix()
    entry = matrix.at("lstm", TFLITE)
    assert entry is not None

    assert list_row(entry) == [
        "lstm", "tensorflow", "ptq-tflite", "refused", "", "'tf.TensorListReserve' op <needs> =it",
    ]  # fmt: skip
    works = matrix.at("lstm", FX)
    assert works is not None
    assert list_row(works)[3:] == ["int8", "24.0", "int8: lstm ×1"]


def test_signs_tell_every_outcome_apart() -> None:
    matrix = a_matrix()

    assert [sign(matrix.at("lstm", column)) for column in matrix.columns] == ["8", "×"]
    assert sign(matrix.at("gru", TFLITE)) == "?"
    assert sign(matrix.at("gelu", FX)) == ""
    assert "? 1 without an outcome" in legend(matrix)
    assert "× refused 1: the framework said no" in legend(matrix)


def test_as_data() -> None:
    matrix = a_matrix()
    rows = list(csv.DictReader(io.StringIO(as_csv(matrix))))
    plain = msgspec.json.decode(as_json(matrix))

    assert [(row["feature"], row["technique"], row["outcome"]) for row in rows][2] == (
        "lstm", "ptq-fx", "int8",
    )  # fmt: skip
    assert rows[3]["words"].startswith("''tf.Tensor") or rows[3]["words"].startswith("'tf.Tensor")
    assert plain[2]["ran"]["own"] == {"int8": {"lstm": 1}}
    assert plain[5]["outcome"] is None
    assert plain[0]["cell"] == matrix.entries["conv2d", FX].cell


def test_as_a_page_nothing_breaks_out_and_colour_never_stands_alone() -> None:
    page = as_html("Support <matrix>", a_matrix())

    assert "Support &lt;matrix&gt;" in page
    assert (
        '<td class="o-refused" title="&#x27;tf.TensorListReserve&#x27; op &lt;needs&gt; =it">'
        in page
    )
    assert "× refused" in page
    assert "manifest.json" not in page
    cell = a_matrix().entries["lstm", FX].cell
    assert f'href="../cells/{cell}/manifest.json"' in html_table(a_matrix(), "../")
    assert f'href="cells/{cell}/manifest.json"' in html_table(a_matrix(), "")


def test_as_markdown() -> None:
    text = as_markdown("Matrix", a_matrix())

    assert "| lstm | int8 | refused |" in text
    assert "| gru | crashed | not run |" in text
