"""One bit an image: what is unpacked is what was packed, and nothing else is taken for answers."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.right_answers import RightAnswers, unpacked


def recorded(count: int, data: bytes) -> RightAnswers:
    return RightAnswers(count=count, images_sha256="a", right=base64.b64encode(data).decode())


def test_the_first_image_is_the_highest_bit() -> None:
    found = unpacked(recorded(10, bytes([0b1010_0001, 0b0100_0000])))
    assert found == (True, False, True, False, False, False, False, True, False, True)


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_every_bit_comes_back(right: list[bool]) -> None:
    data = int("".join("01"[one] for one in right).ljust(-(-len(right) // 8) * 8, "0"), 2)
    packed = data.to_bytes(-(-len(right) // 8), "big")
    assert unpacked(recorded(len(right), packed)) == tuple(right)


@pytest.mark.parametrize(
    "wrong",
    [
        recorded(9, b"\0"),
        recorded(8, b"\0\0"),
        recorded(0, b""),
        recorded(-1, b"\0"),
        RightAnswers(count=8, images_sha256="a", right="no base64"),
        RightAnswers(count=8, images_sha256="a", right="é==="),
    ],
)
def test_what_has_another_number_of_bits_has_no_answers(wrong: RightAnswers) -> None:
    assert unpacked(wrong) is None
