"""The layers of a .tflite file beside those of the Keras model that it was converted from.

The converter names a tensor after the operations that it fused, the last one first:
``resnet/stem_relu/Relu;resnet/stem/BiasAdd;...``, and so a tensor is that of the first one's layer.
(What follows may also name others, with whose constants a constant was merged.) A normalization
that went into the weights may be named or not: what only a layer's own normalization or activation
reads, and no tensor is named after, is part of it.
"""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Sequence

from runners.fidelity import Layer, sqnr
from runners.float_parent import Layers
from runners.job import Job

Array = Any

_MOVING = ("PAD", "PADV2", "RESHAPE", "QUANTIZE", "DEQUANTIZE", "DELEGATE", "TRANSPOSE", "SHAPE",
           "STRIDED_SLICE", "PACK")  # fmt: skip
"""They compute nothing."""
_ABSORBED = ("BatchNormalization", "ReLU", "Activation")
_WRAPPED = "quant_"
"""Before a layer's name where tfmot wrapped it."""


class Inner(NamedTuple):
    """What one operation put out: its kind, its tensor's name, and the values as numbers."""

    operation: str
    name: str
    values: Array


def compare(job: Job, inner: Sequence[Inner], images: Array) -> Layers:
    """``inner`` is what a converted model makes of float32 ``images``; imports TensorFlow."""
    from runners.tensorflow.parts import setup  # noqa: F401  before anything that imports TensorFlow
    from runners.tensorflow.parts import models

    model = models.trained_model(job)
    computing = [one for one in inner if one.operation not in _MOVING]
    named = with_absorbed(model, layer_names(computing, [layer.name for layer in model.layers]))
    wanted = [name for name in named if name]
    theirs = _float_tensors(model, wanted, images)
    layers: List[Layer] = []
    unmatched = [f"{one.operation} {one.name}" for one, name in zip(computing, named) if not name]
    for one, name in zip(computing, named):
        if name and theirs[name].shape != one.values.shape:
            unmatched.append(f"{name}: {one.values.shape} here, {theirs[name].shape} there")
        elif name:
            layers.append(Layer(name, sqnr(theirs[name], one.values)))
    told = ";".join(one.name for one in inner) + "".join(wanted)
    unmatched += [layer.name for layer in model.layers if layer.weights and layer.name not in told]
    return Layers(layers, unmatched, "every tensor of the TFLite graph, by its own kernels")


def compare_files(theirs: Sequence[Inner], ours: Sequence[Inner]) -> Layers:
    """What the operations of a float file put out beside those of a file that was made from it.

    Tensors keep their names. A layer is an operation, called as the last of what went into it.
    """
    floats, quantized = (
        {one.name: one.values for one in inner if one.operation not in _MOVING}
        for inner in (theirs, ours)
    )
    alike = [name for name in floats if name in quantized]
    layers = [Layer(name.split(";")[0], sqnr(floats[name], quantized[name])) for name in alike]
    unmatched = [name for name in [*floats, *quantized] if name not in alike]
    return Layers(layers, unmatched, "every operation of both TFLite files, by its own kernels")


def layer_names(inner: Sequence[Inner], layers: Sequence[str]) -> List[str]:
    """The layer whose output each operation's is; "" for one that can't be told, or again.

    The last operation answers what the last layer does, whatever its tensor is called.
    """
    found: List[str] = []
    for one in inner:
        parts = one.name.split(";")[0].split("/")
        name = next((_plain(part) for part in parts if _plain(part) in layers), "")
        if not name and one is inner[-1] and layers:
            name = layers[-1]
        found.append("" if name in found else name)
    return found


def with_absorbed(model: Any, names: Sequence[str]) -> List[str]:
    """Each layer's name, or that of the last one which the converter made part of it."""
    found = list(names)
    for place, name in enumerate(names):
        while name:
            readers = [node.outbound_layer for node in model.get_layer(name)._outbound_nodes]
            if len(readers) != 1 or readers[0].name in found:
                break
            if type(readers[0]).__name__ not in _ABSORBED:
                break
            found[place] = name = readers[0].name
    return found


def _plain(part: str) -> str:
    return part[len(_WRAPPED) :] if part.startswith(_WRAPPED) else part


def _float_tensors(model: Any, names: Sequence[str], images: Array) -> Dict[str, Array]:
    import tensorflow as tf

    outputs = [model.get_layer(name).output for name in names]
    found = tf.keras.Model(model.inputs, outputs)(tf.constant(images), training=False)
    found = found if isinstance(found, (list, tuple)) else [found]
    return {name: values.numpy() for name, values in zip(names, found)}
