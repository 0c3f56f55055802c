"""Pictures of every kind: scaled rightly, or refused with their name."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from manifests.errors import InputError
from orchestrator.datasets.decoder import decode
from orchestrator.datasets.uniformity import uniformity

RAMP = np.arange(64, dtype=np.uint16).reshape(8, 8) * 1040  # up to 65,520


def encoded(image: Image.Image, format: str, **more: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **more)
    return file.getvalue()


def levels(content: bytes, size: int = 8) -> list[int]:
    return [int(level) for level in decode(content, "here", size).pixels[..., 0].flatten()]


def changes(content: bytes) -> list[str]:
    return decode(content, "here", 8).changes


SCALED = [round(int(value) * 255 / 65535) for value in RAMP.flatten()]


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_16_bit_grey_keeps_its_range(format: str) -> None:
    content = encoded(Image.fromarray(RAMP), format)
    assert levels(content) == SCALED
    assert changes(content) == ["16 bits scaled to 8"]


def test_16_bit_pnm_keeps_its_range() -> None:
    content = b"P5 8 8 65535\n" + RAMP.astype(">u2").tobytes()
    assert levels(content) == SCALED


def test_big_endian_and_12_bit_tiff_keep_their_range() -> None:
    content = encoded(Image.frombytes("I;16B", (8, 8), RAMP.astype(">u2").tobytes()), "TIFF")
    assert levels(content) == SCALED


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8), "floating point"),
        (np.arange(64, dtype=np.int32).reshape(8, 8), "32-bit or signed integers"),
    ],
)
def test_pixels_of_unknown_range_are_refused_by_name(values: Any, why: str) -> None:
    content = encoded(Image.fromarray(values), "TIFF")
    with pytest.raises(InputError, match=rf"pets/0\.tif can't be read as an image \({why}") as no:
        decode(content, "pets/0.tif", 8)
    assert "accepted are 8 and 16 bits a channel" in str(no.value)
    assert "Repair it or take it out" in str(no.value)


def test_one_bit_grey_palette_and_cmyk_have_their_colours() -> None:
    half = Image.fromarray(np.repeat(np.array([[0, 255]], np.uint8), 2, axis=0))
    assert levels(encoded(half.convert("1"), "PNG"), 2) == [0, 255, 0, 255]
    assert levels(encoded(half, "PNG"), 2) == [0, 255, 0, 255]
    assert levels(encoded(half.convert("P"), "GIF"), 2) == [0, 255, 0, 255]
    blue = Image.new("RGB", (8, 8), (10, 20, 200)).convert("CMYK")
    decoded = decode(encoded(blue, "JPEG", quality=95), "here", 8)
    assert np.abs(decoded.pixels.astype(int) - (10, 20, 200)).max() <= 3
    assert decoded.changes == ["CMYK to RGB"]


@pytest.mark.parametrize("mode", ["LA", "RGBA", "PA"])
def test_transparency_is_left_out_and_said(mode: str) -> None:
    image = Image.new("LA" if mode == "LA" else "RGBA", (8, 8))
    image.paste((90, 0) if mode == "LA" else (90, 90, 90, 0), (0, 0, 8, 8))
    if mode == "PA":
        image = image.quantize(4)
    content = encoded(image, "PNG")
    assert set(levels(content)) == {90}
    assert changes(content) == ["transparency left out"]


# Where the white corner of the stored picture is once it stands upright: (row, column).
@pytest.mark.parametrize(
    ("orientation", "corner"),
    [(1, (0, 0)), (2, (0, 1)), (3, (1, 1)), (4, (1, 0)), (5, (0, 0)), (6, (0, 1)), (7, (1, 1)),
     (8, (1, 0))],
)  # fmt: skip
@pytest.mark.parametrize("bits", [8, 16])
def test_pictures_stand_upright_as_exif_says(
    orientation: int, corner: tuple[int, int], bits: int
) -> None:
    kind = np.uint8 if bits == 8 else np.uint16
    stored = np.zeros((2, 2), kind)
    stored[0, 0] = np.iinfo(kind).max
    exif = Image.Exif()
    exif[0x0112] = orientation
    decoded = decode(encoded(Image.fromarray(stored), "PNG", exif=exif), "here", 2)
    assert tuple(int(i) for i in np.argwhere(decoded.pixels[..., 0] == 255)[0]) == corner
    assert ("turned as their EXIF orientation says" in decoded.changes) == (orientation != 1)


def test_the_size_before_is_told_upright_and_of_several_frames_the_first_is_taken() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    wide = Image.new("RGB", (30, 20), (1, 2, 3))
    assert decode(encoded(wide, "PNG", exif=exif), "here", 8).size == (20, 30)
    frames = [Image.new("L", (8, 8), shade) for shade in (10, 200)]
    content = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert set(levels(content)) == {10}
    assert changes(content) == ["first of several frames"]


def test_damaged_exif_data_is_nobodys_concern() -> None:
    exif = b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x12\x01" * 9
    content = encoded(Image.new("RGB", (8, 8), (50, 50, 50)), "JPEG", exif=exif)
    assert set(levels(content)) == {50}


@pytest.mark.parametrize("content", [b"", b"words", encoded(Image.new("L", (8, 8)), "PNG")[:44]])
def test_what_is_no_picture_is_refused_by_name(content: bytes) -> None:
    with pytest.raises(InputError, match=r"^pets/0\.png can't be read as an image \([^<]+\)"):
        decode(content, "pets/0.png", 8)


def _images(count: int = 20, scatter: int = 0) -> Any:
    picture = np.random.default_rng(0).integers(0, 200, (8, 8, 3))
    moved = np.random.default_rng(1).integers(0, scatter + 1, (count, 8, 8, 3))
    return (picture + moved).astype(np.uint8)


def test_images_that_are_all_alike_are_told() -> None:
    assert uniformity({"train": _images(scatter=50), "test": _images(scatter=50)}) == ""
    same = "images differ from one another by 0 of 255 levels"
    assert uniformity({"train": _images(), "test": _images(scatter=50)}) == f"the train {same}"
    assert uniformity({"train": _images(scatter=1)}).startswith("the train images differ")
    assert uniformity({"test": np.full((9, 4, 4, 3), 255, np.uint8)}) == f"the test {same}"


def test_images_with_nothing_on_them_are_told() -> None:
    plain = (
        np.zeros((10, 4, 4, 3), np.uint8)
        + np.arange(0, 250, 25, dtype=np.uint8)[:, None, None, None]
    )
    assert uniformity({"train": plain}) == "100% of the train images are of one colour"
    plain[6:, 0, 0] = 255
    assert uniformity({"train": plain}) == "60% of the train images are of one colour"
    plain[4:, 0, 0] = 255
    assert uniformity({"train": plain}) == ""
