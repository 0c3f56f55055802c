"""Proves that this environment can do what the studies need: each function is a check."""

import os

os.environ["TF_USE_LEGACY_KERAS"] = "1"


def a_binary_network_is_packed_and_executed() -> str:
    import larq
    import larq_compute_engine
    import numpy as np
    import tensorflow as tf
    from larq_compute_engine.tflite.python.interpreter import Interpreter

    tf.keras.utils.set_random_seed(0)
    model = tf.keras.Sequential(
        [
            larq.layers.QuantConv2D(
                32, 3, input_quantizer="ste_sign", kernel_quantizer="ste_sign", use_bias=False,
                input_shape=(8, 8, 32),
            ),
            tf.keras.layers.Flatten(),
        ]
    )  # fmt: skip
    content = larq_compute_engine.convert_keras_model(model)
    assert b"LceBconv2d" in content
    images = np.random.default_rng(0).normal(size=(3, 8, 8, 32)).astype(np.float32)
    found = Interpreter(content).predict(images)
    assert np.array_equal(found, model(images).numpy())
    return f"larq {larq.__version__}, TensorFlow {tf.__version__}, numpy {np.__version__}"
