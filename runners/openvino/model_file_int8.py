"""A person's own .onnx or .tflite file quantized to INT8 by NNCF, with fast bias correction.

What isn't quantized computes in float32. Timed region: calibration; conversion with the correction
of biases; ``infer()``.
"""

from __future__ import annotations

from runners.failures import Unsupported
from runners.inference import QuantizeRecipe
from runners.job import Job
from runners.model_file import given_file, refused_by
from runners.openvino.parts import given_networks, networks, quantization


def quantize(job: Job) -> None:
    network = given_networks.given_network(job)
    if given_networks.precision_of(network) != "float32":
        raise Unsupported("the file is quantized already: it is measured as it is")
    count = job.recipe(QuantizeRecipe).calibration_images
    shape = given_networks.shape_of(network)
    with refused_by("NNCF"):
        networks.fix_shape(network, 1, job.cell.image_size)  # what calibrates comes one by one
        basic = quantization.basic(network, count)
        made = quantization.quantized(job, count, basic, ["batch", *shape[1:]])
    networks.save(job, made)
    given_networks.finish(job, made, "int8")


def infer(job: Job) -> None:
    given_file(job)
    with job.phase("build"):
        network = networks.of_parent(job)
    given_networks.time_network(job, network, "int8")
