"""What TensorFlow Lite Micro's parts make of plain data: counts, bytes, native words."""

from __future__ import annotations

import os

import numpy as np
import pytest

from runners.tflite_micro.parts.arithmetic_counts import by_operation, multiply_adds
from runners.tflite_micro.parts.byte_difference import NONE, Difference, difference
from runners.tflite_micro.parts.operations import Operation, Tensor
from runners.tflite_micro.parts.stderr_text import captured


def tensor(*shape: int, dtype: str = "int8") -> Tensor:
    return Tensor(0, "t", shape, dtype, 0.5, 0)


def product(name: str, weights: Tensor, result: Tensor, images: Tensor | None = None) -> Operation:
    return Operation(name, [images or tensor(1, 8, 8, 3), weights], [result])


@pytest.mark.parametrize(
    ("operation", "count"),
    [
        (product("CONV_2D", tensor(16, 3, 3, 8), tensor(1, 5, 5, 16)), 5 * 5 * 16 * 3 * 3 * 8),
        (product("DEPTHWISE_CONV_2D", tensor(1, 3, 3, 8), tensor(1, 5, 5, 8)), 25 * 8 * 9),
        (product("FULLY_CONNECTED", tensor(10, 64), tensor(1, 10)), 640),
        (product("ADD", tensor(1, 5, 5, 8), tensor(1, 5, 5, 8)), 0),
        (
            Operation(
                "TRANSPOSE_CONV",
                [tensor(4), tensor(8, 2, 2, 3), tensor(1, 4, 4, 3)],
                [tensor(1, 8, 8, 8)],
            ),
            4 * 4 * 3 * 8 * 2 * 2,
        ),
    ],
)
def test_multiply_adds(operation: Operation, count: int) -> None:
    assert multiply_adds(operation) == count


def test_they_are_added_up_by_name() -> None:
    layer = product("FULLY_CONNECTED", tensor(10, 64), tensor(1, 10))
    assert by_operation([layer, Operation("SOFTMAX", [tensor(1, 10)], [tensor(1, 10)]), layer]) == {
        "FULLY_CONNECTED": 1280
    }


def test_bytes_are_compared_one_by_one() -> None:
    ours, theirs = np.array([[1, 2, -3]], np.int8), np.array([[1, 4, -3]], np.int8)
    assert difference(ours, theirs) == Difference(2, 3, 2.0)
    assert NONE.plus(difference(ours, theirs)).plus(difference(ours, ours)) == Difference(5, 6, 2.0)


def test_floats_are_compared_by_their_bytes() -> None:
    ours = np.array([1.0], np.float32)
    theirs = np.nextafter(ours, np.float32(2))
    assert difference(ours, theirs).equal == 3


def test_other_shapes_and_types_are_not_compared() -> None:
    with pytest.raises(ValueError, match="can't be compared"):
        difference(np.zeros(3, np.int8), np.zeros(4, np.int8))
    with pytest.raises(ValueError, match="can't be compared"):
        difference(np.zeros(3, np.int8), np.zeros(3, np.uint8))


def test_what_native_code_writes_is_kept_and_goes_on(capfd: pytest.CaptureFixture[str]) -> None:
    with captured() as told:
        os.write(2, b"Arena allocation total 12 bytes\n  and more\n")
    os.write(2, b"later\n")
    assert told == ["Arena allocation total 12 bytes", "and more"]
    assert capfd.readouterr().err == "Arena allocation total 12 bytes\n  and more\nlater\n"


def test_what_was_written_before_a_failure_is_kept(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError), captured() as told:
        os.write(2, b"the reason\n")
        raise RuntimeError
    assert told == ["the reason"] and capfd.readouterr().err == "the reason\n"
