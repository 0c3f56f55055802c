"""The captioner's cells in TensorFlow: trained in float32, then quantized by each technique.

lad2023, section II-A. Timed region: every optimizer step and epoch; conversion, with calibration
inside; ``invoke()`` of the LiteRT interpreter with every word of a batch's captions.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, FrozenSet, Iterator, Optional, Sequence

from manifests.cell import Cell
from runners.captions import evaluation, float_sets, retraining
from runners.captions.recipes import QuantizeCaptionerRecipe, TrainCaptionerRecipe
from runners.captions.retraining import Retrained
from runners.captions.tasks import task_of
from runners.captions.training import train_captions
from runners.captions.words import first_captions, network_of
from runners.job import Job
from runners.measure import unannounced
from runners.models.captioner import Captioner, initial_arrays, of_network, without
from runners.quality import SIMULATED_TRAINING
from runners.tensorflow.parts.setup import begin  # before anything that imports TensorFlow
from runners.tensorflow.captioner import calling, precisions, ways
from runners.tensorflow.captioner.network import arrays_of, build, load_arrays
from runners.tensorflow.parts import litert
from runners.tensorflow.parts.files import TFLITE_FILE, WEIGHTS_FILE, save_tflite
from runners.tensorflow.parts.graphs import compute_types, proof_of_types

_FEW = 2
"""Batches that a step of the search calibrates with."""
_CALIBRATED = "calibrated.tflite"

Array = Any


def task(cell: Cell) -> Callable[[Job], None]:
    """What runs the cell's task. Raises Unsupported for a technique that has no captioner."""
    return task_of(cell, "TensorFlow", ways.WAYS, train, quantize)


def train(job: Job) -> None:
    """Train the float network from seeded initial weights, test and keep it."""
    begin(job)
    recipe = job.recipe(TrainCaptionerRecipe)
    model = _trained(job, recipe, network_of(job.data))
    job.record("parameters", [model.count_params()])
    with job.phase("save"):
        model.save_weights(str(job.folder / WEIGHTS_FILE), save_format="h5")
    job.artifact(WEIGHTS_FILE, "keras weights")
    job.record("model_size_bytes", [job.artifacts[-1].size_bytes], source="weights file on disk")
    job.neutral_weights(arrays_of(model))
    answer = calling.answering(model)
    evaluation.evaluate(job, answer, recipe.test_images)
    pictures, words = _batch(job)
    evaluation.time_calls(job, lambda: answer(pictures, words), recipe.timed_calls)
    graph = answer_graph(model, pictures, words)
    job.proof = proof_of_types(compute_types(graph), "float32", "type attributes of the graph")


def _trained(job: Job, recipe: TrainCaptionerRecipe, network: Captioner) -> Any:
    with job.phase("build"):
        model = build(network)
        load_arrays(model, initial_arrays(network, job.cell.seed))
    train_captions(job, recipe, _stepping(job, model, recipe))
    return model


def answer_graph(model: Any, pictures: Array, words: Array) -> Any:
    """The graph of one call, as TensorFlow writes it down."""
    import tensorflow as tf

    traced = tf.function(lambda *inputs: model(list(inputs), training=False))
    specs = (tf.TensorSpec(pictures.shape, tf.float32), tf.TensorSpec(words.shape, tf.int32))
    return traced.get_concrete_function(*specs).graph.as_graph_def()


