"""The topologies of runners.models.bnn_pynq as Keras models with Larq's layers.

A fully connected layer is a convolution of one pixel: the engine packs convolutions only. The sign
stands where a layer takes its inputs, behind the pooling; the sign of the largest is the largest of
the signs.
"""

from __future__ import annotations

from typing import Any, Dict

import larq
import numpy as np
import tensorflow as tf

from runners.models.bnn_pynq import EPSILON, BinaryNetwork, Product, check_arrays

Array = Any
Model = Any  # keras.Model
Tensor = Any

keras = tf.keras  # Keras 2: the package's before_import sees to it
layers = keras.layers


def build(described: BinaryNetwork, binary: bool, arrays: Dict[str, Array]) -> Model:
    """float32 (1 or more, height, width, channels), whole numbers -> logits (n, classes).

    Raises DamagedInput for weights that don't fit.
    """
    check_arrays(described, arrays)
    size = described.image_size
    entry = layers.Input((size, size, described.channels), name="pixels")
    x, signed = entry, described.binary_input
    for product in described.products:
        x = _layer(described, product, x, binary, binary and signed)
        signed = True
    model = keras.Model(entry, layers.Flatten(name="logits")(x), name=described.name)
    _load(model, described, arrays)
    return model


def _layer(
    described: BinaryNetwork, product: Product, x: Tensor, binary: bool, sign_inputs: bool
) -> Tensor:
    if not product.kernel and tuple(x.shape[1:3]) != (1, 1):
        x = layers.Reshape((1, 1, product.inputs))(x)
    x = larq.layers.QuantConv2D(
        product.outputs,
        product.kernel or 1,
        input_quantizer="ste_sign" if sign_inputs else None,
        kernel_quantizer="ste_sign" if binary else None,
        use_bias=False,
        name=product.name,
    )(x)
    x = layers.BatchNormalization(epsilon=EPSILON, name=f"{product.name}_bn")(x)
    if not binary and not described.is_last(product):
        x = layers.ReLU()(x)
    return layers.MaxPool2D(2)(x) if product.pooled else x


def _load(model: Model, described: BinaryNetwork, arrays: Dict[str, Array]) -> None:
    """Copy neutral weights; the last scale and offset go to every class."""
    for product in described.products:
        kernel = arrays[f"{product.name}.kernel"]
        size = product.kernel or 1
        shape = (size, size, product.inputs, product.outputs)
        model.get_layer(product.name).set_weights([kernel.reshape(shape)])
        model.get_layer(f"{product.name}_bn").set_weights(
            [
                np.broadcast_to(arrays[f"{product.name}_bn.{name}"], (product.outputs,))
                for name in ("gamma", "beta", "moving_mean", "moving_variance")
            ]
        )
