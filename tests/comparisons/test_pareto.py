"""The Pareto front: nothing on it is beaten, all else is, and what isn't compared says why."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.pareto_tables import print_pareto
from comparisons.pareto import ITSELF, NOT_TIMED, Network, Place, on_front, preferred
from comparisons.points import Points
from comparisons.render import pareto as words
from comparisons.report.pareto_charts import pareto_chart
from comparisons.ways_to_run import networks
from manifests.cell import Cell
from manifests.fidelity_summary import Fidelity
from manifests.manifest import Flag, Manifest, Proof
from tests.comparisons.samples import a_plan, measured, metric
from tests.conftest import Workshop
from tests.manifests.samples import a_cell

PLACES = st.builds(Place, st.sampled_from([0.5, 1, 2, 3, 5, 8]) | st.floats(0.01, 1e4),
                   st.sampled_from([0, 90, 95, 97.5, 100]) | st.floats(0, 100))  # fmt: skip


@given(st.lists(PLACES, max_size=30))
def test_nothing_on_the_front_is_beaten_and_everything_else_is(places: list[Place]) -> None:
    marks = on_front(places)
    front = [place for place, mark in zip(places, marks, strict=True) if mark]
    assert not any(one.beats(other) for one in places for other in front)
    for place, mark in zip(places, marks, strict=True):
        assert mark or any(one.beats(place) for one in front)
    assert bool(front) == bool(places)


def test_a_front_by_hand() -> None:
    places = [Place(1, 90), Place(2, 95), Place(2, 94), Place(3, 95), Place(9, 99), Place(1, 90)]
    assert on_front(places) == [True, True, False, False, True, True]
    assert Place(1, 90).beats(Place(2, 90)) and Place(2, 95).beats(Place(2, 94))
    assert not Place(1, 90).beats(Place(1, 90)) and not Place(1, 90).beats(Place(2, 95))


TRAINED = a_cell(task="train", technique="float32", batch_size=64)


def made(framework: str, technique: str, **fields: Any) -> Cell:
    return a_cell(
        task="quantize", framework=framework, technique=technique, batch_size=1,
        weights_from=TRAINED.id, **fields,
    )  # fmt: skip


def called(model: Cell, batch: int = 1, **fields: Any) -> Cell:
    own = {"framework": model.framework, "technique": model.technique, **fields}
    return a_cell(task="infer", batch_size=batch, weights_from=model.id, **own)


def of_model(cell: Cell, accuracy: float, agreement: float | None = None, **more: Any) -> Manifest:
    found = [metric("accuracy", accuracy)]
    found += [metric("agreement", agreement)] if agreement is not None else []
    parent = Fidelity(parent=TRAINED.id) if agreement is not None else None
    return measured(cell, *found, fidelity=parent, **more)


def timed(cell: Cell, latency_ms: float, **more: Any) -> Manifest:
    return measured(cell, metric("latency_s", latency_ms / 1e3), **more)


def judged(*manifests: Manifest, unmeasured: tuple[Cell, ...] = ()) -> list[Network]:
    plan = a_plan(*(one.cell for one in manifests), *unmeasured)
    return networks(Points(plan.cells, manifests))


ORT, VINO, LITE = (
    made(name, "ptq") for name in ("onnxruntime", "openvino", "tensorflow")
)  # one network's INT8 models
RUN = [
    measured(TRAINED, metric("accuracy", 0.95)),
    timed(called(TRAINED), 9.0),
    of_model(ORT, 0.94, 0.98), timed(called(ORT), 2.0),
    of_model(VINO, 0.93, 0.99), timed(called(VINO), 1.0),
    of_model(LITE, 0.93, 0.97), timed(called(LITE), 3.0),
]  # fmt: skip


def by(found: list[Network], quality: str) -> Network:
    (one,) = [network for network in found if network.by == quality]
    return one


def test_all_toolchains_of_a_network_are_compared_by_accuracy_and_by_agreement() -> None:
    found = judged(*RUN)
    accuracy, agreement = by(found, "accuracy"), by(found, "agreement")
    assert [way.title for way in accuracy.front] == [
        "openvino ptq", "onnxruntime ptq", "pytorch float32",
    ]  # fmt: skip
    assert [(way.title, way.beaten_by) for way in accuracy.ways[3:]] == [
        ("tensorflow ptq", "onnxruntime ptq")
    ]
    assert [way.title for way in agreement.front] == ["openvino ptq", "pytorch float32"]
    assert agreement.front[1].quality.work == ITSELF
    assert words.quality(agreement.front[1], "agreement") == "itself"
    assert preferred(found) == [accuracy]


def test_batch_sizes_are_networks_of_their_own() -> None:
    more = [timed(called(ORT, 32), 40.0), timed(called(VINO, 32), 50.0)]
    found = preferred(judged(*RUN, *more))
    assert [(one.key["batch_size"], len(one.ways)) for one in found] == [("1", 4), ("32", 2)]
    assert [way.title for way in found[1].front] == ["onnxruntime ptq"]


def test_processes_of_a_way_give_their_median() -> None:
    again = [timed(called(VINO, repeat=n), ms) for n, ms in ((1, 5.0), (2, 7.0))]
    (way,) = [w for w in by(judged(*RUN, *again), "accuracy").ways if w.framework == "openvino"]
    assert way.latency.value == pytest.approx(5.0) and way.latency.n == 3
    assert way.beaten_by == "onnxruntime ptq"


def test_a_disturbed_process_is_left_out_where_others_are_not() -> None:
    busy = [Flag(name="busy-machine", detail="")]
    again = timed(called(VINO, repeat=1), 50.0, flags=busy)
    (way,) = [w for w in by(judged(*RUN, again), "accuracy").ways if w.framework == "openvino"]
    assert (way.front, way.latency.value, way.latency.n) == (True, pytest.approx(1.0), 1)
    assert words.remark(way) == "1 process left out: disturbed"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"status": "crashed", "reason": "signal 11"}, "crashed: signal 11"),
        ({"flags": [Flag(name="busy-machine", detail="")]}, "flagged: busy-machine"),
    ],
)
def test_what_failed_or_was_disturbed_is_not_on_the_front(change: Any, why: str) -> None:
    disturbed = "flags" in change
    fast = made("onnxruntime", "fastest")
    found = judged(*RUN, of_model(fast, 0.99), timed(called(fast), 0.1, **change))
    (way,) = [w for w in by(found, "accuracy").ways if w.technique == "fastest"]
    assert (way.reason, way.front, way.place) == (why, False, None)
    assert by(found, "accuracy").ways[-1] == way
    assert words.remark(way) == why and (way.numbers is not None) == disturbed
    told = [f"onnxruntime fastest: {why}"]
    assert words.reasons(by(found, "accuracy")) == ([] if disturbed else told)


def test_a_model_made_for_timing_alone_is_judged_by_its_sibling_of_the_size_that_was_learned() -> (
    None
):
    asked = {"calibration_images": 128}
    large = made("onnxruntime", "static", image_size=64, recipe={**asked, "evaluate": False})
    silent = measured(large, metric("model_size_bytes", 5))
    small = of_model(made("onnxruntime", "static", recipe=asked), 0.96)
    other = of_model(made("onnxruntime", "static", recipe={"calibration_images": 8}), 0.1)
    found = by(judged(*RUN, silent, timed(called(large), 0.5), small, other), "accuracy")
    way, rest = (one for one in found.ways if one.technique == "static")
    assert rest.reason == NOT_TIMED
    assert (way.front, way.quality.value) == (True, pytest.approx(96))
    assert words.quality(way, "accuracy") == "96.00 % at 32 px"


def test_a_model_without_an_accuracy_and_one_that_nobody_timed_say_so() -> None:
    blind, still = made("onnxruntime", "blind"), made("onnxruntime", "ptq", variant="entropy")
    nothing = measured(blind, metric("accuracy", None, reason="nobody knows the labels"))
    found = judged(*RUN, nothing, timed(called(blind), 0.1), of_model(still, 0.99))
    reasons = {way.title: way.reason for way in by(found, "accuracy").ways if way.reason}
    assert reasons == {
        "onnxruntime blind": "no accuracy: nobody knows the labels",
        "onnxruntime ptq entropy": NOT_TIMED,
    }


def test_cells_that_were_not_run_are_listed() -> None:
    late = made("openvino", "late")
    found = judged(*RUN, unmeasured=(late, called(late)))
    assert by(found, "accuracy").ways[-1].reason == "not run"


def test_the_training_s_accuracy_is_that_of_float32_calls_alone() -> None:
    half = called(TRAINED, technique="compiled-bfloat16")
    whole = called(TRAINED, technique="compiled")
    proof = Proof(promised="float32", operations={}, coverage=1.0, fallback=[], source="")
    mixed = Proof(promised="bfloat16", operations={}, coverage=1.0, fallback=[], source="")
    found = judged(*RUN, timed(half, 0.5, proof=mixed), timed(whole, 0.7, proof=proof))
    ways = {way.technique: way for way in by(found, "accuracy").ways}
    assert ways["compiled"].front and ways["compiled"].quality.value == pytest.approx(95)
    assert ways["compiled-bfloat16"].quality.value is None and not ways["compiled-bfloat16"].front


def test_a_file_in_another_framework_s_kernels_has_answers_of_its_own() -> None:
    elsewhere = called(LITE, framework="openvino", technique="from-tflite-int8")
    found = by(judged(*RUN, timed(elsewhere, 0.1)), "accuracy")
    (way,) = [one for one in found.ways if one.technique == "from-tflite-int8"]
    assert way.quality.value is None and way.reason.startswith("no accuracy: ")


def test_one_way_alone_is_not_compared() -> None:
    assert judged(*RUN[:2]) == []
    assert judged() == []


def test_what_is_printed_has_reasons_below(capsys: pytest.CaptureFixture[str]) -> None:
    still = made("onnxruntime", "ptq", variant="entropy")
    print_pareto("lad2023", preferred(judged(*RUN, of_model(still, 0.99))))
    text = " ".join(capsys.readouterr().out.split())
    assert "accuracy against latency" in text and "9.000 ms" in text
    assert f"without a number: onnxruntime ptq entropy: {NOT_TIMED}" in text


def test_the_report_draws_each_way_and_names_the_front() -> None:
    network = by(judged(*RUN), "accuracy")
    chart = pareto_chart("pareto-0", network)
    rows = {(row["toolchain"], row["what"]): row for row in chart.spec["data"]["values"]}
    places = {name: row["place"] for name, row in rows.items()}
    assert places == {
        ("openvino", "ptq"): "on the front", ("onnxruntime", "ptq"): "on the front",
        ("pytorch", "float32"): "on the front", ("tensorflow", "ptq"): "beaten",
    }  # fmt: skip
    assert rows["tensorflow", "ptq"]["remark"] == "beaten by onnxruntime ptq"
    assert chart.about.endswith("Pareto front: openvino ptq, onnxruntime ptq, pytorch float32")
    assert chart.svg.startswith("<svg") and "onnxruntime" in chart.svg


@pytest.mark.cells
def test_the_command_prints_the_front_of_a_run(workshop: Workshop) -> None:
    workshop.run()
    told = json.loads(workshop("explain", "toy", "--pareto", "--json").stdout)
    assert isinstance(told, list)
    refused = workshop("explain", "toy", "--pareto", "--best", status=2).stderr
    assert "--pareto compares all that a run measured" in refused
    unknown = workshop("explain", "toy", "--by", "speed", status=2).stderr
    assert "accuracy" in unknown and "agreement" in unknown
