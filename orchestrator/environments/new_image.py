"""``repliquant images new``: an image's folder with everything that has to be said in it."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from manifests import paths
from manifests.errors import InputError
from manifests.files import write_atomically
from orchestrator.environments.images import image_names

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}")
_PYTHON = re.compile(r"3\.\d{1,2}")
_IMAGE = """\
# {about}. docs/reference.md lists every key.
name = "{name}"
framework = "{framework}"
about = "{about}"
# The versions of Python that the lock is made for; the first one found is taken.
python = ["{python}"]
install_dependencies = true
# What building it takes; correct both once it has been built.
download_mb = 100
disk_mb = 500

[container]
base = "python:{python}-slim-bookworm"
"""
_REQUIREMENTS = """\
# What cells need besides their framework:
msgspec==0.18.6
numpy
# The framework's own packages:
"""
_VERIFY = '''\
"""Proves that this environment can do what its cells need: each function is a check."""


def arrays_can_be_multiplied() -> str:
    import numpy as np

    assert (np.ones((2, 3)) @ np.ones((3, 2)) == 3).all()
    return f"numpy {np.__version__}"
'''


def write_image(name: str, framework: str, python: str, about: str, into: Path | None) -> Path:
    """The folder ``images/<name>`` of ``into``. Raises InputError, and OSError while writing."""
    _check("a name", name, _NAME, "small letters, digits, '.', '_' and '-'")
    _check("a framework", framework, _NAME, "the name of a folder of runners")
    _check("a version of Python", python, _PYTHON, "two numbers, for example 3.11")
    if name in image_names():
        raise InputError(f"there is an image {name!r} already: {paths.IMAGES / name}")
    folder = _root(into) / name
    try:
        folder.mkdir(parents=True)
    except FileExistsError as error:
        raise InputError(f"{folder} exists already; give another name") from error
    about = about or f"{framework} on Python {python}"
    words = {"name": name, "framework": framework, "about": _plain(about), "python": python}
    for file, text in (
        ("image.toml", _IMAGE.format(**words)), ("requirements.in", _REQUIREMENTS),
        ("verify.py", _VERIFY),
    ):  # fmt: skip
        write_atomically(folder / file, text.encode())
    return folder


def _root(into: Path | None) -> Path:
    """The folder ``images`` that takes it; one that no command looks into is refused."""
    if into is None:
        extensions = paths.extensions()
        return extensions[0] / "images" if extensions else paths.folders("images")[0]
    known = [path.resolve() for path in [*paths.extensions(), paths.ROOT]]
    if into.resolve() not in known:
        raise InputError(
            f"{into} is not on {paths.PATH}, so that nothing would find the image there. "
            f"Set {paths.PATH}={into.resolve()} and run again"
        )
    return into.resolve() / "images"


def _check(what: str, value: str, accepted: re.Pattern[str], words: str) -> None:
    if not accepted.fullmatch(value):
        raise InputError(f"{value!r} can't be {what}. Accepted: {words}")


def _plain(about: str) -> str:
    """One line as TOML takes it between quotes. Raises InputError."""
    text = " ".join(about.split())
    try:
        msgspec.toml.decode(f'x = "{text}"')
    except msgspec.DecodeError as error:
        raise InputError(f"--about {about!r}: a line without quotes is accepted") from error
    return text
