"""``cifar10``: the official python archive, fetched once, checked, read without trust."""

from __future__ import annotations

import io
import pickle
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

from manifests.cell import sha256_hex
from manifests.errors import InputError
from orchestrator.datasets import downloads
from orchestrator.datasets.contents import Contents, file_sha256, hashes
from orchestrator.datasets.pack import Part, Progress, Source

NAME = "cifar10"
LOCAL_NAME = "cifar10-local"
RESERVED = (LOCAL_NAME,)
ARCHIVE = "cifar-10-python.tar.gz"
URL = f"https://www.cs.toronto.edu/~kriz/{ARCHIVE}"
SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
STATED_IN = "Keras' source, datasets/cifar10.py"
SIZE_BYTES = 170_498_071
IMAGE_SIZE = 32
FOLDER = "cifar-10-batches-py"
CLASSES = [
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
]  # fmt: skip
_TEST = "test_batch"
_ACCEPTED_DATA = (
    "accepted is uint8 of shape (count, 3072): red, green and blue, 0 to 255, row by row"
)
_TRAIN = [f"data_batch_{number}" for number in range(1, 6)]
_ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
}
ReadFile = Callable[[str], bytes]


def recognises(place: Path) -> bool:
    """True when ``place`` holds the official archive, or what was unpacked from it."""
    return (place / ARCHIVE).is_file() or (place / FOLDER).is_dir()


def found_in(folder: Path) -> Path | None:
    """The folder itself."""
    return folder if recognises(folder) else None


def name_in(place: Path, cache: Path) -> str:
    """LOCAL_NAME for files in the official layout that are not known to be it."""
    return NAME if is_official(place, cache) else LOCAL_NAME


def is_official(folder: Path, cache: Path | None = None) -> bool:
    """True when ``folder`` holds the archive with the published hash."""
    archive = folder / ARCHIVE
    if not archive.is_file() or archive.stat().st_size != SIZE_BYTES:
        return False
    return file_sha256(archive, cache) == SHA256


def source(cache: Path, folder: Path | None = None, name: str = NAME) -> Source:
    """From ``folder`` when given, else from the cache, else by a download at loading.

    ``name`` is LOCAL_NAME for files in the official layout that are not known to be it.
    """
    official = name == NAME

    def contents(progress: Progress | None) -> str | None:
        return SHA256 if folder is None else _contents(folder, cache, progress)

    return Source(
        name=name,
        origin="Krizhevsky 2009, official python archive" if official else "local, same layout",
        classes=CLASSES,
        key="cifar10-python-2",
        load=lambda size, progress: _load(size, progress, cache, folder),
        contents=contents,
        counts={"train": 50_000, "test": 10_000} if official else {},
        checked=lambda: f"SHA-256 as stated in {STATED_IN}" if official else "",
    )


def remote() -> downloads.Remote:
    """The archive as its publisher offers it."""
    return downloads.Remote(
        what=NAME,
        url=URL,
        otherwise=(
            f"put {ARCHIVE} into a folder and give it with --data-dir, or use the embedded set "
            "with --dataset digits"
        ),
        digest=f"sha256:{SHA256}",
        stated_in=STATED_IN,
        size_bytes=SIZE_BYTES,
    )


def _files(folder: Path) -> list[Path]:
    """What is read of a folder of the person's own."""
    if (folder / ARCHIVE).is_file():
        return [folder / ARCHIVE]
    return [folder / FOLDER / name for name in (*_TRAIN, _TEST)]


def _contents(folder: Path, cache: Path, progress: Progress | None) -> str | None:
    """The archive's hash, or one over all batches."""
    memory = Contents(cache, f"cifar10 {folder.resolve()}")
    try:
        if progress is None:
            found = [memory.known(path) for path in _files(folder)]
        else:
            found = [*hashes(_files(folder), memory)]
    except OSError as error:
        raise InputError(_unread(Path(str(error.filename)).name, str(error.strerror))) from error
    if None in found:
        return None
    return found[0] if len(found) == 1 else sha256_hex(":".join(map(str, found)).encode())


