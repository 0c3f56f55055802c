"""The three Keras applications as data; counts are those of keras.applications itself."""

from __future__ import annotations

import numpy as np
import pytest

from runners.failures import Unsupported
from runners.models.keras_applications import (
    APPLICATIONS,
    CAFFE,
    PUBLISHED,
    TF,
    Convolution,
    Dense,
    Normalisation,
    application,
    initial_arrays,
    kernel_shape,
    named_layers,
)


# Printed by Model.count_params() of tf_keras 2.21: include_top=False, Flatten, Dense 50, 20, n.
@pytest.mark.parametrize(
    ("model", "size", "classes", "parameters", "trainable"),
    [
        ("vgg16", 48, 10, 14_741_568, 14_741_568),
        ("vgg16", 48, 2, 14_741_400, 14_741_400),
        ("vgg16", 128, 2, 15_125_400, 15_125_400),
        ("resnet50", 48, 10, 23_998_592, 23_945_472),
        ("resnet50", 128, 2, 25_227_224, 25_174_104),
        ("resnet50", 128, 10, 25_227_392, 25_174_272),
        ("mobilenet-v1", 48, 10, 3_281_344, 3_259_456),
        ("mobilenet-v1", 48, 2, 3_281_176, 3_259_288),
        ("mobilenet-v1", 128, 2, 4_049_176, 4_027_288),
    ],
)
def test_they_have_as_many_parameters_as_in_keras(
    model: str, size: int, classes: int, parameters: int, trainable: int
) -> None:
    arrays = initial_arrays(application(model, classes, size), seed=0)
    assert sum(array.size for array in arrays.values()) == parameters
    moving = sum(array.size for name, array in arrays.items() if ".moving_" in name)
    assert parameters - moving == trainable


@pytest.mark.parametrize(
    ("model", "convolutions", "normalisations"),
    [("vgg16", 13, 0), ("resnet50", 53, 53), ("mobilenet-v1", 27, 27)],
)
def test_they_have_the_layers_of_their_papers(
    model: str, convolutions: int, normalisations: int
) -> None:
    layers = list(named_layers(application(model, 10, 48).layers))
    assert sum(isinstance(layer, Convolution) for layer in layers) == convolutions
    assert sum(isinstance(layer, Normalisation) for layer in layers) == normalisations
    assert [layer.outputs for layer in layers if isinstance(layer, Dense)] == [50, 20, 10]


def test_layers_carry_keras_names() -> None:
    names = {m: [x.name for x in named_layers(application(m, 10, 48).layers)] for m in APPLICATIONS}
    assert names["vgg16"][:3] == ["block1_conv1", "block1_conv2", "block2_conv1"]
    assert names["resnet50"][:3] == ["conv1_conv", "conv1_bn", "conv2_block1_1_conv"]
    assert "conv5_block1_0_bn" in names["resnet50"]
    assert names["mobilenet-v1"][:3] == ["conv1", "conv1_bn", "conv_dw_1"]
    assert all(found[-3:] == ["dense1", "dense2", "predictions"] for found in names.values())


def test_preprocessing_is_keras_own() -> None:
    kept = {name: preprocessing for name, (preprocessing, _) in PUBLISHED.items()}
    assert kept == {"vgg16": CAFFE, "resnet50": CAFFE, "mobilenet-v1": TF}
    assert CAFFE == ((103.939, 116.779, 123.68), 1.0, True)
    assert TF == ((127.5, 127.5, 127.5), 127.5, False)


def test_kernels_lie_as_in_keras() -> None:
    assert kernel_shape(Convolution("a", 3, 64, 7)) == (7, 7, 3, 64)
    assert kernel_shape(Convolution("a", 32, 32, 3, depthwise=True)) == (3, 3, 32, 1)
    assert kernel_shape(Dense("a", 512, 50)) == (512, 50)


def test_the_start_is_keras_default() -> None:
    arrays = initial_arrays(application("mobilenet-v1", 10, 48), seed=4)
    kernel = arrays["conv_pw_13.kernel"]
    limit = (6 / (1024 + 1024)) ** 0.5
    assert kernel.dtype == np.float32 and abs(kernel).max() <= limit
    assert kernel.std() == pytest.approx(limit / 3**0.5, rel=0.01)
    assert (arrays["conv1_bn.gamma"] == 1).all() and (arrays["conv1_bn.moving_variance"] == 1).all()
    assert not arrays["conv1_bn.beta"].any() and not arrays["predictions.bias"].any()
    again = initial_arrays(application("mobilenet-v1", 10, 48), seed=4)
    assert all(np.array_equal(arrays[name], again[name]) for name in arrays)


def test_an_odd_size_is_padded_as_keras_pads_it() -> None:
    even = next(named_layers(application("mobilenet-v1", 10, 48).layers))
    odd = next(named_layers(application("mobilenet-v1", 10, 51).layers))
    assert (even.pad, odd.pad) == ((0, 1), (1, 1))


def test_an_unknown_model_is_refused_with_the_known_ones() -> None:
    with pytest.raises(Unsupported, match=r"no model 'vgg19'. Accepted: vgg16, resnet50, mobilen"):
        application("vgg19", 10, 48)
