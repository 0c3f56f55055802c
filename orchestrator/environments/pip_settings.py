"""Running pip for an environment: of the user's settings only those that say where packages are.

An index, a proxy, a certificate or a constraint is the user's business. Settings that put
packages elsewhere (``user``, ``target``, ``prefix``), leave some out or check less would break
the environment, so they are left behind, whether they stand in a file or in a variable.
Standard library only: ``justw`` uses this before anything is installed.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from orchestrator.environments.pythons import clean_environment

_KEPT = frozenset({
    "index-url", "extra-index-url", "no-index", "find-links", "trusted-host", "constraint",
    "cert", "client-cert", "proxy", "timeout", "default-timeout", "retries", "keyring-provider",
    "cache-dir", "no-cache-dir",
})  # fmt: skip
# Where certificates are looked for is chosen by these two.
_KEPT_FEATURES = {"use-feature": "truststore", "use-deprecated": "legacy-certs"}
_LINE = re.compile(r"(?P<section>:?[\w-]+:?)\.(?P<key>[\w-]+)=(?P<value>.*)")
# The target's Python, with only pip taken from elsewhere: not what lies beside it.
_RUNNER = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); import pip; sys.path.pop(0); "
    "from pip._internal.cli.main import main; sys.exit(main())"
)
_NO_NETWORK = re.compile(
    r"NewConnectionError|Failed to establish a new connection|ConnectTimeout|Read timed out"
    r"|Temporary failure in name resolution|Name or service not known|Network is unreachable"
    r"|getaddrinfo failed|NameResolutionError|ProxyError|Connection refused|No route to host"
)
_NO_TRUST = re.compile(r"CERTIFICATE_VERIFY_FAILED|SSLError|SSLCertVerificationError")


def environment(command: str = "install") -> dict[str, str]:
    """The variables that pip is started with: no settings file, and what we keep as PIP_..."""
    kept = {key: value for key, value in clean_environment().items() if not _is_pips(key)}
    found = {f"PIP_{key.upper().replace('-', '_')}": v for key, v in settings(command).items()}
    return {**kept, **found, "PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_NO_INPUT": "1"}  # fmt: skip


def _is_pips(variable: str) -> bool:
    """pip understands its variables in any case."""
    return variable.upper().startswith("PIP_")


def settings(command: str = "install") -> dict[str, str]:
    """What the user has set that we keep, from pip's files and variables as pip reads them."""
    given = {key: value for key, value in os.environ.items() if _is_pips(key)}
    named = {key: value for key, value in given.items() if key == "PIP_CONFIG_FILE"}
    kept = {key: value for key, value in clean_environment().items() if not _is_pips(key)}
    done = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], env={**kept, **named},
        capture_output=True, text=True, errors="surrogateescape", check=False,
    )  # fmt: skip
    variables = [f":env:.{key[4:].lower()}={value!r}" for key, value in given.items()]
    files = [line for line in done.stdout.splitlines() if not line.startswith(":env:")]
    return kept_settings([*files, *variables], command)


def kept_settings(lines: Sequence[str], command: str) -> dict[str, str]:
    """Of what ``pip config list`` prints: the more special section wins, a variable always."""
    found: dict[str, str] = {}
    parsed = [match for match in map(_LINE.fullmatch, lines) if match]
    for section in ("global", command, ":env:"):
        for match in parsed:
            key = match["key"].replace("_", "-").lower()
            value = _value(match["value"])
            if match["section"] == section and value and _is_kept(key, value):
                found[key] = value
    return found


def _value(shown: str) -> str:
    """pip shows values as Python writes them; several of them stand on lines of their own."""
    try:
        return " ".join(str(ast.literal_eval(shown)).split())
    except (SyntaxError, ValueError):
        return shown


def _is_kept(key: str, value: str) -> bool:
    return key in _KEPT or _KEPT_FEATURES.get(key) == value


def pip_of_this_python() -> Path | None:
    """The folder that this Python imports pip from, None where it has none."""
    found = importlib.util.find_spec("pip")
    return Path(found.origin).parent.parent if found and found.origin else None


def pip_for(python: Path) -> list[str]:
    """The start of a command: this Python's pip, whatever its age, working on ``python``."""
    folder = pip_of_this_python()
    if folder is None:
        return [str(python), "-I", "-m", "pip"]
    return [str(python), "-I", "-c", _RUNNER, str(folder)]


def explained(lines: Sequence[str]) -> str:
    """What pip's last words come to, as a question or a next step; empty when they say it all."""
    text = "\n".join(lines)
    if "Hashes are required" in text:
        return "The lock has no hash for it; run: repliquant images lock"
    if _NO_TRUST.search(text):
        return "The certificate of the package index is not trusted here; PIP_CERT names another."
    if _NO_NETWORK.search(text):
        return "Is there a network? PIP_INDEX_URL and HTTPS_PROXY say where packages come from."
    return ""
