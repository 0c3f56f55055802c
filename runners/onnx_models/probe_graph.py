"""A graph on the way to a probed feature's network: it draws its weights and keeps its shape."""

from __future__ import annotations

from typing import Any, Callable, Tuple

import numpy as np

from runners.onnx_models.onnx_graph import INPUT, Graph

CHANNELS = 32
"""As many as the networks of torch and Keras have."""


class Net(Graph):
    """A graph that draws its weights; ``x`` is the last node, ``shape`` its shape without batch."""

    def __init__(self, seed: int, side: int) -> None:
        super().__init__({})
        self._random = np.random.default_rng(seed)
        self._count = 0
        self.side = side
        self.x = INPUT
        self.shape: Tuple[int, ...] = (3, side, side)

    def add(self, operator: str, *more: str, name: str = "", **attributes: Any) -> str:
        """A node on the last one, and ``more`` inputs; it becomes the last one."""
        self._count += 1
        self.x = self.node(
            operator, [self.x, *more], name or f"{operator.lower()}_{self._count}", **attributes
        )
        return self.x

    def drawn(self, *shape: int, fan_in: int = 0) -> str:
        """Weights of that shape whose products keep the size of what they multiply."""
        self._count += 1
        values = self._random.standard_normal(shape) / np.sqrt(fan_in or shape[-1])
        return self.constant(f"weight_{self._count}", values.astype(np.float32))

    def given(self, values: Any, dtype: Any = np.float32) -> str:
        """A constant."""
        self._count += 1
        return self.constant(f"constant_{self._count}", np.asarray(values, dtype))

    def conv(
        self, outputs: int = CHANNELS, kernel: Tuple[int, int] = (3, 3), pad: int = 1,
        group: int = 1, dilation: int = 1,
    ) -> str:  # fmt: skip
        """A convolution of stride 1 on the last node."""
        inputs, height, width = self.shape
        fan_in = inputs // group * kernel[0] * kernel[1]
        self.shape = (
            outputs,
            height + 2 * pad - dilation * (kernel[0] - 1),
            width + 2 * pad - dilation * (kernel[1] - 1),
        )
        return self.add(
            "Conv",
            self.drawn(outputs, inputs // group, *kernel, fan_in=fan_in),
            self.drawn(outputs, fan_in=outputs),
            kernel_shape=list(kernel),
            pads=[pad] * 4,
            group=group,
            dilations=[dilation] * 2,
        )

    def linear(self, outputs: int) -> str:
        """A product with a bias, on the last axis."""
        inputs = self.shape[-1]
        self.add("MatMul", self.drawn(inputs, outputs, fan_in=inputs))
        self.shape = (*self.shape[:-1], outputs)
        return self.add("Add", self.drawn(outputs, fan_in=outputs))

    def reshaped(self, *shape: int) -> str:
        """Without the batch, which stays."""
        self.shape = shape
        return self.add("Reshape", self.given([-1, *shape], np.int64))


Part = Callable[[Net], None]
"""Adds a feature's nodes behind the last one."""


def plain(operator: str, **attributes: Any) -> Part:
    """One node that changes no shape."""
    return lambda net: nothing(net.add(operator, **attributes))


def nothing(given: Any) -> None:
    """Nothing: what a lambda answers that is called for what it does."""
