"""torch's and torchao's own quantizers, each with the rule that it is held against.

What they do otherwise than shafique2023's equations, as their sources have it, is in numbers here
and in words in ``Rule.differs``: a rule that is wrong shows as integers that are not equal by it.
"""

from __future__ import annotations

from typing import Any, Callable, List, NamedTuple, Tuple

import numpy as np
import torch
from torch.ao.quantization import observer

from runners.arithmetic.calibrators import Range, by_channel, min_max, moving_average
from runners.arithmetic.histograms import mse
from runners.arithmetic.quantizer_trial import Quantized, Rule, Sample
from runners.arithmetic.quantizers import (
    PLAIN,
    Parameters,
    Steps,
    symmetric_full,
    symmetric_restricted,
)

Array = Any
_EPSILON = float(torch.finfo(torch.float32).eps)
_FUSED = Steps("float32", "fused", smallest_scale=_EPSILON)
_IN_FLOAT32 = (
    "every step is in float32, Z is added to x times 1/S before rounding (in one operation), the "
    "range is widened to hold 0, and S is at least 2^-23"
)
_BY_CHANNEL = _IN_FLOAT32.replace("in one operation", "in two operations")
_RECIPROCAL = Steps("float32", "reciprocal")
_TORCHAO = "every step is in float32, x is multiplied by 1/S, the range is widened to hold 0"


class Trial(NamedTuple):
    """One quantizer: its name in tables, what it is held against, and itself."""

    name: str
    rule: Rule
    apply: Callable[[Sample], Quantized]


def per_tensor() -> List[Trial]:
    """Quantizers of a whole tensor."""
    plain = Rule("Equations 1 to 3", differs=_IN_FLOAT32, steps=_FUSED)
    symmetric = plain._replace(equations="Equations 7 and 8", make=symmetric_full)
    restricted = plain._replace(equations="Equations 7 and 9", make=symmetric_restricted)
    searched = plain._replace(
        calibrate=mse,
        differs=f"its range is searched in a histogram of 2,048 bins, and {_IN_FLOAT32}",
    )
    ends = {"quant_min": -127, "quant_max": 127}
    scheme = {"qscheme": torch.per_tensor_symmetric}
    return [
        Trial("asymmetric-minmax", plain, _observing(observer.MinMaxObserver)),
        Trial(
            "asymmetric-minmax-unsigned",
            plain._replace(shift=128, differs=f"integers are 0 ... 255, and {_IN_FLOAT32}"),
            _observing(observer.MinMaxObserver, dtype=torch.quint8),
        ),
        Trial(
            "asymmetric-moving-average",
            plain._replace(calibrate=moving_average),
            _observing(observer.MovingAverageMinMaxObserver),
        ),
        Trial("asymmetric-histogram", searched, _observing(observer.HistogramObserver)),
        Trial("symmetric-full-minmax", symmetric, _observing(observer.MinMaxObserver, **scheme)),
        Trial(
            "symmetric-restricted-minmax",
            restricted,
            _observing(observer.MinMaxObserver, **scheme, **ends),
        ),
        *_torchao(),
    ]


def per_channel(axis: int) -> List[Trial]:
    """Quantizers of each channel along ``axis``."""
    plain = Rule(
        "Equations 1 to 3 by channel",
        calibrate=_channels(axis),
        differs=_BY_CHANNEL,
        steps=_FUSED._replace(way="sum"),
        axis=axis,
    )
    symmetric = plain._replace(equations="Equations 7 and 8 by channel", make=symmetric_full)
    scheme = {"ch_axis": axis, "qscheme": torch.per_channel_symmetric}
    return [
        Trial(
            "asymmetric-per-channel",
            plain,
            _observing(
                observer.PerChannelMinMaxObserver, ch_axis=axis, qscheme=torch.per_channel_affine
            ),
        ),
        Trial(
            "symmetric-full-per-channel",
            symmetric,
            _observing(observer.PerChannelMinMaxObserver, **scheme),
        ),
    ]


def round_trip(values: Array, parameters: Parameters) -> Array:
    """torch's own quantization to signed integers and back; float32."""
    scale, zero_point = float(parameters.scale), int(parameters.zero_point)
    integers = torch.quantize_per_tensor(_tensor(values), scale, zero_point, torch.qint8)
    return integers.dequantize().numpy()


