"""Pictures of every kind as 8-bit RGB: scaled rightly, or refused with their name."""

from __future__ import annotations

import io
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from manifests.errors import InputError
from orchestrator.datasets.layout import Listing
from orchestrator.datasets.names import unreadable
from orchestrator.datasets.pack import Part, Progress

if TYPE_CHECKING:
    import numpy as np

    Pixels = np.ndarray[Any, np.dtype[np.uint8]]

LARGEST_PICTURE = 64 * 2**20
_ACCEPTED = "accepted are 8 and 16 bits a channel, grey, RGB, CMYK or a palette, and 1 bit"
_TURNED = "turned as their EXIF orientation says"
_DEPTH = "16 bits scaled to 8"
_ALPHA = "transparency left out"
_FRAMES = "first of several frames"
_INK = "CMYK to RGB"
_ORIENTATION, _TIFF_BITS = 0x0112, 258


class Decoded:
    """A picture's pixels, (height, width, 3), its size before, and what was done to it."""

    def __init__(self, pixels: Pixels, size: tuple[int, int], changes: list[str]) -> None:
        self.pixels, self.size, self.changes = pixels, size, changes


def load(
    listing: Listing, contents: Iterable[tuple[str, str, bytes]], size: int, progress: Progress
) -> dict[str, Part]:
    """The listing's pictures at ``size``, of (real, name for messages, content) in any order.

    Raises InputError that names a picture which can't be used.
    """
    import numpy as np

    parts = {split: listing.of(split) for split in ("train", "test")}
    pixels = {s: np.empty((len(p), size, size, 3), np.uint8) for s, p in parts.items()}
    wanted: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for split, pictures in parts.items():
        for index, picture in enumerate(pictures):
            wanted[picture.real].append((split, index))
    changes: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for done, (real, name, content) in enumerate(contents):
        decoded = decode(content, name, size)
        for split, index in wanted.pop(real):
            pixels[split][index] = decoded.pixels
            changes.update(decoded.changes)
            sizes["{} x {}".format(*decoded.size)] += 1
        if done % 500 == 0:
            progress("decoding images", done, len(listing.pictures))
    if wanted:
        raise InputError(f"{len(wanted):,} pictures went away while they were read. Run again")
    labels = {
        s: [listing.classes.index(p.label) for p in pictures] for s, pictures in parts.items()
    }
    made = {s: Part(pixels[s], np.array(labels[s], np.uint8)) for s in parts}
    return {**made, "train": made["train"]._replace(converted=changes, sizes=sizes)}


def bounded(place: str, size: int) -> None:
    """Raises InputError for a file larger than a picture may be."""
    if size > LARGEST_PICTURE:
        raise InputError(f"{place} has {size:,} bytes; a picture may have 64 MiB")


def decode(content: bytes, place: str, size: int) -> Decoded:
    """RGB at (size, size), stretched to it like the Keras loader does.

    Raises InputError that names ``place``.
    """
    import numpy as np
    from PIL import Image

    try:
        with warnings.catch_warnings():  # of damaged EXIF data, which nobody needs
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content)) as image:
                orientation = _orientation(image)
                changes = list(_changes(image, orientation))
                picture = _upright(_rgb(image), orientation)
        before = picture.size
        if picture.size != (size, size):
            picture = picture.resize((size, size), Image.Resampling.BILINEAR)
        return Decoded(np.asarray(picture), before, changes)
    except _Refused as error:
        raise unreadable(place, str(error)) from None
    # Pillow's readers of damaged files end in nearly any error.
    except Exception as error:
        raise unreadable(place, _reason(error)) from error


class _Refused(Exception):
    """A kind of picture whose range isn't known."""


def _reason(error: Exception) -> str:
    from PIL import UnidentifiedImageError

    if isinstance(error, UnidentifiedImageError):
        return "in no format that is known"
    return str(error) or type(error).__name__


def _changes(image: Any, orientation: int) -> Iterator[str]:
    if image.mode.startswith("I"):
        yield _DEPTH
    if image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info:
        yield _ALPHA
    if image.mode == "CMYK":
        yield _INK
    if getattr(image, "n_frames", 1) > 1:
        yield _FRAMES
    if orientation != 1:
        yield _TURNED


def _rgb(image: Any) -> Any:
    """8-bit RGB with the orientation it is stored in. Raises _Refused."""
    if image.mode == "F":
        raise _Refused(f"floating point, whose range is not known; {_ACCEPTED}")
    if image.mode.startswith("I"):
        return _from_16_bits(image)
    return image.convert("RGB")


def _from_16_bits(image: Any) -> Any:
    """Grey of more than 8 bits, scaled so that its largest value becomes 255."""
    import numpy as np
    from PIL import Image

    # Pillow keeps 16-bit PNG and PNM as 32-bit integers or as 16-bit ones, by its version.
    if image.mode == "I" and image.format not in ("PNG", "PPM"):
        raise _Refused(f"32-bit or signed integers, whose range is not known; {_ACCEPTED}")
    most = 65535
    tags = getattr(image, "tag_v2", None)
    if tags is not None:
        most = 2 ** int(tags.get(_TIFF_BITS, (16,))[0]) - 1
    values = np.asarray(image).astype(np.float64)
    grey = np.clip(np.rint(values * (255 / most)), 0, 255).astype(np.uint8)
    return Image.fromarray(grey).convert("RGB")


def _orientation(image: Any) -> int:
    """1 to 8 as EXIF counts; 1, upright, where the data is damaged or missing."""
    try:
        found = image.getexif().get(_ORIENTATION, 1)
    except Exception:
        return 1
    return found if found in range(1, 9) else 1


def _upright(picture: Any, orientation: int) -> Any:
    from PIL import Image

    turn = Image.Transpose
    ways = {
        2: turn.FLIP_LEFT_RIGHT, 3: turn.ROTATE_180, 4: turn.FLIP_TOP_BOTTOM, 5: turn.TRANSPOSE,
        6: turn.ROTATE_270, 7: turn.TRANSVERSE, 8: turn.ROTATE_90,
    }  # fmt: skip
    way = ways.get(orientation)
    return picture if way is None else picture.transpose(way)
