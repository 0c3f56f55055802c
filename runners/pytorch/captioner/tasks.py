"""The captioner's cells in PyTorch: trained in float32, then quantized by each technique.

lad2023, section II-A. Timed region: every optimizer step and epoch; calibration; conversion; one
call with every word of a batch's captions.
"""

from __future__ import annotations

from typing import Any, Callable, FrozenSet, Optional, Sequence

import torch
from torch import nn

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
from runners.pytorch.captioner import calling, ways
from runners.pytorch.captioner.network import CaptionerModule, arrays_of, load_arrays
from runners.pytorch.parts import compiled, eager
from runners.pytorch.parts.models import save_model
from runners.pytorch.parts.steps import begin_on_cpu
from runners.quality import SIMULATED_TRAINING

_FEW = 16
"""Pictures that a step of the search calibrates with."""
MODEL_FILE = "model.pt2"


def task(cell: Cell) -> Callable[[Job], None]:
    """What runs the cell's task. Raises Unsupported for a technique that has no captioner."""
    return task_of(cell, "PyTorch", ways.WAYS, train, quantize)


def train(job: Job) -> None:
    """Train the float network from seeded initial weights, test and keep it."""
    begin_on_cpu(job)
    recipe = job.recipe(TrainCaptionerRecipe)
    model = _trained(job, recipe, network_of(job.data))
    job.record("parameters", [sum(weight.numel() for weight in model.parameters())])
    save_model(job, model)
    job.neutral_weights(arrays_of(model))
    _finish(job, model, recipe, "float32")


def _trained(job: Job, recipe: TrainCaptionerRecipe, network: Captioner) -> CaptionerModule:
    with job.phase("build"):
        torch.manual_seed(job.cell.seed)
        model = CaptionerModule(network)
        load_arrays(model, initial_arrays(network, job.cell.seed))
    train_captions(job, recipe, calling.step_function(model, recipe.learning_rate))
    model.eval()
    return model


def quantize(job: Job) -> None:
    """Try the whole network, or find what has to stay in float and quantize the rest."""
    begin_on_cpu(job)
    eager.quiet()
    aware = job.cell.task == "train"
    recipe: Any = job.recipe(TrainCaptionerRecipe if aware else QuantizeCaptionerRecipe)
    choice = float_sets.chosen(job, recipe, lambda kept, removed: _attempt(job, kept, removed))
    anew = _trained_anew(job, recipe, choice.removed) if choice.removed else None
    if aware:
        job.flag(SIMULATED_TRAINING)
    with float_sets.refused_by("torch"):
        setting = _setting(job, recipe, choice.removed, anew)
        made = ways.WAYS[job.cell.technique](setting, choice.kept)
        model = _compiled(job, made.model) if made.compiled else made.model
        calling.answering(model)(*_batch(job))
    float_sets.record(job, made.in_float, choice)
    _save(job, made)
    by_inputs = made.compiled or job.cell.technique == "int8-torchao"
    _finish(job, model, recipe, "int8", by_inputs, anew)


def _trained_anew(job: Job, recipe: Any, removed: Sequence[str]) -> Retrained:
    """The float network without what is refused, judged as every other."""
    network = without(network_of(job.data), removed)
    model = _trained(job, retraining.recipe(job), network)
    answer = calling.answering(model)
    answered = evaluation.judge(job, answer, recipe.test_images, retraining.LABEL)
    return Retrained(arrays_of(model), answered)


def _finish(
    job: Job,
    model: Any,
    recipe: Any,
    promised: str,
    by_inputs: bool = False,
    anew: Optional[Retrained] = None,
) -> None:
    compared = anew.answered if anew else None
    evaluation.evaluate(job, calling.answering(model), recipe.test_images, compared)
    inputs = calling.placed(*_batch(job))

    def call() -> Any:
        with torch.no_grad():
            return model(*inputs)

    evaluation.time_calls(job, call, recipe.timed_calls)
    prove = calling.prove_by_inputs if by_inputs else calling.prove_by_operators
    job.proof = prove(call, promised)


def _batch(job: Job) -> Any:
    """Pictures and words of one batch of the cell's size."""
    part = job.data.test(job.cell.batch_size)
    return evaluation.one_batch(job, job.data.normalise(part.images), first_captions(part).read)


def _attempt(job: Job, kept: FrozenSet[str], removed: Sequence[str]) -> Sequence[str]:
    """A step of the search: a few pictures calibrate, nothing is trained, and a batch is run."""
    torch.set_num_threads(job.threads)
    made = ways.WAYS[job.cell.technique](_few(job, removed), kept)
    calling.answering(made.model)(*_batch(job))
    return made.in_float


def _few(job: Job, removed: Sequence[str]) -> ways.Setting:
    def show(model: nn.Module) -> None:
        part = job.data.train(_FEW, job.cell.seed)
        with torch.no_grad():
            pictures, read = job.data.normalise(part.images), first_captions(part).read
            # An exported graph takes batches of the cell's size alone.
            model(*calling.placed(*evaluation.one_batch(job, pictures, read)))

    example = calling.placed(*_batch(job))
    network = without(network_of(job.data), removed)
    arrays = of_network(network, job.weights.arrays())
    return ways.Setting(network, arrays, example, show, show, unannounced, "minmax")


def _setting(
    job: Job, recipe: Any, removed: Sequence[str], anew: Optional[Retrained]
) -> ways.Setting:
    """The same with as many pictures as the recipe says, and weights that belong to the network."""

    def calibrate(model: nn.Module) -> None:
        part = job.data.calibration(recipe.calibration_images, job.cell.seed)
        with job.phase("calibrate"), torch.no_grad():
            for pictures, words in evaluation.batches(job, part):
                model(*calling.placed(pictures, words))
        job.record("calibration_s", [job.last_phase_s("calibrate")], items=len(part.labels))

    def take_steps(model: nn.Module) -> None:
        train_captions(job, recipe, calling.step_function(model, recipe.learning_rate))

    few = _few(job, removed)
    if anew is not None:
        few = few._replace(arrays=anew.arrays)
    return few._replace(calibrate=calibrate, train=take_steps, phase=job.phase, observer="")


def _compiled(job: Job, model: Any) -> Any:
    """By Inductor, its weights frozen into the code."""
    import torch._inductor.config as inductor

    compiled.need_compiler(torch.device("cpu"))
    inductor.freezing = True
    job.settings["torch._inductor.config.freezing"] = "True"
    made = torch.compile(model, dynamic=False)
    with job.phase("compile"), torch.no_grad():
        made(*calling.placed(*_batch(job)))
    return made


def _save(job: Job, made: ways.Quantized) -> None:
    job.record("convert_s", [job.last_phase_s("convert")])
    if not made.compiled:
        save_model(job, made.model)
        return
    with job.phase("save"), torch.no_grad():
        program = torch.export.export(made.model, calling.placed(*_batch(job)))
        torch.export.save(program, job.folder / MODEL_FILE)
    job.artifact(MODEL_FILE, "torch exported program")
    job.record(
        "model_size_bytes", [job.artifacts[-1].size_bytes], source="exported program on disk"
    )
