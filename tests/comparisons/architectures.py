"""Three networks with the head of shafique2023, counted layer by layer."""

from __future__ import annotations

from collections.abc import Iterator


def architectures() -> Iterator[tuple[str, int, int, tuple[int, int]]]:
    """Networks and what they have, counted layer by layer: all parameters and multiply-adds."""
    for size, classes in ((48, 10), (128, 2)):
        yield "vgg16", size, classes, vgg16(size, classes)
        yield "resnet50", size, classes, resnet50(size, classes)
        yield "mobilenet-v1", size, classes, mobilenet(size, classes)


def head(parameters: int, multiply_adds: int, flat: int, classes: int) -> tuple[int, int]:
    for inputs, outputs in ((flat, 50), (50, 20), (20, classes)):
        parameters += inputs * outputs + outputs
        multiply_adds += inputs * outputs
    return parameters, multiply_adds


def vgg16(size: int, classes: int) -> tuple[int, int]:
    parameters = multiply_adds = 0
    channels = 3
    for layers, width in ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)):
        for _ in range(layers):
            parameters += 9 * channels * width + width
            multiply_adds += 9 * channels * width * size * size
            channels = width
        size //= 2
    return head(parameters, multiply_adds, size * size * 512, classes)


def mobilenet(size: int, classes: int) -> tuple[int, int]:
    """Without the moving averages of batch normalisation, which aren't trained."""
    size = (size + 1 - 3) // 2 + 1
    parameters, multiply_adds, channels = 27 * 32 + 2 * 32, 27 * 32 * size * size, 32
    blocks = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5]
    for width, stride in [*blocks, (1024, 2), (1024, 1)]:
        size = (size + 1 - 3) // 2 + 1 if stride == 2 else size
        parameters += 9 * channels + 2 * channels + channels * width + 2 * width
        multiply_adds += (9 * channels + channels * width) * size * size
        channels = width
    return head(parameters, multiply_adds, size * size * 1024, classes)


def resnet50(size: int, classes: int) -> tuple[int, int]:
    """Convolutions have biases and normalisation two trained numbers a channel."""
    size = (size + 6 - 7) // 2 + 1
    parameters, multiply_adds = 147 * 64 + 3 * 64, 147 * 64 * size * size
    size, channels = (size + 2 - 3) // 2 + 1, 64
    for stage, (blocks, width) in enumerate(((3, 64), (4, 128), (6, 256), (3, 512))):
        for block in range(blocks):
            size = (size - 1) // 2 + 1 if stage and not block else size
            layers = [(1, channels, width), (9, width, width), (1, width, 4 * width)]
            layers += [] if block else [(1, channels, 4 * width)]
            for kernel, inputs, outputs in layers:
                parameters += kernel * inputs * outputs + 3 * outputs
                multiply_adds += kernel * inputs * outputs * size * size
            channels = 4 * width
    return head(parameters, multiply_adds, size * size * 2048, classes)
