"""The environments under ``images/``: what each folder says, and the hash of its lock."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import msgspec

from manifests.cell import sha256_hex
from manifests.documents import DocumentError, read_toml
from manifests.errors import InputError
from manifests.paths import IMAGES, Places
from manifests.suggest import nearest
from orchestrator.environments.pins import allowed_unhashed, read_pins


class GpuSupport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The NVIDIA GPUs that an image can serve.

    ``capabilities`` are what its packages are built for: one, e.g. "9.0", or a range within one
    major number, "8.0-8.9". A number between two that are known is not known by that. ``why`` says
    what sets the limit, ``instead`` names the image for other ones.
    """

    capabilities: list[str]
    why: str
    instead: str = ""

    def __post_init__(self) -> None:
        for text in self.capabilities:
            first, last = capability_range(text)
            if first > last or first[0] != last[0]:
                raise ValueError(
                    f"capabilities: {text!r} is not a range within one major number, as 8.0-8.9 is"
                )


def capability_range(text: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """ "8.0-8.9" -> ((8, 0), (8, 9)), and "9.0" -> ((9, 0), (9, 0)). Raises ValueError."""
    first, _, last = text.partition("-")
    return capability_number(first), capability_number(last or first)


def capability_number(text: str) -> tuple[int, int]:
    """ "10.0" -> (10, 0), which comes after (9, 0). Raises ValueError."""
    major, dot, minor = text.partition(".")
    if not (dot and major.isdecimal() and minor.isdecimal()):
        raise ValueError(f"compute capability {text!r} is not two numbers with a point, as 8.6 is")
    return int(major), int(minor)


# It becomes a word of a line in a Dockerfile.
Word = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9.+-]*$")]


class ContainerNeeds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[container]`` in image.toml: what an image needs beyond the hardened defaults.

    ``base`` is what its Dockerfile is written from: with ``python_of_base`` the base has a
    framework that its own Python must go on finding, and packages are put beside it instead of
    into an environment. Without ``base`` the folder needs a ``Dockerfile``, which comes first in
    any case. ``programs`` have to be there and are installed by apt, ``variables`` are set for
    every cell.
    ``python`` is the version in the container where it differs from the environment's.
    ``tmp_mb`` is the scratch space in memory, ``pids`` the limit of threads and processes,
    ``capabilities`` are given back to the container (none are needed by any image of ours).
    """

    base: str = ""
    python_of_base: bool = False
    programs: list[Word] = []
    variables: dict[str, str] = {}
    python: str = ""
    tmp_mb: int = 2048
    shm_mb: int = 64
    pids: int = 4096
    capabilities: list[str] = []

    def __post_init__(self) -> None:
        for name in self.variables:
            if not (name.isidentifier() and name.isascii()):
                raise ValueError(f"variables: {name!r} can't be the name of a variable")


class ImageFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``image.toml``. ``python`` lists the versions that the lock was made for; none for an image
    that exists as a container only.

    ``lock_without`` names packages that the resolver finds and the environment must not get.
    """

    name: str
    framework: str
    about: str
    python: list[str]
    install_dependencies: bool
    download_mb: int
    disk_mb: int
    note: str = ""
    gpu: GpuSupport | None = None
    lock_without: list[str] = []
    container: ContainerNeeds = ContainerNeeds()


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """An environment and its folder."""

    file: ImageFile
    folder: Path

    @property
    def name(self) -> str:
        return self.file.name

    @property
    def container_only(self) -> bool:
        """True where no environment can be made of the lock alone."""
        return not self.file.python

    @property
    def for_containers(self) -> bool:
        """Whether it has a Dockerfile, or what one is written from."""
        return bool(self.file.container.base) or self.dockerfile.exists()

    @property
    def lock(self) -> Path:
        return self.folder / "requirements.txt"

    @property
    def container_lock(self) -> Path:
        """What is installed into the container: less than the lock where its base has the rest."""
        own = self.folder / "container-requirements.txt"
        return own if own.exists() else self.lock

    @property
    def more_lock(self) -> Path | None:
        """What other builds of the locked versions need beside the lock, e.g. CUDA's libraries."""
        more = self.folder / "requirements-more.txt"
        return more if more.with_suffix(".in").exists() else None

    @property
    def container_python(self) -> str:
        """The version of Python in the container, e.g. "3.11". Raises InputError for none."""
        version = self.file.container.python or next(iter(self.file.python), "")
        if not version:
            raise InputError(f"{self.folder}/image.toml: python or container.python is missing")
        return version

    @property
    def dockerfile(self) -> Path:
        return self.folder / "Dockerfile"

    @property
    def verify(self) -> Path:
        return self.folder / "verify.py"

    @property
    def lock_sha256(self) -> str:
        """The hash of the locked requirements. Raises InputError when they are missing."""
        return _sha256(self.lock)

    @property
    def locks(self) -> list[Path]:
        """The lock, and what other builds of its versions need beside it."""
        return [self.lock, *([self.more_lock] if self.more_lock else [])]

    @property
    def container_locks(self) -> list[Path]:
        """The same for a container."""
        return self.locks if self.container_lock == self.lock else [self.container_lock]

    @property
    def container_unhashed(self) -> list[str]:
        """The same as ``unhashed`` for a container."""
        return _unhashed(self.container_locks)

    @property
    def unhashed(self) -> list[str]:
        """Packages of the locks whose content is taken as it comes. Raises InputError."""
        return _unhashed(self.locks)

    @property
    def container_lock_sha256(self) -> str:
        """The same for a container."""
        return _sha256(self.container_lock)


def _unhashed(locks: list[Path]) -> list[str]:
    try:
        return allowed_unhashed([pin for lock in locks for pin in read_pins(lock)])
    except OSError as error:
        raise InputError(
            f"{error.filename} can't be read ({error.strerror}); run: repliquant images lock"
        ) from error


def _sha256(lock: Path) -> str:
    try:
        return sha256_hex(lock.read_bytes())
    except OSError as error:
        raise InputError(
            f"{lock} can't be read ({error.strerror}); run: repliquant images lock "
            f"{lock.parent.name}"
        ) from error


def image_names(folder: Path | Places = IMAGES) -> list[str]:
    """The images there are, broken ones too. Raises InputError for a name that occurs twice."""
    if isinstance(folder, Places):
        return list(folder.all())
    return sorted(path.parent.name for path in folder.glob("*/image.toml"))


def load_image(name: str, folder: Path | Places = IMAGES) -> Image:
    """Raises InputError for an unknown image or a broken image.toml, with file and line."""
    known = image_names(folder)
    if name not in known:
        raise InputError(
            f"no image {name!r}.{nearest(name, known)} Accepted: {', '.join(known) or 'none'}"
        )
    path = folder / name / "image.toml"
    try:
        file = read_toml(path, ImageFile)
    except DocumentError as error:
        raise InputError(str(error)) from error
    if file.name != name:
        raise InputError(f"{path}: name: is {file.name!r}, but the folder is {name!r}")
    return Image(file=file, folder=path.parent)


def load_images(names: Iterable[str] = ()) -> tuple[list[Image], dict[str, str]]:
    """The images, all by default, and of those that can't be used what is wrong with each.

    Raises InputError for a name that nothing has.
    """
    found: list[Image] = []
    broken: dict[str, str] = {}
    there = image_names()
    for name in list(names) or there:
        try:
            found.append(load_image(name))
        except InputError as error:
            if name not in there:
                raise
            broken[name] = str(error)
    return found, broken