def cast(dtype: torch.dtype) -> Callable[[Array], Array]:
    """torch's own conversion from float32, as uint16 bits."""

    def converted(values: Array) -> Array:
        return _tensor(values).to(dtype).view(torch.int16).numpy().view(np.uint16)

    return converted


def _observing(kind: Any, dtype: torch.dtype = torch.qint8, **how: Any) -> Any:
    how.setdefault("qscheme", torch.per_tensor_affine)

    def apply(sample: Sample) -> Quantized:
        made = kind(dtype=dtype, **how)
        for batch in sample.batches:
            made(_tensor(batch))
        scale, zero_point = made.calculate_qparams()
        chosen = _searched(made)
        integers = _integers(_tensor(sample.values), scale, zero_point, dtype, how)
        return Quantized(_array(scale, how), _array(zero_point, how), integers, chosen)

    return apply


def _searched(made: Any) -> Any:
    if not isinstance(made, observer.HistogramObserver):
        return None
    low, high = made._non_linear_param_search()
    return Range(low.numpy(), high.numpy())


def _integers(
    values: torch.Tensor, scale: Any, zero_point: Any, dtype: torch.dtype, how: Any
) -> Array:
    if "ch_axis" in how:
        quantized = torch.quantize_per_channel(values, scale, zero_point, how["ch_axis"], dtype)
        return quantized.int_repr().numpy()
    quantized = torch.quantize_per_tensor(values, float(scale), int(zero_point), dtype)
    return quantized.int_repr().numpy()


def _array(values: torch.Tensor, how: Any) -> Array:
    return values.numpy() if "ch_axis" in how else values.numpy().reshape(())


def _tensor(values: Array) -> torch.Tensor:
    return torch.from_numpy(np.array(values, np.float32))


def _channels(axis: int) -> Callable[[Any], Range]:
    def calibrate(batches: Any) -> Range:
        return by_channel(batches[0], axis)

    return calibrate


def _torchao() -> List[Trial]:
    """torchao's, which quantizes what it is calibrated on."""
    plain = Rule("Equations 1 to 3", differs=_TORCHAO, steps=_RECIPROCAL)
    symmetric = plain._replace(equations="Equations 7 and 8", make=symmetric_full)
    one_sided = plain._replace(
        equations="Equations 7 and 8",
        make=_no_clipping,
        differs="S is the larger of f_min / -128 and f_max / 127, so that nothing is clipped; "
        f"otherwise {_TORCHAO}",
    )
    return [
        Trial("torchao-asymmetric", plain, _torchao_quantizer("ASYMMETRIC")),
        Trial("torchao-symmetric-full", symmetric, _torchao_quantizer("SYMMETRIC")),
        Trial(
            "torchao-symmetric-unclipped",
            one_sided,
            _torchao_quantizer("SYMMETRIC_NO_CLIPPING_ERR"),
        ),
    ]


def _no_clipping(
    f_min: Array, f_max: Array, bits: int = 8, axis: Any = None, steps: Steps = PLAIN
) -> Parameters:
    """By the equations, Equation 8; by torchao's own steps, its own rule."""
    if steps == PLAIN:
        return symmetric_full(f_min, f_max, bits, axis)
    low, high = np.float32(f_min), np.float32(f_max)
    scale = np.asarray(max(low / np.float32(-128), high / np.float32(127)))
    return Parameters(scale, np.zeros((), np.int64), -128, 127, axis)


def _torchao_quantizer(kind: str) -> Callable[[Sample], Quantized]:
    def apply(sample: Sample) -> Quantized:
        from torchao.quantization import MappingType
        from torchao.quantization.quant_primitives import choose_qparams_affine, quantize_affine

        low, high = min_max(sample.batches)
        seen = torch.tensor([float(low), float(high)])
        scale, zero_point = choose_qparams_affine(seen, MappingType[kind], (2,), torch.int8)
        values = _tensor(sample.values).reshape(-1)
        block: Tuple[int, ...] = (values.numel(),)
        integers = quantize_affine(values, block, scale, zero_point, torch.int8)
        shaped = integers.numpy().reshape(np.shape(sample.values))
        return Quantized(scale.numpy().reshape(()), zero_point.numpy().reshape(()), shaped)

    return apply
