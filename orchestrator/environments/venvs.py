"""Virtual environments made from an image's lock, cached under the hash of that lock.

An environment counts as finished only through ``ready.json``, written last. A build that
was interrupted is thrown away by the next one; two builds of one environment take turns.
"""

from __future__ import annotations

import collections
import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import msgspec

from manifests import paths
from manifests.cell import canonical_json, sha256_hex
from manifests.errors import MachineError
from manifests.files import write_atomically
from manifests.msgspec_threads import looked_at
from orchestrator.engines.base import Tell
from orchestrator.environments import pip_settings
from orchestrator.environments.images import Image
from orchestrator.environments.pip_installs import Refusals, installs, local_builds, wants_more
from orchestrator.environments.pythons import clean_environment, find_interpreter
from orchestrator.file_lock import waiting
from orchestrator.messages import LogLine

_LAST_LINES = 15
_OLDEST_MINOR = 10  # pip 26 serves Python 3.10 and newer


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """``ready.json``: what the finished environment was made from."""

    image: str
    lock_sha256: str
    python: str
    checks: list[str]
    real_python: str = ""
    unhashed: list[str] = []


def environment_folder(image: Image) -> Path:
    """Where the environment of this lock and this platform lies, made or not."""
    more = [sha256_hex(lock.read_bytes()) for lock in image.locks[1:]]
    own = [image.lock_sha256, image.file.python, platform.system(), platform.machine()]
    key = sha256_hex(canonical_json([*own, *more, *image.unhashed]))
    return paths.cache() / "envs" / f"{image.name}-{key[:12]}"


def ready(image: Image) -> Ready | None:
    """What was made, or None when the environment isn't finished, or its Python is another now."""
    try:
        data = (environment_folder(image) / "ready.json").read_bytes()
        done = msgspec.json.decode(data, type=looked_at(Ready))
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return done if _has_its_python(image, done) else None


def _has_its_python(image: Image, done: Ready) -> bool:
    """An environment is a link to a Python, which may have been removed or upgraded since."""
    python = interpreter(image)
    return python.exists() and done.real_python in ("", os.path.realpath(python))


def interpreter(image: Image) -> Path:
    """The environment's own Python."""
    return environment_folder(image) / "bin" / "python"


def verify_command(image: Image) -> list[str]:
    """Runs the image's checks in its environment."""
    return [str(interpreter(image)), "-m", "runners.verify", str(image.verify)]


def verify_environment() -> dict[str, str]:
    """What that command is started with."""
    return {**clean_environment(), **paths.cell_variables()}


def obstacle(image: Image) -> str:
    """Why no environment can be made here, whatever is downloaded; empty when one can."""
    if ready(image) is not None:
        return ""
    if image.container_only:
        return f"{image.name} exists as a container only ({image.file.note}); use --engine docker"
    try:
        find_interpreter(image.file.python)
    except MachineError as error:
        return str(error)
    return ""


def build(image: Image, tell: Tell) -> Ready:
    """Make the environment unless it is finished. Raises MachineError with the last lines."""
    done = ready(image)
    if done is not None:
        return done
    if image.container_only:
        raise MachineError(obstacle(image))
    folder = environment_folder(image)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with waiting(
            folder.with_name(f"{folder.name}.lock"),
            lambda who: tell(LogLine(f"waiting for {who}", "detail")),
        ) as lock:
            return ready(image) or _Build(image, folder, tell, lock).make()
    except OSError as error:
        raise MachineError(
            f"the environment {image.name} can't be made under {folder.parent}: {error.strerror}. "
            f"It needs about {image.file.disk_mb} MB; set REPLIQUANT_CACHE to another folder"
        ) from error


class _Build(NamedTuple):
    """One build. Its child processes inherit the lock, so that none outlives it unnoticed."""

    image: Image
    folder: Path
    tell: Tell
    lock: int

    def make(self) -> Ready:
        image, folder = self.image, self.folder
        shutil.rmtree(folder, ignore_errors=True)
        _enough_disk(image, folder.parent)
        base = find_interpreter(image.file.python)
        self.tell(LogLine(f"making {image.name} with {base}", "detail"))
        without, pip = pip_for(image.file.python, interpreter(image))
        self._run("venv", [str(base), "-m", "venv", *without, str(folder)])
        self._install(pip, [image.lock])
        needed = image.more_lock
        if needed is not None and wants_more(folder.glob("lib/*/site-packages"), needed):
            self._install(pip, [needed])
        lines = self._run("verify", verify_command(image))
        checks = [line for line in lines if line.startswith("ok: ")]
        done = Ready(
            image=image.name, lock_sha256=image.lock_sha256, python=str(base), checks=checks,
            real_python=os.path.realpath(interpreter(image)), unhashed=image.unhashed,
        )  # fmt: skip
        write_atomically(folder / "ready.json", msgspec.json.encode(done) + b"\n")
        return done

    def _install(self, pip: list[str], locks: list[Path]) -> None:
        links = pip_settings.settings().get("find-links", "")
        python = _version(self.image, self.folder)
        local = local_builds(locks, links, python, platform.machine())
        with installs(locks, self.folder, local) as steps:
            for step in steps:
                quiet = ["--progress-bar", "off", "--no-warn-script-location"]
                self._run("install", [*pip, "install", *quiet, *step])

    def _run(self, step: str, command: list[str]) -> list[str]:
        """Run to the end, telling every line. Raises MachineError with the last ones."""
        last: collections.deque[str] = collections.deque(maxlen=_LAST_LINES)
        refusals = Refusals()
        variables = pip_settings.environment() if step == "install" else verify_environment()
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            text=True, errors="replace", env=variables,
            pass_fds=(self.lock,),
        ) as process:  # fmt: skip
            assert process.stdout is not None
            try:
                for line in process.stdout:
                    last.append(line.rstrip())
                    refusals.read(line)
                    self.tell(LogLine(f"{step}: {line.strip()[:200]}", "detail"))
            except BaseException:
                process.kill()
                raise
        if process.returncode:
            raise _failed(self.image, step, process.returncode, refusals.shown or list(last))
        return list(last)


def _version(image: Image, folder: Path) -> str:
    """The version of the environment's Python, e.g. "3.11"."""
    return next((path.name[6:] for path in folder.glob("lib/python3.*")), image.file.python[0])


def _failed(image: Image, step: str, status: int, last: list[str]) -> MachineError:
    shown = "\n  ".join([*last, *filter(None, [pip_settings.explained(last)])])
    return MachineError(
        f"the environment {image.name} could not be made: {step} ended with status {status}. "
        f"Its last lines:\n  {shown}\n"
        f"Fix the cause and run again, or build it alone: repliquant images build {image.name}"
    )


def pip_for(versions: list[str], python: Path) -> tuple[list[str], list[str]]:
    """Options of venv, and the pip that installs for its ``python``: the host's where it can.

    It no longer serves Pythons that are long out of support; those get the pip they come with.
    """
    old = all(int(version.split(".")[1]) < _OLDEST_MINOR for version in versions)
    if old or pip_settings.pip_of_this_python() is None:
        return [], [str(python), "-I", "-m", "pip"]
    return ["--without-pip"], pip_settings.pip_for(python)


def _enough_disk(image: Image, folder: Path) -> None:
    free_mb = shutil.disk_usage(folder).free // 2**20
    if free_mb < image.file.disk_mb:
        raise MachineError(
            f"the environment {image.name} needs about {image.file.disk_mb} MB, and {folder} has "
            f"{free_mb} MB free. Free some, or set REPLIQUANT_CACHE to another folder"
        )
