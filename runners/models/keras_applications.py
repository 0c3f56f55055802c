"""VGG16, ResNet-50 and MobileNet_v1 as keras.applications defines them, as plain data.

``include_top=False`` with shafique2023's head: Flatten, Dense 50 relu, Dense 20 relu, Dense of
as many classes as there are (section 4; the public notebook). Layers carry Keras' own names, and
weights Keras' own layouts, so that every framework starts from the same numbers. Logits come
out; the softmax is the loss's.

Beside them MobileNet_v1 narrower (Howard 2017, table 6) and shallower (table 5), and small VGGs:
what shows which property of a network decides its speedup.

Sources: Simonyan 2015 (VGG16), He 2016 with the stride on the first 1 x 1 convolution (ResNet-50),
Howard 2017 (MobileNet_v1); paddings, epsilons and biases are those of keras.applications.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Dict, Iterator, List, NamedTuple, Sequence, Tuple

import numpy as np

from runners.failures import Unsupported
from runners.models.network_layers import (
    Convolution,
    Dense,
    Flatten,
    Layer,
    MaxPool,
    Normalisation,
    Preprocessing,
    Relu,
    Residual,
)

__all__ = [
    "APPLICATIONS", "Application", "Convolution", "Dense", "Flatten", "Layer", "MaxPool",
    "Normalisation", "Preprocessing", "Relu", "Residual", "application", "initial_arrays",
    "kernel_shape", "named_layers",
]  # fmt: skip

Array = Any

# keras.applications.imagenet_utils, modes "caffe" (BGR, ImageNet's mean) and "tf" (-1 ... 1).
CAFFE = Preprocessing((103.939, 116.779, 123.68), 1.0, True)
TF = Preprocessing((127.5, 127.5, 127.5), 127.5, False)


class Application(NamedTuple):
    """A whole network for pictures of ``image_size``: ``preprocess_input``, then ``layers``."""

    name: str
    image_size: int
    classes: int
    preprocessing: Preprocessing
    layers: List[Layer]


def application(model: str, classes: int, image_size: int) -> Application:
    """The network called ``model``. Raises Unsupported for an unknown one."""
    if model not in APPLICATIONS:
        raise Unsupported(f"no model {model!r}. Accepted: {', '.join(APPLICATIONS)}")
    preprocessing, build = APPLICATIONS[model]
    layers, size, channels = build(image_size)
    return Application(
        model, image_size, classes, preprocessing, layers + head(size * size * channels, classes)
    )


def head(features: int, classes: int) -> List[Layer]:
    """The paper's own layers behind the convolutions."""
    return [
        Flatten(),
        Dense("dense1", features, 50), Relu(),
        Dense("dense2", 50, 20), Relu(),
        Dense("predictions", 20, classes),
    ]  # fmt: skip


# Convolutions and channels of VGG16's blocks (Simonyan 2015, table 1, column D).
_VGG16 = ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))


def vgg(size: int, blocks: Sequence[Tuple[int, int]]) -> Tuple[List[Layer], int, int]:
    """Layers, then height (= width) and channels of what comes out."""
    layers: List[Layer] = []
    inputs = 3
    for block, (repeats, outputs) in enumerate(blocks, start=1):
        for index in range(1, repeats + 1):
            name = f"block{block}_conv{index}"
            layers += [Convolution(name, inputs, outputs, 3, pad=(1, 1)), Relu()]
            inputs = outputs
        layers.append(MaxPool(2, 2))
        size //= 2
    return layers, size, inputs


_RESNET_EPSILON = 1.001e-5


def resnet50(size: int) -> Tuple[List[Layer], int, int]:
    """Layers, then height (= width) and channels of what comes out."""
    layers: List[Layer] = [
        Convolution("conv1_conv", 3, 64, 7, 2, (3, 3)),
        Normalisation("conv1_bn", 64, _RESNET_EPSILON), Relu(),
        MaxPool(3, 2, (1, 1)),
    ]  # fmt: skip
    size = _halved(_halved(size))
    inputs = 64
    for stage, (repeats, inner) in enumerate(((3, 64), (4, 128), (6, 256), (3, 512)), start=2):
        for index in range(1, repeats + 1):
            stride = 2 if stage > 2 and index == 1 else 1
            layers.append(_bottleneck(f"conv{stage}_block{index}", inputs, inner, stride))
            inputs = 4 * inner
            size = _halved(size) if stride == 2 else size
    return layers, size, inputs


def _bottleneck(name: str, inputs: int, inner: int, stride: int) -> Residual:
    outputs = 4 * inner
    shortcut: List[Layer] = []
    if inputs != outputs:
        shortcut = _normalised(f"{name}_0", inputs, outputs, 1, stride)
    branch = [
        *_normalised(f"{name}_1", inputs, inner, 1, stride), Relu(),
        *_normalised(f"{name}_2", inner, inner, 3, 1), Relu(),
        *_normalised(f"{name}_3", inner, outputs, 1, 1),
    ]  # fmt: skip
    return Residual(branch, shortcut)