def quantize(job: Job) -> None:
    """Try the whole network, or find what has to stay in float and quantize the rest."""
    begin(job)
    aware = job.cell.task == "train"
    recipe: Any = job.recipe(TrainCaptionerRecipe if aware else QuantizeCaptionerRecipe)
    choice = float_sets.chosen(job, recipe, lambda kept, removed: _attempt(job, kept, removed))
    for calibrated in job.folder.glob(f"*{_CALIBRATED}"):
        calibrated.unlink()
    anew = _trained_anew(job, recipe, choice.removed) if choice.removed else None
    way = ways.WAYS[job.cell.technique]
    if aware:
        job.flag(SIMULATED_TRAINING)
    with float_sets.refused_by("TensorFlow"):
        content = way.make(_setting(job, recipe, choice.removed, anew), choice.kept)
        file = calling.File(content, job.threads)
        file.answer(*_batch(job))
    job.record("convert_s", [job.last_phase_s("convert")])
    float_sets.record(job, _in_float(job, file, choice.kept), choice)
    save_tflite(job, content)
    compared = anew.answered if anew else None
    evaluation.evaluate(job, file.answer, recipe.test_images, compared)
    file.place(*_batch(job))
    evaluation.time_calls(job, file.call, recipe.timed_calls)
    job.proof = litert.prove(job.folder / TFLITE_FILE, way.promised)


def _trained_anew(job: Job, recipe: Any, removed: Sequence[str]) -> Retrained:
    """The float network without what is refused, judged as every other."""
    network = without(network_of(job.data), removed)
    model = _trained(job, retraining.recipe(job), network)
    answer = calling.answering(model)
    answered = evaluation.judge(job, answer, recipe.test_images, retraining.LABEL)
    return Retrained(arrays_of(model), answered)


def _in_float(job: Job, file: calling.File, kept: FrozenSet[str]) -> Sequence[str]:
    promised = precisions.PROMISED[ways.WAYS[job.cell.technique].promised]
    network = network_of(job.data)
    found = precisions.float_layers(file.interpreter, network, promised)
    return precisions.components(network, found, kept)


def _batch(job: Job) -> Any:
    """Pictures and words of one batch of the cell's size."""
    part = job.data.test(job.cell.batch_size)
    return evaluation.one_batch(job, job.data.normalise(part.images), first_captions(part).read)


def _attempt(job: Job, kept: FrozenSet[str], removed: Sequence[str]) -> Sequence[str]:
    """A step of the search: a few pictures calibrate, nothing is trained, and a batch is run."""
    content = ways.WAYS[job.cell.technique].make(_few(job, removed), kept)
    file = calling.File(content, job.threads)
    file.answer(*_batch(job))
    return _in_float(job, file, kept)


def _untrained(model: Any) -> None:
    """What is refused is refused before training: a step of the search does without."""


def _few(job: Job, removed: Sequence[str]) -> ways.Setting:
    batch = job.cell.batch_size
    network = without(network_of(job.data), removed)

    def shown() -> Iterator[Dict[str, Array]]:
        part = job.data.train(_FEW * batch, job.cell.seed)
        yield from _named(evaluation.batches(job, part))

    return ways.Setting(
        network, of_network(network, job.weights.arrays()), batch, shown, _untrained, unannounced,
        job.folder / "-".join([*network.removed, _CALIBRATED]),
    )  # fmt: skip


def _named(batches: Iterator[Any]) -> Iterator[Dict[str, Array]]:
    for pictures, words in batches:
        yield {"pictures": pictures, "words": words.astype("int32")}


def _setting(
    job: Job, recipe: Any, removed: Sequence[str], anew: Optional[Retrained]
) -> ways.Setting:
    """The same with as many pictures as the recipe says, and weights that belong to the network."""

    def shown() -> Iterator[Dict[str, Array]]:
        part = job.data.calibration(recipe.calibration_images, job.cell.seed)
        with job.phase("calibrate"):
            yield from _named(evaluation.batches(job, part))
        job.record("calibration_s", [job.last_phase_s("calibrate")], items=len(part.labels))

    def take_steps(model: Any) -> None:
        train_captions(job, recipe, _stepping(job, model, recipe))

    few = _few(job, removed)
    if anew is not None:
        few = few._replace(arrays=anew.arrays)
    return few._replace(shown=shown, train=take_steps, phase=job.phase, calibrated=None)


def _stepping(job: Job, model: Any, recipe: TrainCaptionerRecipe) -> Any:
    return calling.step_function(model, recipe, job.cell.batch_size, job.cell.image_size)
