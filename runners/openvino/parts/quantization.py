"""NNCF's post-training quantization of an OpenVINO network, calibrated on training images only.

NNCF quantizes the weights of convolutions and products by channel, symmetrically, and activations
by tensor, to 8 bits. Where a processor's older instructions could overflow it keeps the weights of
the first convolutions to 7 bits (its own default). After that it corrects the biases: by default
*fast*, each layer's shift in one pass; in *full*, layer after layer on the quantized network.
"""

from __future__ import annotations

from typing import Any, Callable, Iterator, List, Sequence

import nncf
import openvino

from runners.failures import NothingQuantized
from runners.job import Job
from runners.model_file import in_layout
from runners.openvino.parts.refusals import refusals_of
from runners.session import Array

Network = Any
Quantize = Callable[[Any], Network]
"""nncf.Dataset -> the quantized network."""

_PICTURES = ("batch", 3, "height", "width")
VALIDATION_IMAGES = 256
"""Training images by which accuracy control judges; never test images."""


def quantized(
    job: Job, calibration_images: int, quantize: Quantize, shape: Sequence[Any] = _PICTURES
) -> Network:
    """What ``quantize`` makes of the images that calibrate.

    ``shape`` is the input's, with free dimensions as texts.
    Records ``calibration_s``, in which images were asked for and run, and ``convert_s``, the whole.
    Raises Unsupported for images of one value, a refusal, and a network that was not quantized.
    """
    images = _calibration(job, calibration_images, shape)
    with job.phase("convert"), refusals_of("NNCF refuses to quantize"):
        made = quantize(nncf.Dataset(_Announced(job, images)))
    calibrated = [phase.seconds for phase in job.phases if phase.name == "calibrate"]
    job.record("calibration_s", [sum(calibrated)], items=len(images))
    job.record("convert_s", [job.last_phase_s("convert")])
    check_quantized(made)
    return made


def basic(network: Network, count: int, fast: bool = True, corrected: bool = True) -> Quantize:
    """``nncf.quantize``: with fast or full bias correction, or with none."""
    advanced = nncf.AdvancedQuantizationParameters(disable_bias_correction=not corrected)

    def quantize(images: Any) -> Network:
        return nncf.quantize(
            network, images, subset_size=count, fast_bias_correction=fast,
            advanced_parameters=advanced,
        )  # fmt: skip

    return quantize


def accuracy_controlled(job: Job, network: Network, count: int, max_drop: float) -> Quantize:
    """``nncf.quantize_with_accuracy_control``: operations go back to float32, those that cost most
    first, until the top-1 accuracy is at most ``max_drop`` below the float model's.
    """
    part = job.data.train(VALIDATION_IMAGES, job.cell.seed + 1)
    validation = nncf.Dataset(
        list(zip(_placed(job, part.images), part.labels)), lambda item: item[0]
    )

    def accuracy(compiled: Any, items: Any) -> float:
        right = [int(compiled(image)[0].argmax()) == int(label) for image, label in items]
        return sum(right) / len(right)

    def quantize(images: Any) -> Network:
        return nncf.quantize_with_accuracy_control(
            network, images, validation, accuracy, max_drop=max_drop, subset_size=count
        )

    return quantize


class _Announced:
    """Images one by one; each pass over them is a phase ``calibrate``."""

    def __init__(self, job: Job, images: List[Array]) -> None:
        self._job, self._images = job, images

    def __len__(self) -> int:
        return len(self._images)

    def __iter__(self) -> Iterator[Array]:
        with self._job.phase("calibrate"):
            for index, image in enumerate(self._images):
                self._job.events.step(index, len(self._images))
                yield image


def _calibration(job: Job, count: int, shape: Sequence[Any]) -> List[Array]:
    part = job.data.calibration(count, job.cell.seed)
    return _placed(job, part.images, shape)


def _placed(job: Job, pixels: Array, shape: Sequence[Any] = _PICTURES) -> List[Array]:
    images = job.data.normalise(pixels)
    return [in_layout(images[index : index + 1], shape) for index in range(len(images))]


def check_quantized(network: openvino.Model) -> None:
    """Raises NothingQuantized where NNCF gave the float network back."""
    kinds = [node.get_type_name() for node in network.get_ops()]
    if "FakeQuantize" not in kinds:
        raise NothingQuantized("NNCF returned the float network unchanged: it quantized no tensor")