def _normalised(name: str, inputs: int, outputs: int, kernel: int, stride: int) -> List[Layer]:
    pad = (kernel // 2, kernel // 2)
    return [
        Convolution(f"{name}_conv", inputs, outputs, kernel, stride, pad),
        Normalisation(f"{name}_bn", outputs, _RESNET_EPSILON),
    ]


# Outputs and stride of MobileNet_v1's thirteen separable convolutions (Howard 2017, table 1).
_SEPARABLE: Tuple[Tuple[int, int], ...] = (
    (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1), (512, 1), (512, 1),
    (512, 1), (512, 1), (1024, 2), (1024, 1),
)  # fmt: skip


# Without the five in the middle that keep size and channels (Howard 2017, table 5).
_SHALLOW = _SEPARABLE[:6] + _SEPARABLE[11:]


def mobilenet_v1(
    size: int, width: float = 1.0, separable: Sequence[Tuple[int, int]] = _SEPARABLE
) -> Tuple[List[Layer], int, int]:
    """Layers, then height (= width) and channels of what comes out; ``width`` is Keras' alpha."""
    # "same": even pictures are padded below and to the right only.
    pad = (1, 1) if size % 2 else (0, 1)
    inputs = int(32 * width)
    layers: List[Layer] = _separate("conv1", Convolution("conv1", 3, inputs, 3, 2, pad))
    size = _halved(size)
    for index, (channels, stride) in enumerate(separable, start=1):
        outputs = int(channels * width)
        # Here Keras pads a strided convolution below and to the right, whatever the size.
        pad = (1, 1) if stride == 1 else (0, 1)
        name = f"conv_dw_{index}"
        layers += _separate(name, Convolution(name, inputs, inputs, 3, stride, pad, depthwise=True))
        name = f"conv_pw_{index}"
        layers += _separate(name, Convolution(name, inputs, outputs, 1))
        inputs = outputs
        size = size // 2 if stride == 2 else size
    return layers, size, inputs


def _separate(name: str, convolution: Convolution) -> List[Layer]:
    return [
        convolution._replace(bias=False),
        Normalisation(f"{name}_bn", convolution.outputs, 1e-3),
        Relu(6.0),
    ]


def _halved(size: int) -> int:
    return (size + 1) // 2


PUBLISHED: Dict[str, Any] = {
    "vgg16": (CAFFE, partial(vgg, blocks=_VGG16)),
    "resnet50": (CAFFE, resnet50),
    "mobilenet-v1": (TF, mobilenet_v1),
}
"""The paper's three, as keras.applications builds them."""


def _small_vgg(repeats: int, width: int) -> Any:
    """Four blocks, the channels doubled from each to the next."""
    return (CAFFE, partial(vgg, blocks=[(repeats, width * 2**block) for block in range(4)]))


APPLICATIONS: Dict[str, Any] = {
    **PUBLISHED,
    "mobilenet-v1-25": (TF, partial(mobilenet_v1, width=0.25)),
    "mobilenet-v1-50": (TF, partial(mobilenet_v1, width=0.5)),
    "mobilenet-v1-shallow": (TF, partial(mobilenet_v1, separable=_SHALLOW)),
    "mobilenet-v1-shallow-50": (TF, partial(mobilenet_v1, width=0.5, separable=_SHALLOW)),
    "vgg4-16": _small_vgg(1, 16),
    "vgg4-32": _small_vgg(1, 32),
    "vgg4-64": _small_vgg(1, 64),
    "vgg8-16": _small_vgg(2, 16),
    "vgg8-32": _small_vgg(2, 32),
}
"""Named after what they vary: a width in percent; convolutions, and channels of the first."""


def named_layers(layers: List[Any]) -> Iterator[Any]:
    """Every layer that has weights, those inside residual blocks included."""
    for layer in layers:
        if isinstance(layer, Residual):
            for inner in (layer.branch, layer.shortcut):
                yield from named_layers(inner)
        elif isinstance(layer, (Convolution, Normalisation, Dense)):
            yield layer


def initial_arrays(network: Application, seed: int) -> Dict[str, Array]:
    """Float32 arrays ``<layer>.<kernel, bias, gamma, beta, moving_mean, moving_variance>``.

    Keras' own defaults: Glorot uniform kernels, zero biases, BatchNorm as the identity. Kernels
    are (height, width, in, out), those of depthwise convolutions (height, width, channels, 1).
    """
    generator = np.random.default_rng(seed)
    arrays: Dict[str, Array] = {}
    for layer in named_layers(network.layers):
        if isinstance(layer, Normalisation):
            for name in ("gamma", "beta", "moving_mean", "moving_variance"):
                value = 1.0 if name in ("gamma", "moving_variance") else 0.0
                arrays[f"{layer.name}.{name}"] = np.full(layer.channels, value, np.float32)
            continue
        arrays[f"{layer.name}.kernel"] = _glorot(kernel_shape(layer), generator)
        if isinstance(layer, Dense) or layer.bias:
            arrays[f"{layer.name}.bias"] = np.zeros(layer.outputs, np.float32)
    return arrays


def kernel_shape(layer: Any) -> Tuple[int, ...]:
    """The shape of a convolution's or a dense layer's kernel, as Keras keeps it."""
    if isinstance(layer, Dense):
        return (layer.inputs, layer.outputs)
    filters = (layer.inputs, 1) if layer.depthwise else (layer.inputs, layer.outputs)
    return (layer.kernel, layer.kernel, *filters)


def _glorot(shape: Tuple[int, ...], generator: Any) -> Array:
    """Uniform within sqrt(6 / (fan in + fan out)) (Glorot 2010, equation 16)."""
    area = int(np.prod(shape[:-2]))
    limit = (6.0 / (area * (shape[-2] + shape[-1]))) ** 0.5
    drawn = generator.random(shape, dtype=np.float32)
    return (drawn * np.float32(2) - np.float32(1)) * np.float32(limit)
