"""Compiling for a device in a precision that is named, and calling what came out."""

from __future__ import annotations

from typing import Any

import numpy as np
import openvino

from runners.fidelity import INT8_PROBABILITIES, LOGITS, PROBABILITIES
from runners.inference import Array, Session
from runners.job import Job
from runners.model_file import in_layout
from runners.openvino.parts import device, networks
from runners.openvino.parts.affine import entry_affine, exit_affine, producer
from runners.openvino.parts.refusals import refusals_of

Compiled = Any  # openvino.CompiledModel


def compiled(job: Job, network: Any, hint: str, counted: bool = False) -> Compiled:
    """``network`` for batches of the cell's size on its device; records how that was set.

    ``hint`` is what it computes in where it isn't INT8 by itself. ``counted`` turns on the
    plug-in's counters, which cost time. Raises Unsupported.
    """
    core = openvino.Core()
    name = device.device_of(job, core)
    networks.fix_shape(network, job.cell.batch_size, job.cell.image_size)
    with refusals_of(f"OpenVINO refuses to compile for {name}"):
        made = core.compile_model(network, name, device.settings(job, hint, counted))
    if not counted:
        job.settings.update(device.effective(made))
    return made


def session(network: Any, made: Compiled) -> Session:
    """``place`` writes into the request's own tensor; ``call`` is ``infer()`` alone, and its answer
    stays there. ``made`` was compiled from ``network``.
    """
    request = made.create_infer_request()
    entry, exit_ = entry_affine(network), exit_affine(network)

    def place(images: Array) -> Any:
        values = in_layout(images, list(request.get_input_tensor().shape))
        request.get_input_tensor().data[:] = entry.quantized(values) if entry else values
        return request

    def call(placed: Any) -> Any:
        placed.infer(share_outputs=True)
        return placed

    def classes(done: Any) -> Array:
        return done.get_output_tensor().data.argmax(1)

    def outputs(done: Any) -> Array:
        values = done.get_output_tensor().data
        return exit_.dequantized(values) if exit_ else np.array(values, np.float32)

    kind = _kind(network, exit_ is not None)
    return Session(place, call, classes, fixed_batch=True, outputs=outputs, kind=kind)


def _kind(network: Any, in_steps: bool) -> str:
    """Probabilities where the answer comes from a softmax, else logits."""
    if producer(network).get_type_name() != "Softmax":
        return LOGITS
    return INT8_PROBABILITIES if in_steps else PROBABILITIES
