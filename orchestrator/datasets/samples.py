"""Samples for one model's input, in a NumPy file: nothing is known of what they show.

The first quarter calibrates, 256 at most, and the rest is answered; no sample does both.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from manifests import paths
from manifests.errors import InputError, MachineError
from manifests.files import as_text, write_atomically
from orchestrator.datasets.contents import file_sha256
from orchestrator.datasets.pack import Part, Progress, Source

if TYPE_CHECKING:
    import numpy as np

    Samples = np.ndarray[Any, np.dtype[Any]]

SUFFIX = ".npy"
LEAST = 8
MOST = 100_000
MOST_CALIBRATING = 256
_KEY = "samples-1"


def is_samples(place: Path) -> bool:
    """Whether it is called like such a file."""
    return place.suffix.lower() == SUFFIX and not place.is_dir()


def source(place: Path, name: str, cache: Path) -> Source:
    """The samples of a file. Raises InputError for one that can't be read."""
    opened(place)
    return Source(
        name=name,
        origin="samples for one model, as it takes them, from a NumPy file",
        classes=[],
        key=_KEY,
        load=lambda image_size, progress: _load(place, progress),
        contents=lambda progress: file_sha256(place, cache),
        mirrored=False,
    )


def opened(place: Path) -> Samples:
    """The samples, still on disk: uint8 or floating point, the first dimension counts them.

    Raises InputError.
    """
    import numpy as np

    if not place.is_file():
        raise _refused(place, "there is no such file")
    try:
        found = np.load(place, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise _refused(place, f"it can't be read: {error}") from None
    if not isinstance(found, np.ndarray) or found.ndim < 2:
        raise _refused(place, "it has no array whose first dimension counts samples")
    if found.dtype != np.uint8 and found.dtype.kind != "f":
        raise _refused(place, f"it holds {found.dtype}. Accepted: float32, uint8")
    if not LEAST <= len(found) <= MOST:
        raise _refused(place, f"it has {len(found):,} samples; {LEAST} to {MOST:,} are accepted")
    return found


def calibrating(count: int) -> int:
    """How many of so many samples calibrate."""
    return min(count // 4, MOST_CALIBRATING)


def _refused(place: Path, why: str) -> InputError:
    return InputError(f"{as_text(str(place))} can't be used as samples: {why}")


def _load(place: Path, progress: Progress) -> dict[str, Part]:
    import numpy as np

    found = opened(place)
    taken: Any = np.array(found, np.uint8 if found.dtype == np.uint8 else np.float32)
    if not np.isfinite(taken).all():
        raise _refused(place, "it holds values that aren't finite")
    progress("samples", len(taken), len(taken))
    first = calibrating(len(taken))
    labels = np.zeros(len(taken), np.uint8)
    return {
        "train": Part(taken[:first], labels[:first]),
        "test": Part(taken[first:], labels[first:]),
    }


def random_samples(shape: tuple[int, ...], image: tuple[int, int] | None, count: int) -> Path:
    """A file of samples that nobody took: the same ones for the same shape.

    ``image``: side and channels of pictures, which are uint8 with channels last and equally likely
    in every level; else numbers with mean 0 and standard deviation 1. Raises MachineError.
    """
    import numpy as np

    generator = np.random.default_rng(0)
    sizes = (image[0], image[0], image[1]) if image else shape
    name = "x".join(map(str, sizes))
    path = paths.cache() / "own-samples" / f"{'pixels' if image else 'normal'}-{name}-{count}.npy"
    if image:
        made: Samples = generator.integers(0, 256, (count, *sizes), np.uint8)
    else:
        made = generator.standard_normal((count, *sizes)).astype(np.float32)
    content = io.BytesIO()
    np.save(content, made)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.stat().st_size != content.tell():
            write_atomically(path, content.getvalue())
    except OSError as error:
        raise MachineError(f"{path.parent} can't be written to: {error.strerror}") from error
    return path
