"""Proves that this environment can do what the studies need: each function is a check."""

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"


def keras_2_comes_with_tensorflow_2_12() -> str:
    import tensorflow as tf

    assert tf.__version__.startswith("2.12."), tf.__version__
    assert tf.keras.__version__.startswith("2.12."), tf.keras.__version__
    return f"tensorflow {tf.__version__}, keras {tf.keras.__version__}"


def a_model_becomes_int8_and_runs() -> str:
    import numpy as np
    import tensorflow as tf

    model = tf.keras.Sequential([tf.keras.layers.Conv2D(4, 3, input_shape=(8, 8, 3))])
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: iter([[np.ones((1, 8, 8, 3), np.float32)]])
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    interpreter = tf.lite.Interpreter(model_content=converter.convert(), num_threads=1)
    interpreter.allocate_tensors()
    interpreter.invoke()
    kind = interpreter.get_output_details()[0]["dtype"]
    assert kind is np.int8, kind
    return "full int8 TFLite converts and runs in TensorFlow's own interpreter"


def a_model_trains_quantization_aware() -> str:
    import tensorflow as tf
    import tensorflow_model_optimization as tfmot

    model = tf.keras.Sequential([tf.keras.layers.Conv2D(4, 3, input_shape=(8, 8, 3))])
    aware = tfmot.quantization.keras.quantize_model(model)
    assert any("quant" in layer.name for layer in aware.layers)
    return f"tfmot {tfmot.__version__} annotates Keras 2 models"
