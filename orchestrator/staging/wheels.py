"""The packages of an image as files, for the Python that its environment has."""

from __future__ import annotations

import collections
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from manifests.errors import MachineError
from orchestrator.engines.base import Tell
from orchestrator.environments.images import Image
from orchestrator.environments.pip_installs import UNHASHED, local_builds, write_parts
from orchestrator.environments.pip_settings import environment, explained, settings
from orchestrator.environments.pythons import find_interpreter
from orchestrator.messages import LogLine

_LAST_LINES = 15
_DONE = "complete.txt"


def fetch_wheels(image: Image, folder: Path, tell: Tell) -> Path:
    """The folder with every package of the image's locks, checked by the locks' hashes.

    What was begun and not finished is begun anew. Raises MachineError with pip's last lines.
    """
    place = folder / f"{image.name}-{image.lock_sha256[:12]}"
    if (place / _DONE).exists():
        return place
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    links = settings("download").get("find-links", "")
    python = image.file.python[0]
    chosen = local_builds(image.locks, links, python, platform.machine())
    hashed, unhashed = write_parts(image.locks, place, chosen)
    base = _pip(image)
    _run(image, [*base, "--dest", str(place), "--require-hashes", "-r", str(hashed)], tell)
    if unhashed is not None and (place / UNHASHED).exists():
        _run(image, [*base, "--dest", str(place), "-r", str(unhashed)], tell)
    (place / _DONE).write_text(f"{image.lock_sha256}\n")
    return place


def _pip(image: Image) -> list[str]:
    """Of this Python, for the version that the environment's has; no build is made."""
    version = _version(find_interpreter(image.file.python), image)
    own = f"{sys.version_info[0]}.{sys.version_info[1]}" == version
    other = [] if own else ["--python-version", version]
    return [
        sys.executable, "-I", "-m", "pip", "download", "--progress-bar", "off", "--no-deps",
        "--only-binary", ":all:", *other,
    ]  # fmt: skip


def _version(python: Path, image: Image) -> str:
    done = subprocess.run(
        [python, "-I", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout.strip() or image.file.python[0]


def _run(image: Image, command: list[str], tell: Tell) -> None:
    last: collections.deque[str] = collections.deque(maxlen=_LAST_LINES)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        text=True, errors="replace", env=environment("download"),
    ) as process:  # fmt: skip
        assert process.stdout is not None
        for line in process.stdout:
            last.append(line.rstrip())
            tell(LogLine(f"fetch: {line.strip()[:200]}", "detail"))
    if process.returncode:
        shown = "\n  ".join([*last, *filter(None, [explained(list(last))])])
        raise MachineError(
            f"the packages of {image.name} could not be fetched: pip ended with status "
            f"{process.returncode}. Its last lines:\n  {shown}\nFix the cause and run again"
        )
