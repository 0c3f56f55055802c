"""Data packs: decoded pixels and labels, written once, found again by what they hold.

The format is described where it is read, in runners/data.py.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from manifests.cell import sha256_hex
from manifests.codec import UnreadableError, read_struct
from manifests.errors import MachineError
from manifests.files import where_possible, write_atomically
from manifests.manifest import Dataset, Split
from manifests.msgspec_threads import looked_at
from orchestrator.datasets.contents import Contents, file_sha256
from orchestrator.datasets.uniformity import uniformity
from orchestrator.file_lock import waiting

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

_FILES = "files.json"
_MOST_NAMED = 8
Progress = Callable[[str, int, int], None]
"""(what, done, of all)"""


def quiet(what: str, done: int, of: int) -> None:
    """A progress that nobody listens to."""


class Part(NamedTuple):
    """uint8 ``images`` (count, height, width, 3) and uint8 ``labels`` (count,).

    Samples for one model's input are float32 of its shape. ``converted`` counts pictures by what
    was done to them, ``sizes`` by their size before.
    """

    images: Pixels
    labels: Pixels
    converted: Mapping[str, int] = {}
    sizes: Mapping[str, int] = {}


class Source(NamedTuple):
    """A data set before it is packed; ``load`` decodes it at an image size.

    ``key`` differs with the way of reading. ``contents`` is the hash of what is read, and None
    without a progress where it would have to be read first. ``counts`` and ``passed_over`` are
    known from the names alone. ``checked`` says against what a download was checked. ``mirrored``
    is False where a mirrored picture shows something else: training then mirrors none.
    """

    name: str
    origin: str
    classes: list[str]
    key: str
    load: Callable[[int, Progress], dict[str, Part]]
    contents: Callable[[Progress | None], str | None] = lambda progress: ""
    counts: Mapping[str, int] = {}
    passed_over: Mapping[str, int] = {}
    checked: Callable[[], str] = lambda: ""
    mirrored: bool = True


def known_pack(source: Source, image_size: int, cache: Path) -> Path | None:
    """Where the pack lies, made or not; None where the data would have to be read for that."""
    contents = source.contents(None)
    return None if contents is None else _folder(source, image_size, cache, contents)


def _folder(source: Source, image_size: int, cache: Path, contents: str) -> Path:
    # What the pack's description says beside its pixels belongs to its identity too.
    said = f"{source.origin}/{sorted(source.passed_over.items())}"
    said += "" if source.mirrored else "/not mirrored"
    key = sha256_hex(f"{source.key}/{contents}/{said}".encode())[:12]
    return cache / "data" / f"{source.name}-{image_size}-{key}"


def prepare(source: Source, image_size: int, cache: Path, progress: Progress) -> Path:
    """The folder of the pack, made now unless the cache has it whole. Raises RepliquantError."""
    contents = source.contents(progress) or ""
    folder = _folder(source, image_size, cache, contents)
    if _whole(folder, cache):
        return folder
    with _alone(folder, source, progress):
        if not _whole(folder, cache):
            parts = source.load(image_size, progress)
            with _stored(folder, source):
                _write(folder, source, image_size, parts, contents)
    return folder


@contextlib.contextmanager
def _alone(folder: Path, source: Source, progress: Progress) -> Iterator[None]:
    """One process at a time makes a pack: none takes away what another has made and reads."""
    with contextlib.ExitStack() as stack:
        with _stored(folder, source):
            locks = folder.parent.parent / "locks"
            locks.mkdir(parents=True, exist_ok=True)
            lock = locks / f"{folder.name}.lock"
            stack.enter_context(waiting(lock, lambda who: progress(f"waiting for {who}", 0, 0)))
        yield


@contextlib.contextmanager
def _stored(folder: Path, source: Source) -> Iterator[None]:
    """Raises MachineError for what the file system refuses."""
    try:
        yield
    except OSError as error:
        raise MachineError(
            f"the data set {source.name} can't be stored under {folder.parent}: {error.strerror}. "
            "Free some space, or set REPLIQUANT_CACHE to another folder"
        ) from error


def read_meta(folder: Path) -> Dataset:
    """What a pack says of itself. Raises UnreadableError."""
    return read_struct(folder / "meta.json", Dataset)


def pack_digest(meta: Dataset) -> str:
    """One hash over all splits of a pack."""
    text = "".join(f"{name}:{split.sha256};" for name, split in sorted(meta.splits.items()))
    return hashlib.sha256(text.encode()).hexdigest()


def _whole(folder: Path, cache: Path) -> bool:
    """Whether every file of a pack is what was written; read again only where it was touched."""
    memory = Contents(cache, f"pack {folder.resolve()}")
    try:
        read_meta(folder)
        files = msgspec.json.decode((folder / _FILES).read_bytes(), type=looked_at(dict[str, str]))
        whole = all(memory.sha256(folder / name) == digest for name, digest in files.items())
    except (UnreadableError, OSError, msgspec.MsgspecError):
        return False
    memory.keep()
    return whole


def _write(
    folder: Path, source: Source, image_size: int, parts: dict[str, Part], contents: str
) -> None:
    """Fill a temporary folder beside the target, then give it its name."""
    import numpy as np

    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".packing-"))
    try:
        for split, part in parts.items():
            np.save(temporary / f"{split}_images.npy", part.images)
            np.save(temporary / f"{split}_labels.npy", part.labels)
        meta = _describe(source, image_size, parts, contents)
        write_atomically(temporary / "meta.json", msgspec.json.encode(meta) + b"\n")
        files = {path.name: file_sha256(path, None) for path in sorted(temporary.iterdir())}
        write_atomically(temporary / _FILES, msgspec.json.encode(files) + b"\n")
        with where_possible("permissions of folders can't be set here: others may not read them"):
            # Containers read it as another user, whatever the umask here is.
            for file in temporary.iterdir():
                os.chmod(file, 0o644)
            os.chmod(temporary, 0o755)
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _levels(images: Pixels) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of each channel, on a scale of 0 to 1."""
    import numpy as np

    train = images.reshape(-1, images.shape[-1])
    histogram = np.stack([np.bincount(channel, minlength=256) for channel in train.T])
    levels = np.arange(256) / 255
    mean = (histogram * levels).sum(1) / histogram.sum(1)
    variance = (histogram * (levels - mean[:, None]) ** 2).sum(1) / histogram.sum(1)
    return (
        [round(float(value), 6) for value in mean],
        [round(max(float(value) ** 0.5, 1e-3), 6) for value in variance],
    )


