"""How large networks are, by their structure: the figures that their papers print."""

from __future__ import annotations

from functools import partial

import pytest

from runners.models.keras_applications import (
    APPLICATIONS,
    PUBLISHED,
    application,
    initial_arrays,
    mobilenet_v1,
)
from runners.models.network_layers import (
    Convolution,
    Dense,
    Flatten,
    MaxPool,
    Normalisation,
    Relu,
    Residual,
)
from runners.models.network_size import network_size, size_of_layers


def imagenet(model: str, *head: Dense) -> list[object]:
    """The layers for 224 x 224 pixels and 1,000 classes, with the head of the model's own paper."""
    layers, _, _ = APPLICATIONS[model][1](224)
    return [*layers, *head]


# Howard 2017, tables 5, 6 and 8: 569, 149, 41 and 307 million multiply-adds; 4.2, 1.3, 0.5 and 2.9
# million parameters. Keras prints 4,231,976 trainable ones for the first, 138,357,544 for VGG16,
# 25,583,592 for ResNet-50.
@pytest.mark.parametrize(
    ("model", "head", "parameters", "multiply_adds"),
    [
        ("mobilenet-v1", [Dense("fc", 1024, 1000)], 4_231_976, 568_740_352),
        ("mobilenet-v1-50", [Dense("fc", 512, 1000)], 1_331_592, 149_497_088),
        ("mobilenet-v1-25", [Dense("fc", 256, 1000)], 470_072, 41_030_272),
        ("mobilenet-v1-shallow", [Dense("fc", 1024, 1000)], 2_887_976, 307_323_392),
        (
            "vgg16",
            [Dense("fc1", 25088, 4096), Dense("fc2", 4096, 4096), Dense("fc3", 4096, 1000)],
            138_357_544,
            15_470_264_320,
        ),
        ("resnet50", [Dense("fc", 2048, 1000)], 25_583_592, 3_857_973_248),
    ],
)
def test_sizes_are_those_of_the_papers(
    model: str, head: list[Dense], parameters: int, multiply_adds: int
) -> None:
    size = size_of_layers(imagenet(model, *head), 224)
    assert (size.parameters, size.multiply_adds) == (parameters, multiply_adds)


def test_depthwise_layers_are_half_of_mobilenet_and_3_percent_of_its_work() -> None:
    size = size_of_layers(imagenet("mobilenet-v1", Dense("fc", 1024, 1000)), 224)
    assert size.depthwise_layers == 13 / 28
    assert size.depthwise_multiply_adds == pytest.approx(0.0306, abs=1e-4)  # Howard 2017, table 2
    vgg = network_size("vgg4-16", 10, 48)
    assert vgg is not None and vgg.depthwise_layers == vgg.depthwise_multiply_adds == 0


def test_lad2023s_network() -> None:
    size = network_size("resnet18", 10, 32)
    assert size is not None
    assert (size.parameters, size.multiply_adds) == (11_169_162, 555_422_720)
    assert len(size.operations) == 21
    normalised = network_size("resnet18-bn", 10, 32)
    assert normalised is not None
    assert (normalised.parameters, normalised.multiply_adds) == (11_173_962, 555_422_720)


@pytest.mark.parametrize("model", APPLICATIONS)
def test_parameters_are_what_is_trained(model: str) -> None:
    arrays = initial_arrays(application(model, 10, 48), seed=0)
    trained = sum(array.size for name, array in arrays.items() if ".moving_" not in name)
    size = network_size(model, 10, 48)
    assert size is not None and size.parameters == trained


def test_every_number_of_a_small_network_by_hand() -> None:
    layers = [
        Convolution("a", 3, 8, 3, 2, (0, 1)), Normalisation("n", 8, 1e-3), Relu(6.0),
        Convolution("d", 8, 8, 3, 1, (1, 1), bias=False, depthwise=True),
        Residual([Convolution("b", 8, 8, 1)], []), MaxPool(2, 2), Flatten(), Dense("e", 72, 10),
    ]  # fmt: skip
    size = size_of_layers(layers, 12)
    a, d, b, e = size.operations
    assert a == ("a", 216, 8, 216 * 36, 3 * 144, 8 * 36, False)
    assert d == ("d", 72, 0, 72 * 36, 8 * 36, 8 * 36, True)
    assert b == ("b", 64, 8, 64 * 36, 8 * 36, 8 * 36, False)
    assert e == ("e", 720, 10, 720, 72, 10, False)
    assert size.parameters == 16 + 224 + 72 + 72 + 730
    read_and_written = 432 + 288 + 4 * 288 + 72 + 10
    assert size.bytes_moved(1) == 4 * (1098 + read_and_written)
    assert size.bytes_moved(32) == 4 * (1098 + 32 * read_and_written)


def test_what_shrinks_a_picture_shrinks_it_as_the_network_does() -> None:
    """Odd sizes too: the flattened features are as many as the first product takes."""
    for model in APPLICATIONS:
        for size in (48, 51, 128):
            network = application(model, 10, size)
            dense = next(layer for layer in network.layers if isinstance(layer, Dense))
            found = network_size(model, 10, size)
            assert found is not None
            features = next(one.read for one in found.operations if one.name == dense.name)
            last = [one for one in found.operations if one.name != dense.name][-3]
            assert features == dense.inputs and last.written >= features


def test_a_person_s_own_network_has_no_size_here() -> None:
    assert network_size("mine", 10, 48) is None


def test_the_paper_s_networks_are_as_they_were() -> None:
    assert list(PUBLISHED) == ["vgg16", "resnet50", "mobilenet-v1"]
    plain, _, channels = partial(mobilenet_v1, width=1.0)(48)
    assert plain == mobilenet_v1(48)[0] and channels == 1024
