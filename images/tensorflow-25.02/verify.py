"""Proves that this environment can do what the studies need: each function is a check."""

import os

from runners.verify import the_driver_can_be_asked  # noqa: F401

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"


def keras_2_is_in_use() -> str:
    import tensorflow as tf
    import tf_keras

    assert tf.keras.Sequential is tf_keras.Sequential
    return f"tensorflow {tf.__version__}, tf_keras {tf_keras.__version__}"


def tf_trt_is_linked_to_tensorrt() -> str:
    from tensorflow.compiler.tf2tensorrt._pywrap_py_utils import get_linked_tensorrt_version
    from tensorflow.python.compiler.tensorrt import trt_convert

    version = get_linked_tensorrt_version()
    assert version > (0, 0, 0), version
    assert hasattr(trt_convert, "TrtGraphConverterV2")
    return f"TF-TRT, built with TensorRT {'.'.join(map(str, version))}"
