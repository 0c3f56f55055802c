"""How each technique makes a .tflite file of the captioner, with some components left in float.

lad2023, section II-A and Table IV. The converter itself chooses what it quantizes; what is to stay
in float is named to its quantizer, as TensorFlow's own debugger does it (``denylisted_nodes``).
With tfmot, only the other layers are annotated.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, ContextManager, Dict, FrozenSet, Iterable, NamedTuple, Optional

import tensorflow as tf
import tensorflow_model_optimization as tfmot
from tensorflow.lite.python import convert as converting

from runners.models.captioner import Captioner, layers_of
from runners.tensorflow.captioner import precisions
from runners.tensorflow.captioner.network import OWN, build, load_arrays
from runners.tensorflow.parts import litert
from runners.tflite_types import HYBRID

Array = Any
_OPS = tf.lite.OpsSet
_TYPES = converting._types_pb2
_INT16X8 = _OPS.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8


class Setting(NamedTuple):
    """What a way starts from. ``shown``: dictionaries of pictures and words that calibrate, one
    batch each. ``calibrated``: a file that keeps what calibration found, for the next step.
    """

    network: Captioner
    arrays: Dict[str, Array]
    batch: int
    shown: Callable[[], Iterable[Dict[str, Array]]]
    train: Callable[[Any], None]
    phase: Callable[[str], ContextManager[None]]
    calibrated: Optional[Path] = None


class Way(NamedTuple):
    """``make``: the file's bytes. ``promised``: the type that it is named for."""

    make: Callable[[Setting, FrozenSet[str]], bytes]
    promised: str


def float_model(setting: Setting) -> Any:
    """The trained float network, for batches of one size."""
    model = build(setting.network, setting.batch)
    load_arrays(model, setting.arrays)
    return model


def _converter(model: Any) -> Any:
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    return converter


def ptq_tflite(setting: Setting, kept: FrozenSet[str]) -> bytes:
    """Full integers, calibrated; float32 logits come out of it."""
    return _integers(setting, kept, _OPS.TFLITE_BUILTINS_INT8, _TYPES.QUANTIZED_INT8)


def ptq_int16x8(setting: Setting, kept: FrozenSet[str]) -> bytes:
    """int16 activations and int8 weights, calibrated."""
    return _integers(setting, kept, _INT16X8, _TYPES.QUANTIZED_INT16)


def _integers(setting: Setting, kept: FrozenSet[str], operations: Any, kind: Any) -> bytes:
    if kept:
        return _without(setting, kept, kind)
    converter = _converter(float_model(setting))
    converter.representative_dataset = setting.shown
    converter.target_spec.supported_ops = [operations]
    with setting.phase("convert"):
        content: bytes = converter.convert()
    return content


def _without(setting: Setting, kept: FrozenSet[str], kind: Any) -> bytes:
    """Quantized but for the operations of ``kept``."""
    content = _calibrated(setting)
    nodes = precisions.nodes_of(litert.of_content(content), setting.network, kept)
    with setting.phase("convert"):
        made: bytes = converting.mlir_quantize(content, inference_type=kind, denylisted_nodes=nodes)
    return made


def _calibrated(setting: Setting) -> bytes:
    if setting.calibrated is not None and setting.calibrated.is_file():
        return setting.calibrated.read_bytes()
    converter = _converter(float_model(setting))
    converter.representative_dataset = setting.shown
    converter._experimental_calibrate_only = True
    content: bytes = converter.convert()
    if setting.calibrated is not None:
        setting.calibrated.write_bytes(content)
    return content


def dynamic_tflite(setting: Setting, kept: FrozenSet[str]) -> bytes:
    """int8 weights where the converter finds enough of them; it can't be told what to leave."""
    with setting.phase("convert"):
        content: bytes = _converter(float_model(setting)).convert()
    return content


def float16_tflite(setting: Setting, kept: FrozenSet[str]) -> bytes:
    """float16 weights; nothing can be told to stay in float32."""
    converter = _converter(float_model(setting))
    converter.target_spec.supported_types = [tf.float16]
    with setting.phase("convert"):
        content: bytes = converter.convert()
    return content


def qat_tfmot(setting: Setting, kept: FrozenSet[str]) -> bytes:
    """Annotated, trained on, converted; the whole model by one call where nothing is kept."""
    model = float_model(setting)
    with setting.phase("prepare"), tfmot.quantization.keras.quantize_scope(OWN):
        if not kept:
            aware = tfmot.quantization.keras.quantize_model(model)
        else:
            aware = _partly_aware(setting, model, kept)
    if aware is not model:
        setting.train(aware)
    with setting.phase("convert"):
        content: bytes = _converter(aware).convert()
    return content


def _partly_aware(setting: Setting, model: Any, kept: FrozenSet[str]) -> Any:
    """Only the layers of the other components are annotated; without any it is the float model."""
    wanted = {
        layer for name, layers in layers_of(setting.network).items() if name not in kept
        for layer in layers
    }  # fmt: skip
    if not wanted:
        return model

    def annotated(layer: Any) -> Any:
        if layer.name not in wanted:
            return layer
        return tfmot.quantization.keras.quantize_annotate_layer(layer)

    marked = tf.keras.models.clone_model(model, clone_function=annotated)
    return tfmot.quantization.keras.quantize_apply(marked)


WAYS: Dict[str, Way] = {
    "ptq-tflite": Way(ptq_tflite, "int8"),
    "dynamic-tflite": Way(dynamic_tflite, HYBRID),
    "float16-tflite": Way(float16_tflite, "float16"),
    "ptq-int16x8": Way(ptq_int16x8, "int16x8"),
    "qat-tfmot": Way(qat_tfmot, "int8"),
}
"""By technique."""
