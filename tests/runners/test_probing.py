"""How a probe decides: by what ran and by what was answered, whatever a technique says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manifests.probe_record import Probe
from runners.failures import NothingQuantized, Unsupported
from runners.job import Job
from runners.precision_proof import Operation
from runners.probing import ELSE, Framework, probe
from runners.session import Session
from tests.runners.samples import a_job, a_pack

_WEIGHTS = np.random.default_rng(1).normal(size=(8 * 8 * 3, 10)).astype(np.float32)
CONV = Operation("conv int8", "int8", 2)
IN_INT8 = [CONV, Operation("lstm", "int8", 1)]
IN_FLOAT = [CONV, Operation("lstm", "float32", 1)]


def float_answers(images: Any) -> Any:
    return images.reshape(len(images), -1) @ _WEIGHTS


def framework(operations: list[Operation]) -> Framework:
    return Framework(
        expected=lambda job, images: float_answers(images),
        operations=lambda job, images: operations,
        own={"lstm": rf"lstm{ELSE}cell"},
        otherwise="conv",
        computing="conv|product",
        source="a list",
    )


def technique(answer: Any = float_answers, promised: str = "int8") -> Any:
    """A technique that says of itself that it computes in the type ``promised``."""

    def make(job: Job) -> None:
        with job.phase("convert"):
            pass
        job.session = Session(
            lambda images: images,
            answer,
            lambda found: found.argmax(1),
            outputs=lambda found: found,
        )
        assert job.promises(promised, job.session)

    return make


def failing(error: Exception) -> Any:
    def make(job: Job) -> None:
        with job.phase("convert"):
            raise_from_outside(error)

    return make


def raise_from_outside(error: Exception) -> None:
    """As a framework's own code does, whose file isn't one of ours."""
    code = compile("raise error", "/elsewhere/framework.py", "exec")
    exec(code, {"error": error})


def probed(folder: Path, make: Any, operations: list[Operation], **changes: Any) -> Probe:
    fields = {"task": "probe", "feature": "lstm", "model": "none", **changes}
    job = a_job(folder, a_pack(folder / "pack"), **fields)
    probe(job, make, framework(operations))
    assert job.probe is not None
    return job.probe


def rounded(images: Any) -> Any:
    """What 8 bits make of the answers."""
    found = float_answers(images)
    step = np.abs(found).max() / 127
    return np.round(found / step) * step


def test_an_operation_in_int8_is_int8(tmp_path: Path) -> None:
    found = probed(tmp_path, technique(rounded), IN_INT8)

    assert found.outcome == "int8"
    assert found.own == {"int8": {"lstm": 1}}
    assert found.others == {"int8": {"conv int8": 2}}
    assert found.sqnr_db is not None
    assert found.sqnr_db > 10
    assert found.limit_db == 6.0
    assert found.images == 12


def test_a_technique_that_leaves_the_feature_in_float_and_says_int8_is_found(
    tmp_path: Path,
) -> None:
    found = probed(tmp_path, technique(rounded), IN_FLOAT)

    assert found.outcome == "mixed"
    assert found.own == {"float32": {"lstm": 1}}


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda images: -float_answers(images), id="another sign"),
        pytest.param(lambda images: float_answers(images)[:, ::-1], id="other classes"),
        pytest.param(lambda images: np.tile(float_answers(images[:1]), (len(images), 1)), id="one"),
        pytest.param(lambda images: 0 * float_answers(images), id="zeros"),
        pytest.param(lambda images: float_answers(images) * np.nan, id="nan"),
        pytest.param(lambda images: float_answers(images)[:, :9], id="fewer classes"),
    ],
)
def test_one_that_answers_something_else_is_found(tmp_path: Path, answer: Any) -> None:
    assert probed(tmp_path, technique(answer), IN_INT8).outcome == "wrong"


def test_what_was_folded_into_its_neighbours_is_judged_by_them(tmp_path: Path) -> None:
    found = probed(tmp_path, technique(), [CONV])
    assert (found.outcome, found.folded) == ("int8", True)

    (tmp_path / "b").mkdir()
    mixed = probed(tmp_path / "b", technique(), [CONV, Operation("product", "float32", 1)])
    assert (mixed.outcome, mixed.folded) == ("mixed", True)


def test_the_second_name_of_a_feature_counts_where_the_first_finds_nothing(tmp_path: Path) -> None:
    found = probed(tmp_path, technique(), [CONV, Operation("cell", "float32", 3)])

    assert (found.outcome, found.folded) == ("mixed", False)


@pytest.mark.parametrize(
    ("promised", "kind", "outcome"),
    [
        ("hybrid int8", "hybrid int8", "int8"),
        ("int16x8", "int16", "int16x8"),
        ("bfloat16", "bfloat16", "bfloat16"),
        ("bfloat16", "float32", "mixed"),
        ("float16", "float32 from float16 weights", "mixed"),
        ("int8", "simulated int8", "simulated"),
    ],
)
def test_the_word_is_that_of_the_type(
    tmp_path: Path, promised: str, kind: str, outcome: str
) -> None:
    operations = [Operation("lstm", kind, 1)]
    assert probed(tmp_path, technique(promised=promised), operations).outcome == outcome


def test_a_refusal_keeps_the_frameworks_words_and_where_it_came(tmp_path: Path) -> None:
    error = RuntimeError("\nCould not run 'aten::add' in /usr/lib/python/site/x.py\nsecond line")
    found = probed(tmp_path, failing(error), [])

    assert found.outcome == "refused"
    assert found.words == "RuntimeError: Could not run 'aten::add' in x.py"
    assert found.stage == "convert"


def test_a_model_in_which_nothing_is_quantized_is_mixed_not_refused(tmp_path: Path) -> None:
    found = probed(tmp_path, failing(NothingQuantized("returned unchanged")), [])

    assert (found.outcome, found.words) == ("mixed", "returned unchanged")


def test_a_mistake_of_ours_is_no_refusal(tmp_path: Path) -> None:
    """A task of a technique that wasn't given its weights, which our own code says."""

    def make(job: Job) -> None:
        _ = job.weights

    with pytest.raises(ValueError, match="starts from weights"):
        probed(tmp_path, make, [])


def test_what_this_machine_cant_run_is_no_outcome(tmp_path: Path) -> None:
    def make(job: Job) -> None:
        raise Unsupported("needs an NVIDIA GPU")

    with pytest.raises(Unsupported, match="NVIDIA"):
        probed(tmp_path, make, [])


def test_an_unknown_feature_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match="Did you mean 'lstm'"):
        probed(tmp_path, technique(), [], feature="lstn")


def test_a_recipe_of_all_tasks_gives_each_what_it_reads(tmp_path: Path) -> None:
    from runners.inference import QuantizeRecipe

    recipe = {"calibration_images": 8, "test_images": 4, "epochs": 1}
    job = a_job(tmp_path, task="probe", feature="lstm", recipe=recipe)

    assert job.recipe(QuantizeRecipe) == QuantizeRecipe(calibration_images=8, test_images=4)


def test_the_layers_around_a_feature_of_their_kind_are_not_judged(tmp_path: Path) -> None:
    """A converter that leaves layers with few weights in float, as the first one."""
    kinds = ["float32", "int8", "float32"]
    operations = [Operation("conv", kind, 1) for kind in kinds]
    found = probed(tmp_path, technique(), operations, feature="conv2d")

    assert (found.outcome, found.own) == ("int8", {"int8": {"conv": 1}})
    assert found.others == {"float32": {"conv": 2}}
