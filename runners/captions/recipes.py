"""What recipes of a captioner say beside those of a classifier."""

from __future__ import annotations

from typing import Literal

import msgspec

from runners.training import FallingAdamRecipe

LeftInFloat = Literal["nothing", "what has to be"]
"""Of a network that is quantized: the whole of it is tried, or what has to stay in float is found
and the rest is quantized."""


class QuantizeCaptionerRecipe(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """How many pictures calibrate and test (0: all).

    ``step_s``: how long each step of finding what has to stay in float may take, in seconds.
    ``timed_calls``: calls that are timed, 0 for none.
    """

    calibration_images: int
    test_images: int
    left_in_float: LeftInFloat = "nothing"
    step_s: float = 600.0
    timed_calls: int = 20


class TrainCaptionerRecipe(
    FallingAdamRecipe, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """Adam whose rate falls in equal steps; the rest as above, for what is quantized."""

    left_in_float: LeftInFloat = "nothing"
    step_s: float = 600.0
    timed_calls: int = 20