def _load(size: int, progress: Progress, cache: Path, folder: Path | None) -> dict[str, Part]:
    before = _contents(folder, cache, progress) if folder else None
    parts = _decode(progress, cache, folder)
    if folder and _contents(folder, cache, progress) != before:
        raise InputError(f"the files under {folder} changed while they were read. Run again")
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
    return Part(images, part.labels, sizes={f"{IMAGE_SIZE} x {IMAGE_SIZE}": len(images)})


def _decode(progress: Progress, cache: Path, folder: Path | None) -> dict[str, Part]:
    if folder is not None and not (folder / ARCHIVE).is_file():
        return _parts(lambda name: (folder / FOLDER / name).read_bytes(), progress)
    if folder is not None:
        archive = folder / ARCHIVE
    else:
        archive = downloads.fetch(remote(), cache / "downloads", cache, progress)
    try:
        with tarfile.open(archive) as tar:
            members = {_inside(member.name): member for member in tar}
            return _parts(lambda name: _member(tar, members, name), progress)
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise InputError(f"{archive} is not the official {ARCHIVE}: {error}") from error


def _inside(name: str) -> str:
    """The last two parts of a name: archives are packed from inside and from outside."""
    return "/".join(PurePosixPath(name).parts[-2:])


def _member(tar: tarfile.TarFile, members: dict[str, tarfile.TarInfo], name: str) -> bytes:
    member = members.get(f"{FOLDER}/{name}")
    file = tar.extractfile(member) if member else None
    if file is None:
        raise FileNotFoundError(f"it is not in the archive ({FOLDER}/{name})")
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
        "test": _batch(read, _TEST),
    }


def _batch(read: ReadFile, name: str) -> Part:
    import numpy as np

    try:
        content = _Unpickler(io.BytesIO(read(name)), encoding="bytes").load()
        pixels = _pixels(_value(content, "data"))
        labels = _labels(_value(content, "labels"), len(pixels))
    except Exception as error:  # bytes that are no pickle end in nearly any error
        raise InputError(_unread(name, str(error) or type(error).__name__)) from error
    return Part(np.ascontiguousarray(pixels.transpose(0, 2, 3, 1)), labels)


def _unread(name: str, why: str) -> str:
    return f"the CIFAR-10 file {name} can't be read: {why}"


def _value(content: Any, key: str) -> Any:
    """Of a batch, whose keys are bytes, and text where Python 3 packed it again."""
    if not isinstance(content, dict):
        raise ValueError(f"it holds a {type(content).__name__}; accepted is a dictionary")
    if key.encode() in content:
        return content[key.encode()]
    if key in content:
        return content[key]
    found = ", ".join(sorted(str(k, "ascii", "replace") if isinstance(k, bytes) else str(k)
                             for k in content))  # fmt: skip
    raise ValueError(f"its keys are {found[:200] or 'none'}; accepted are data and labels")


def _pixels(data: Any) -> Any:
    """(count, 3, 32, 32) of what has to be uint8 (count, 3072). Raises ValueError."""
    import numpy as np

    if not isinstance(data, np.ndarray):
        raise ValueError(f"data is a {type(data).__name__}; {_ACCEPTED_DATA}")
    if data.dtype != np.uint8 or data.ndim != 2 or data.shape[1] != 3072 or not len(data):
        span = (
            f", {data.min():g} to {data.max():g}" if data.size and data.dtype.kind in "iuf" else ""
        )
        raise ValueError(f"data is {data.dtype} of shape {data.shape}{span}; {_ACCEPTED_DATA}")
    return data.reshape(-1, 3, IMAGE_SIZE, IMAGE_SIZE)


def _labels(labels: Any, count: int) -> Any:
    """uint8 (count,) of what has to be whole numbers 0 to 9. Raises ValueError."""
    import numpy as np

    found = np.asarray(labels)
    if found.dtype.kind not in "iu" or found.shape != (count,):
        raise ValueError(
            f"labels are {found.dtype} of shape {found.shape}; accepted is a list of {count} whole "
            "numbers, one an image"
        )
    if found.min() < 0 or found.max() >= len(CLASSES):
        raise ValueError(f"labels go from {found.min()} to {found.max()}; accepted are 0 to 9")
    return found.astype(np.uint8)


class _Unpickler(pickle.Unpickler):
    """Pickle without its danger: only what an array of numbers is made of."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"refused to load {module}.{name}")
        return super().find_class(module, name)
