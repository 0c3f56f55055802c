"""Credentials in text that is kept: passwords and tokens in addresses, options and headers.

What was found is replaced by ``***`` where it stood, so that the rest still tells what it told.
No quotes or backslashes are taken, so that JSON stays JSON.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import (
    IO,
    Any,
    Callable,
    Dict,
    Iterator,
    List,
    Match,
    NamedTuple,
    Optional,
    Pattern,
    Sequence,
    Tuple,
)

import msgspec

from manifests.files import write_atomically
from manifests.manifest import Manifest
from manifests.variables import kept, others

HIDDEN = "***"
_VALUE = r"[^\s\"'\\&;,<>()|]{1,4096}"
_NAMES = (
    r"token|secret|passwd|password|passphrase|api[_-]?key|apikey|access[_-]?key|private[_-]?key|"
    r"credentials?|x-amz-signature|signature|sig"
)
Replace = Callable[[Match[str]], str]


def _userinfo(found: Match[str]) -> str:
    """A name alone (``ssh://git@host``) is none, but with HTTP it may well be a token."""
    scheme, who = found[1], found[2]
    if ":" not in who and not scheme.lower().endswith(("http", "https")):
        return found[0]
    return f"{scheme}://{HIDDEN}@"


def _after_first(found: Match[str]) -> str:
    return f"{found[1]}{HIDDEN}"


_PATTERNS: Tuple[Tuple[Pattern[str], Replace], ...] = (
    (re.compile(r"([A-Za-z0-9]{1,12})://([^\s/?#\"'\\<>]{1,2048})@"), _userinfo),
    # A parameter of an address, whatever stands before the telling part of its name.
    (re.compile(rf"(?i)((?:{_NAMES}|key|auth)=)(?!\*\*\*){_VALUE}(?<!\.)"), _after_first),
    # Short names tell only behind another: PWD alone is where a shell is.
    (re.compile(rf"(?i)([_-](?:pass|pwd|pw)=[\"']?)(?!\*\*\*){_VALUE}"), _after_first),
    (
        re.compile(
            rf"(?i)((?:{_NAMES})\\?[\"']?\s{{0,3}}[:=]\s{{0,3}}\\?[\"']?)(?!\*\*\*){_VALUE}"
        ),
        _after_first,
    ),
    (
        re.compile(
            rf"(?i)((?<![\w-])--?[a-z-]{{0,40}}(?:{_NAMES})\s{{1,3}}[\"']?)(?![-*]){_VALUE}"
        ),
        _after_first,
    ),
    (
        re.compile(rf"(?i)((?:bearer|basic)\s{{1,3}})(?!\*\*\*)(?=[^\s]{{16}}){_VALUE}"),
        _after_first,
    ),
    # Tokens that their issuers let begin with a sign of their own.
    (
        re.compile(
            r"()\b(?:gh[opsur]_[A-Za-z0-9]{30,255}|github_pat_\w{30,255}|glpat-[\w-]{20,255}|"
            r"hf_[A-Za-z0-9]{30,255}|nvapi-[\w-]{30,255}|sk-[\w-]{30,255}|xox[abprs]-[\w-]{10,255}|"
            r"pypi-[\w-]{30,1024}|A(?:KIA|SIA)[A-Z0-9]{16}|"
            r"eyJ[\w-]{10,2048}\.eyJ[\w-]{10,4096}\.[\w-]{10,2048})"
        ),
        _after_first,
    ),
)


_TELLING = (
    "://", "=", "token", "secret", "pass", "key", "credential", "sig", "bearer", "basic", "gh",
    "glpat-", "hf_", "nvapi-", "sk-", "xox", "pypi-", "akia", "asia", "eyj",
)  # fmt: skip
"""No credential is found in a line without any of these; looking for them is quick."""


def redacted(text: str) -> str:
    """``text`` without the credentials in it."""
    return "\n".join(_redacted_line(line) for line in text.split("\n"))


def _redacted_line(line: str) -> str:
    lowered = line.lower()
    if any(word in lowered for word in _TELLING):
        for pattern, replace in _PATTERNS:
            line = pattern.sub(replace, line)
    return line


_SECRET_OPTION = re.compile(rf"(?i)--?[a-z-]*(?:{_NAMES})")


def redacted_command(arguments: Sequence[str]) -> List[str]:
    """Arguments of a command; one that follows an option named after a secret is one."""
    before = ("", *arguments)
    return [
        HIDDEN if _SECRET_OPTION.fullmatch(option) and argument[:1] != "-" else redacted(argument)
        for option, argument in zip(before, arguments)
    ]


class Cleaned(NamedTuple):
    """A manifest that may be given away, and what was left out of it.

    ``variables`` are names that are not on the list, ``texts`` the fields that held a credential.
    """

    manifest: Manifest
    variables: List[str]
    texts: List[str]

    @property
    def changed(self) -> bool:
        """Whether anything was left out."""
        return bool(self.variables or self.texts)


_AS_THEY_ARE = ("schema", "id", "cell", "artifacts", "phases")
"""What the manifest's identity hangs on, and names of files."""


def cleaned(manifest: Manifest) -> Cleaned:
    """The manifest without credentials and without variables that are not on the list."""
    environment = manifest.environment
    unlisted = others(environment.variables)
    if unlisted:
        environment = msgspec.structs.replace(environment, variables=kept(environment.variables))
        manifest = msgspec.structs.replace(manifest, environment=environment)
    found: List[str] = []
    fields: Dict[str, Any] = msgspec.to_builtins(manifest)
    changed = {
        name: _without(value, name, found)
        for name, value in fields.items()
        if name not in _AS_THEY_ARE
    }
    if found:
        manifest = msgspec.convert({**fields, **changed}, Manifest)
    return Cleaned(manifest, unlisted, found)


def _without(value: Any, place: str, found: List[str]) -> Any:
    """Every text in it redacted; ``found`` gets the places of those that changed."""
    if isinstance(value, str):
        text = redacted(value)
        if text != value:
            found.append(place)
        return text
    if isinstance(value, dict):
        return {key: _without(item, f"{place}.{key}", found) for key, item in value.items()}
    if isinstance(value, list) and value and not isinstance(value[0], (int, float)):
        return [_without(item, place, found) for item in value]
    return value


_PIECE_BYTES = 2**20


def redact_file(path: Path) -> bool:
    """Replace a file that holds credentials by itself without them; whether there were any.

    Raises OSError. What isn't there, or is no file, has none: a cell may leave a pipe.
    """
    try:
        descriptor = os.open(str(path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return False
        if not any(redacted_bytes(line) is not None for line in _pieces(file)):
            return False
        file.seek(0)
        write_atomically(path, b"".join(redacted_bytes(line) or line for line in _pieces(file)))
        return True


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    """Line by line; a line without an end comes in pieces."""
    return iter(lambda: file.readline(_PIECE_BYTES), b"")


def redacted_bytes(data: bytes) -> Optional[bytes]:
    """A file's bytes without credentials; None where there are none, as in nearly every file."""
    text = data.decode("utf-8", "surrogateescape")
    changed = redacted(text)
    return None if changed == text else changed.encode("utf-8", "surrogateescape")
