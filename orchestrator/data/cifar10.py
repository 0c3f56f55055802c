"""``cifar10``: the official python archive, fetched once, checked, read without trust."""

from __future__ import annotations

import hashlib
import io
import pickle
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from orchestrator.data.pack import Part, Progress, Source
from orchestrator.errors import InputError, MachineError

NAME = "cifar10"
LOCAL_NAME = "cifar10-local"
ARCHIVE = "cifar-10-python.tar.gz"
URL = f"https://www.cs.toronto.edu/~kriz/{ARCHIVE}"
SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
SIZE_BYTES = 170_498_071
IMAGE_SIZE = 32
FOLDER = "cifar-10-batches-py"
CLASSES = [
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
]  # fmt: skip
_TRAIN = [f"data_batch_{number}" for number in range(1, 6)]
_ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
}
ReadFile = Callable[[str], bytes]


def lies_in(folder: Path) -> bool:
    """True when ``folder`` holds the official archive, or what was unpacked from it."""
    return (folder / ARCHIVE).is_file() or (folder / FOLDER).is_dir()


def is_official(folder: Path) -> bool:
    """True when ``folder`` holds the archive with the published hash; half a second to read."""
    archive = folder / ARCHIVE
    if not archive.is_file() or archive.stat().st_size != SIZE_BYTES:
        return False
    with open(archive, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == SHA256


def source(cache: Path, folder: Path | None = None, name: str = NAME) -> Source:
    """From ``folder`` when given, else from the cache, else by a download at loading.

    ``name`` is LOCAL_NAME for files in the official layout that are not known to be it.
    """
    official = name == NAME
    return Source(
        name=name,
        origin="Krizhevsky 2009, official python archive" if official else "local, same layout",
        classes=CLASSES,
        key="cifar10-python-1" if folder is None else f"cifar10-local-{_stamp(folder)}",
        load=lambda size, progress: _load(size, progress, cache, folder),
    )


def _stamp(folder: Path) -> int:
    path = folder / ARCHIVE if (folder / ARCHIVE).is_file() else folder / FOLDER
    return path.stat().st_mtime_ns


def _load(size: int, progress: Progress, cache: Path, folder: Path | None) -> dict[str, Part]:
    parts = _decode(progress, cache, folder)
    if size == IMAGE_SIZE:
        return parts
    return {split: _resized(part, size, progress) for split, part in parts.items()}


def _resized(part: Part, size: int, progress: Progress) -> Part:
    """Bilinear, as shafique2023 did for 48 x 48."""
    import numpy as np
    from PIL import Image

    images = np.empty((len(part.images), size, size, 3), np.uint8)
    for index, picture in enumerate(part.images):
        resized = Image.fromarray(picture).resize((size, size), Image.Resampling.BILINEAR)
        images[index] = np.asarray(resized)
        if index % 5000 == 0:
            progress(f"resizing to {size} x {size}", index, len(images))
    return Part(images, part.labels)


def _decode(progress: Progress, cache: Path, folder: Path | None) -> dict[str, Part]:
    if folder is not None and not (folder / ARCHIVE).is_file():
        return _parts(lambda name: (folder / FOLDER / name).read_bytes(), progress)
    archive = folder / ARCHIVE if folder is not None else _fetch(cache / "downloads")
    try:
        with tarfile.open(archive) as tar:
            return _parts(lambda name: _member(tar, name), progress)
    except (tarfile.TarError, EOFError, KeyError) as error:
        raise InputError(f"{archive} is not the official {ARCHIVE}: {error}") from error


def _fetch(folder: Path) -> Path:
    """Download with the hash checked (pooch). Raises MachineError without a network."""
    import logging

    import pooch

    pooch.get_logger().setLevel(logging.ERROR)
    try:
        return Path(pooch.retrieve(URL, f"sha256:{SHA256}", fname=ARCHIVE, path=folder))
    except Exception as error:  # every network library has errors of its own
        raise MachineError(
            f"cifar10 can't be fetched ({type(error).__name__}: {str(error)[:160]}). Put "
            f"{ARCHIVE} into a folder and give it with --data-dir, or use the embedded set with "
            "--dataset digits"
        ) from error


def _member(tar: tarfile.TarFile, name: str) -> bytes:
    file = tar.extractfile(f"{FOLDER}/{name}")
    if file is None:
        raise KeyError(name)
    return file.read()


def _parts(read: ReadFile, progress: Progress) -> dict[str, Part]:
    import numpy as np

    train = []
    for index, name in enumerate(_TRAIN):
        progress("reading cifar10", index, len(_TRAIN) + 1)
        train.append(_batch(read, name))
    return {
        "train": Part(
            np.concatenate([part.images for part in train]),
            np.concatenate([part.labels for part in train]),
        ),
        "test": _batch(read, "test_batch"),
    }


def _batch(read: ReadFile, name: str) -> Part:
    import numpy as np

    try:
        content = _Unpickler(io.BytesIO(read(name)), encoding="bytes").load()
        pixels = np.asarray(content[b"data"], np.uint8).reshape(-1, 3, 32, 32)
        labels = np.asarray(content[b"labels"], np.uint8)
        if labels.shape != (len(pixels),) or not (labels < len(CLASSES)).all():
            raise ValueError(f"its labels don't fit its {len(pixels)} images of 10 classes")
    except Exception as error:  # bytes that are no pickle end in nearly any error
        raise InputError(f"the CIFAR-10 file {name} can't be read: {error}") from error
    return Part(np.ascontiguousarray(pixels.transpose(0, 2, 3, 1)), labels)


class _Unpickler(pickle.Unpickler):
    """Pickle without its danger: only what an array of numbers is made of."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"refused to load {module}.{name}")
        return super().find_class(module, name)