def _describe(source: Source, image_size: int, parts: dict[str, Part], contents: str) -> Dataset:
    import numpy as np

    pictures = {name: part.images for name, part in parts.items() if part.images.dtype == np.uint8}
    mean, std = _levels(parts["train"].images) if pictures else ([0.0], [1.0])
    return Dataset(
        name=source.name,
        origin=source.origin,
        classes=source.classes,
        image_size=image_size,
        mean=mean,
        std=std,
        splits={name: _split(part) for name, part in parts.items()},
        passed_over=dict(source.passed_over),
        converted=_summed(part.converted for part in parts.values()),
        resized_from=_resized_from(parts, image_size),
        uniform=uniformity(pictures),
        mirrored=source.mirrored,
        source_sha256=contents,
        checked=source.checked(),
    )


def _summed(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """The most frequent first; the rare ones together where there are many."""
    total: Counter[str] = Counter()
    for part in counts:
        total.update(part)
    ordered = total.most_common()
    rest = sum(count for _, count in ordered[_MOST_NAMED:])
    return {**dict(ordered[:_MOST_NAMED]), **({"others": rest} if rest else {})}


def _resized_from(parts: dict[str, Part], image_size: int) -> dict[str, int]:
    """Sizes before, where they were others than the pack's."""
    found = _summed(part.sizes for part in parts.values())
    return {} if set(found) <= {f"{image_size} x {image_size}"} else found


def _split(part: Part) -> Split:
    import numpy as np

    digest = hashlib.sha256(np.ascontiguousarray(part.images).tobytes())
    digest.update(part.labels.tobytes())
    return Split(count=len(part.labels), sha256=digest.hexdigest())
