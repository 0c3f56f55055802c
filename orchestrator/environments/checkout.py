"""The checkout's own environment, ``.venv``: what ``justw`` and ``just`` install into it.

    python -m orchestrator.environments.checkout tools              pip and just, from outside
    python -m orchestrator.environments.checkout install LOCK WHAT  a lock and this project

Standard library only: nothing is installed yet when it runs.
"""

from __future__ import annotations

import collections
import hashlib
import os
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

from manifests.errors import MachineError, RepliquantError
from manifests.paths import ROOT
from orchestrator.environments.pip_installs import installs
from orchestrator.environments.pip_settings import environment, explained, pip_for

_PYTHON = ROOT / ".venv" / "bin" / "python"
_LAST_LINES = 15
# In front of everything on PYTHONPATH, which may hold a package that is called like one of ours.
# The path is spelled in ASCII, because Python reads the file in the locale's encoding and does
# not start when it can't.
_FIRST = "import os, sys; sys.path.insert(0, os.fsdecode({path!r}))\n"


def main(arguments: Sequence[str]) -> int:
    """Exit status 0, or 3 with the reason."""
    try:
        if arguments[0] == "tools":
            install(ROOT / "requirements-just.txt")
        else:
            set_up(ROOT / arguments[1], arguments[2])
    except RepliquantError as error:
        sys.stderr.write(f"setup: {error}\n")
        return error.exit_code
    return 0


def set_up(lock: Path, what: str) -> None:
    """Install the lock and this project, unless a stamp says that this is done."""
    stamp = ROOT / ".venv" / f"{lock.name}.installed"
    wanted = _state(lock)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    sys.stderr.write(f"installing {what} (once)\n")
    install(lock)
    pip(["--no-deps", "--no-build-isolation", "--editable", str(ROOT)])
    put_first(Path(sysconfig.get_path("purelib")))
    stamp.write_text(wanted)


def _state(lock: Path) -> str:
    """Changes when something has to be installed anew."""
    state = hashlib.sha256()
    for file in (lock, ROOT / "pyproject.toml"):
        state.update(file.read_bytes())
    state.update(os.environ.get("REPLIQUANT_ALLOW_UNHASHED", "").encode(errors="surrogateescape"))
    return state.hexdigest()


def put_first(packages: Path) -> None:
    """Let this checkout's code come before any other of the same name, in every locale.

    The file that names the checkout's folder was written by the installation.
    """
    for file in packages.glob("*repliquant*.pth"):
        file.write_text(_FIRST.format(path=os.fsencode(ROOT)), encoding="ascii")


def install(lock: Path) -> None:
    """Install the pins of a lock, each with a content that the lock knows."""
    with installs([lock], ROOT / ".venv") as steps:
        for step in steps:
            pip(step)


def pip(arguments: Sequence[str]) -> None:
    """Run ``pip install``. Raises MachineError with its last lines and what they come to."""
    done = subprocess.run(
        [*pip_for(_PYTHON), "install", "--quiet", *arguments], env=environment(),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace", check=False,
    )  # fmt: skip
    if done.returncode:
        lines = done.stdout.splitlines()
        last = "\n  ".join(collections.deque(lines, _LAST_LINES))
        raise MachineError(
            f"pip could not install {' '.join(map(str, arguments[-1:]))}. Its last lines:\n"
            f"  {last}\n{explained(lines)}".rstrip()
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
