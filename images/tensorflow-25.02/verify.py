"""Proves that this environment can do what the studies need; prints one line a check.

Runs without a GPU too, as an image is built on machines that have none.
"""

import os
import sys

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


def the_driver_can_be_asked() -> str:
    import pynvml

    assert hasattr(pynvml, "nvmlInit")
    return "nvidia-ml-py"


def main() -> int:
    for check in (keras_2_is_in_use, tf_trt_is_linked_to_tensorrt, the_driver_can_be_asked):
        try:
            print(f"ok: {check()}")
        except Exception as error:
            print(f"failed: {check.__name__}: {type(error).__name__}: {error}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
