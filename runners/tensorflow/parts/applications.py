"""VGG16, ResNet-50 and MobileNet_v1 from keras.applications with shafique2023's head.

Works with Keras 2.8 (TensorFlow 2.8, Python 3.8) and with tf_keras. ``preprocess_input`` is part
of the model. Weights travel as arrays with the names of ``keras_applications``, so that every
version of TensorFlow, and PyTorch too, can start from the same file.
"""

from __future__ import annotations

from typing import Any, Dict

import numpy as np
import tensorflow as tf

from runners.models.keras_applications import Application, application, initial_arrays, named_layers
from runners.failures import Unsupported
from runners.job import Job
from runners.protocols import controlled

ARRAYS_FILE = "weights.npz"
_ORDER = ("kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance")
_BUILDERS = {"vgg16": "VGG16", "resnet50": "ResNet50", "mobilenet-v1": "MobileNet"}
_MODULES = {"vgg16": "vgg16", "resnet50": "resnet", "mobilenet-v1": "mobilenet"}


def described(job: Job) -> Application:
    """The cell's network for the classes of its data. Raises Unsupported."""
    return application(job.cell.model, len(job.data.meta.classes), job.cell.image_size)


def build(network: Application, policy: str = "float32", published_head: bool = False) -> Any:
    """float32 pixels (n, size, size, 3) in 0 ... 255 -> probabilities (n, classes).

    ``policy`` is Keras' for mixed precision. The softmax is computed in float32, except where
    ``published_head`` wants the authors' form, whose last layer follows the policy. Raises
    Unsupported for a network that keras.applications doesn't build.
    """
    if network.name not in _BUILDERS:
        raise Unsupported(
            f"keras.applications builds no {network.name}. Accepted: {', '.join(_BUILDERS)}"
        )
    keras = tf.keras
    keras.mixed_precision.set_global_policy(policy)
    try:
        shape = (network.image_size, network.image_size, 3)
        pixels = keras.layers.Input(shape, name="pixels")
        module = getattr(keras.applications, _MODULES[network.name])
        base = getattr(module, _BUILDERS[network.name])(
            include_top=False, weights=None, input_tensor=module.preprocess_input(pixels)
        )
        return keras.Model(pixels, _head(base.output, network, published_head), name="network")
    finally:
        keras.mixed_precision.set_global_policy("float32")


def _head(x: Any, network: Application, published: bool) -> Any:
    layers = tf.keras.layers
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(50, activation="relu", name="dense1")(x)
    x = layers.Dense(20, activation="relu", name="dense2")(x)
    if published:
        return layers.Dense(network.classes, activation="softmax", name="predictions")(x)
    x = layers.Dense(network.classes, name="predictions")(x)
    return layers.Activation("softmax", dtype="float32", name="softmax")(x)


def new_model(job: Job, policy: str, weights: str) -> Any:
    """Seeded initial weights, the same as in every other framework, or ImageNet's below the head.

    Raises Unsupported where the recipe wants ImageNet's and the cell wasn't given them.
    """
    network = described(job)
    model = build(network, policy, not controlled(job.cell.protocol))
    arrays = initial_arrays(network, job.cell.seed)
    if weights == "imagenet":
        arrays.update(_imagenet(job, network))
    load_arrays(model, network, arrays)
    return model


def _imagenet(job: Job, network: Application) -> Dict[str, Any]:
    """The published weights below the head, from the file that the cell was given."""
    path = job.pretrained()
    module = getattr(tf.keras.applications, _MODULES[network.name])
    shape = (network.image_size, network.image_size, 3)
    base = getattr(module, _BUILDERS[network.name])(
        include_top=False, weights=None, input_shape=shape
    )
    base.load_weights(str(path))
    job.starts_from = "ImageNet, keras.applications"
    return arrays_of(base, network)


def trained_model(job: Job) -> Any:
    """The float32 model with the weights of the cell this one starts from, or from the seed."""
    network = described(job)
    model = build(network, published_head=not controlled(job.cell.protocol))
    if job.cell.weights_from is None:
        load_arrays(model, network, initial_arrays(network, job.cell.seed))
        return model
    if job.starts_elsewhere():
        load_arrays(model, network, job.weights.arrays())
        return model
    with np.load(str(job.weights.file(ARRAYS_FILE)), allow_pickle=False) as arrays:
        load_arrays(model, network, {name: arrays[name] for name in arrays.files})
    return model


def save_arrays(job: Job, model: Any) -> None:
    """Save the weights, for every framework too; records their ``model_size_bytes``."""
    arrays = arrays_of(model, described(job))
    with job.phase("save"):
        np.savez(str(job.folder / ARRAYS_FILE), **arrays)
    job.artifact(ARRAYS_FILE, "arrays by layer")
    job.record("model_size_bytes", [job.artifacts[-1].size_bytes], source="arrays on disk")
    job.neutral_weights(arrays)


def load_arrays(model: Any, network: Application, arrays: Dict[str, Any]) -> None:
    """Copy arrays named as in runners.models.keras_applications into ``model``."""
    for layer in named_layers(network.layers):
        names = [f"{layer.name}.{part}" for part in _ORDER]
        model.get_layer(layer.name).set_weights([arrays[n] for n in names if n in arrays])


def arrays_of(model: Any, network: Application) -> Dict[str, Any]:
    """The weights of all layers that ``model`` has, by the names of ``keras_applications``."""
    there = {layer.name: layer for layer in model.layers}
    arrays: Dict[str, Any] = {}
    for layer in named_layers(network.layers):
        if layer.name in there:
            values = there[layer.name].get_weights()
            parts = _ORDER[2:] if len(values) == 4 else _ORDER[:2]
            for part, value in zip(parts, values):
                arrays[f"{layer.name}.{part}"] = value
    return arrays
