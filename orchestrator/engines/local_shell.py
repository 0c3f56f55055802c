"""A shell in an image's virtual environment, in a folder of its own that goes with it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Sequence

from manifests import paths
from manifests.errors import InputError
from orchestrator.environments import venvs
from orchestrator.environments.images import Image
from orchestrator.environments.pythons import clean_environment

SCRATCH = "repliquant-shell-"


def shell(image: Image, command: Sequence[str]) -> int:
    """Run ``command``, else the user's shell; its exit status, 128 + n when signal n ended it.

    The image has been made. Raises RepliquantError.
    """
    place = venvs.interpreter(image).parent
    variables = {**clean_environment(), **paths.cell_variables()}
    variables |= {"PATH": f"{place}{os.pathsep}{variables.get('PATH', '')}"}
    variables |= {"VIRTUAL_ENV": str(place.parent), "PS1": f"({image.name}) $ "}
    with tempfile.TemporaryDirectory(prefix=SCRATCH, ignore_cleanup_errors=True) as folder:
        return _run(list(command) or _shell(), folder, variables)


def _shell() -> list[str]:
    """The user's, without files that would put another folder first in PATH."""
    own = os.environ.get("SHELL") or "/bin/sh"
    return [own, "--norc", "--noprofile"] if os.path.basename(own) == "bash" else [own]


def _run(command: list[str], folder: str, variables: dict[str, str]) -> int:
    """Ctrl-C is the command's; what it makes of that is waited for."""
    try:
        process = subprocess.Popen(command, cwd=folder, env=variables)
    except OSError as error:
        raise InputError(
            f"{command[0]!r} can't be run in this environment ({error.strerror}). "
            "Name a program that it has, e.g. python"
        ) from error
    while True:
        with contextlib.suppress(KeyboardInterrupt):
            code = process.wait()
            return code if code >= 0 else 128 - code
