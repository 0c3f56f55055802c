"""Proves that this environment can do what the studies need: each function is a check."""

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"


def keras_2_8_comes_with_tensorflow_2_8() -> str:
    import tensorflow as tf

    assert tf.__version__.startswith("2.8."), tf.__version__
    assert tf.keras.__version__.startswith("2.8."), tf.keras.__version__
    return f"tensorflow {tf.__version__}, keras {tf.keras.__version__}"


def a_model_trains_with_mixed_precision() -> str:
    import numpy as np
    import tensorflow as tf

    tf.keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        model = tf.keras.Sequential([tf.keras.layers.Dense(2, input_shape=(4,))])
        model.compile("adam", "mse")
        model.fit(np.ones((4, 4)), np.ones((4, 2)), verbose=0)
        scaled = type(model.optimizer).__name__
        assert scaled == "LossScaleOptimizer", scaled
        assert model.layers[0].kernel.dtype == tf.float32
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")
    return "mixed_float16 trains, variables stay float32"


def xla_compiles() -> str:
    import tensorflow as tf

    square = tf.function(lambda x: x * x, jit_compile=True)
    assert float(square(tf.constant(3.0))) == 9.0
    return "XLA compiles for the processor"


def the_converter_of_tf_trt_is_there():
    from tensorflow.python.compiler.tensorrt import trt_convert

    assert hasattr(trt_convert, "TrtGraphConverterV2")
    return "TF-TRT's converter can be imported (TensorRT itself is another matter)"
