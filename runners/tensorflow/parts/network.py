"""The shared networks as Keras 2 functional models.

Strided convolutions pad explicitly, as PyTorch does, so that both frameworks compute the
same function; Keras' own "same" padding would pad the other side.
"""

from __future__ import annotations

from typing import Any, Dict

import tensorflow as tf

from runners.models.resnet18 import PARTS, Block, Conv, ResNet

keras = tf.keras  # Keras 2 in every version: parts.setup sees to it
layers = keras.layers
Tensor = Any


def build(network: ResNet, image_size: int) -> Any:
    """float32 (n, h, w, 3) -> logits (n, classes)."""
    inputs = layers.Input((image_size, image_size, 3), name="pixels")
    x = layers.ReLU(name="stem_relu")(_convolution(inputs, network.stem))
    for block in network.blocks:
        x = _block(x, block)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, layers.Dense(network.classes, name="head")(x), name="resnet")


def _block(x: Tensor, block: Block) -> Tensor:
    name = block.first.name
    inner = layers.ReLU(name=f"{name}_relu")(_convolution(x, block.first))
    inner = _convolution(inner, block.second)
    outer = _convolution(x, block.shortcut[0]) if block.shortcut else x
    joined = layers.Add(name=f"{block.second.name}_add")([inner, outer])
    return layers.ReLU(name=f"{block.second.name}_relu")(joined)


def _convolution(x: Tensor, conv: Conv) -> Tensor:
    pads = conv.stride > 1 and conv.padding > 0
    if pads:
        x = layers.ZeroPadding2D(conv.padding, name=f"{conv.name}_pad")(x)
    norm = conv.normalisation
    x = layers.Conv2D(
        conv.outputs,
        conv.kernel,
        strides=conv.stride,
        padding="valid" if pads else "same",
        use_bias=norm is None,
        name=conv.name,
    )(x)
    if norm is None:
        return x
    return layers.BatchNormalization(momentum=norm.momentum, epsilon=norm.epsilon, name=norm.name)(
        x
    )


def load_arrays(model: Any, weights: Dict[str, Any]) -> None:
    """Copy arrays named as in runners.models.resnet18 into ``model``."""
    for name in {key.rpartition(".")[0] for key in weights}:
        keys = [f"{name}.{part}" for part in PARTS]
        model.get_layer(name).set_weights([weights[key] for key in keys if key in weights])


def arrays_of(model: Any, network: ResNet) -> Dict[str, Any]:
    """The weights of ``model``, named and laid out as in runners.models.resnet18."""
    arrays: Dict[str, Any] = {}
    convolutions = [layer.name for layer in network.convolutions]
    for name in [*convolutions, *(layer.name for layer in network.normalisations)]:
        values = model.get_layer(name).get_weights()
        parts = PARTS[2:] if len(values) == 4 else PARTS
        arrays.update({f"{name}.{part}": value for part, value in zip(parts, values)})
    arrays["head.weight"], arrays["head.bias"] = model.get_layer("head").get_weights()
    return arrays
