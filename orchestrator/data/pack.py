"""Data packs: decoded pixels and labels, written once, found again by what they hold.

The format is described where it is read, in runners/data.py.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from manifests.cell import sha256_hex
from manifests.codec import UnreadableError, read_struct
from manifests.files import write_atomically
from manifests.manifest import Dataset, Split
from orchestrator.errors import MachineError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

Progress = Callable[[str, int, int], None]
"""(what, done, of all)"""


class Part(NamedTuple):
    """uint8 ``images`` (count, height, width, 3) and uint8 ``labels`` (count,)."""

    images: Pixels
    labels: Pixels


class Source(NamedTuple):
    """A data set before it is packed; ``load`` decodes it at an image size.

    ``key`` differs whenever the content may differ.
    """

    name: str
    origin: str
    classes: list[str]
    key: str
    load: Callable[[int, Progress], dict[str, Part]]


def pack_folder(source: Source, image_size: int, cache: Path) -> Path:
    """Where the pack lies, made or not."""
    return cache / "data" / f"{source.name}-{image_size}-{sha256_hex(source.key.encode())[:12]}"


def prepare(source: Source, image_size: int, cache: Path, progress: Progress) -> Path:
    """The folder of the pack, made now unless the cache has it. Raises KitError."""
    folder = pack_folder(source, image_size, cache)
    if (folder / "meta.json").is_file() and _readable(folder):
        return folder
    parts = source.load(image_size, progress)
    try:
        _write(folder, source, image_size, parts)
    except OSError as error:
        raise MachineError(
            f"the data set {source.name} can't be stored under {folder.parent}: {error.strerror}. "
            "Free some space, or set REPLIQUANT_CACHE to another folder"
        ) from error
    return folder


def read_meta(folder: Path) -> Dataset:
    """What a pack says of itself. Raises UnreadableError."""
    return read_struct(folder / "meta.json", Dataset)


def pack_digest(meta: Dataset) -> str:
    """One hash over all splits of a pack."""
    text = "".join(f"{name}:{split.sha256};" for name, split in sorted(meta.splits.items()))
    return hashlib.sha256(text.encode()).hexdigest()


def _readable(folder: Path) -> bool:
    try:
        read_meta(folder)
    except (UnreadableError, OSError):
        return False
    return True


def _write(folder: Path, source: Source, image_size: int, parts: dict[str, Part]) -> None:
    """Fill a temporary folder beside the target, then give it its name."""
    import numpy as np

    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".packing-"))
    try:
        for split, part in parts.items():
            np.save(temporary / f"{split}_images.npy", part.images)
            np.save(temporary / f"{split}_labels.npy", part.labels)
        meta = _describe(source, image_size, parts)
        write_atomically(temporary / "meta.json", msgspec.json.encode(meta) + b"\n")
        # Containers read it as another user, whatever the umask here is.
        for file in temporary.iterdir():
            os.chmod(file, 0o644)
        os.chmod(temporary, 0o755)
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _describe(source: Source, image_size: int, parts: dict[str, Part]) -> Dataset:
    import numpy as np

    train = parts["train"].images.reshape(-1, 3)
    histogram = np.stack([np.bincount(train[:, c], minlength=256) for c in range(3)])
    levels = np.arange(256) / 255
    mean = (histogram * levels).sum(1) / histogram.sum(1)
    variance = (histogram * (levels - mean[:, None]) ** 2).sum(1) / histogram.sum(1)
    return Dataset(
        name=source.name,
        origin=source.origin,
        classes=source.classes,
        image_size=image_size,
        mean=[round(float(value), 6) for value in mean],
        std=[round(max(float(value) ** 0.5, 1e-3), 6) for value in variance],
        splits={name: _split(part) for name, part in parts.items()},
    )


def _split(part: Part) -> Split:
    import numpy as np

    digest = hashlib.sha256(np.ascontiguousarray(part.images).tobytes())
    digest.update(part.labels.tobytes())
    return Split(count=len(part.labels), sha256=digest.hexdigest())
