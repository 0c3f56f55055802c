"""Fetching published files: each one checked, kept, and taken up where it was cut off.

A file is checked against the digest that its publisher states. Its SHA-256 is recorded when it
is first seen and compared from then on: where the publisher states none, that is the only check.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import msgspec

from manifests.errors import InputError, MachineError
from manifests.files import write_atomically
from manifests.msgspec_threads import looked_at
from orchestrator.datasets.contents import file_sha256
from orchestrator.datasets.pack import Progress
from orchestrator.file_lock import waiting

if TYPE_CHECKING:
    import requests

_TRIES = 4
_WAIT_S = 1.0
_TIMEOUT_S = (10.0, 30.0)  # to connect, and between two pieces: a slow server is not a dead one
_BLOCK_BYTES = 2**16


class Remote(NamedTuple):
    """A published file. ``digest`` is "sha256:..." or "md5:...", empty where none is stated.

    ``stated_in`` is where the digest stands, ``otherwise`` what a person without a network can do.
    """

    what: str
    url: str
    otherwise: str
    digest: str = ""
    stated_in: str = ""
    size_bytes: int | None = None

    @property
    def name(self) -> str:
        """The file's own name."""
        return self.url.rpartition("/")[2]


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """What is recorded of a file when it is first seen."""

    url: str
    sha256: str
    size_bytes: int
    seen: str
    checked: str


def recorded(remote: Remote, folder: Path) -> Fetched | None:
    """What was recorded when the file was first seen here; None before that."""
    try:
        return msgspec.json.decode(_record(remote, folder).read_bytes(), type=looked_at(Fetched))
    except (OSError, msgspec.MsgspecError):
        return None


def there(remote: Remote, folder: Path) -> bool:
    """Whether the file lies in ``folder``, good or not."""
    return (folder / remote.name).is_file()


def fetch(remote: Remote, folder: Path, cache: Path, progress: Progress) -> Path:
    """The file in ``folder``, fetched unless it is there and good.

    Raises MachineError without a network, InputError for a file that isn't the published one.
    """
    path = folder / remote.name
    with _alone(remote, folder, progress):
        if path.is_file() and not _wrong(remote, path, folder, cache):
            return path
        _download(remote, path, progress)
        wrong = _wrong(remote, path, folder, cache)
        if wrong:
            path.unlink()
            raise _refused(remote, path, wrong)
        return path


@contextlib.contextmanager
def _alone(remote: Remote, folder: Path, progress: Progress) -> Iterator[None]:
    """One process at a time. Raises MachineError where the folder can't be written to."""
    with contextlib.ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = folder / f".{remote.name}.lock"
            stack.enter_context(waiting(lock, lambda who: progress(f"waiting for {who}", 0, 0)))
        except OSError as error:
            raise MachineError(
                f"{folder} can't be written to: {error.strerror}. Set REPLIQUANT_CACHE to another "
                "folder"
            ) from error
        yield


def _wrong(remote: Remote, path: Path, folder: Path, cache: Path) -> str:
    """What is wrong with a file, empty for nothing; records one that is seen for the first time."""
    size = path.stat().st_size
    if remote.size_bytes not in (None, size):
        return f"it has {size:,} bytes, not {remote.size_bytes:,}"
    sha256 = file_sha256(path, cache)
    kind, _, stated = remote.digest.partition(":")
    found = {"": "", "sha256": sha256, "md5": _md5(path) if kind == "md5" else ""}[kind]
    if found != stated:
        return f"its {kind.upper()} is {found}, not {stated} ({remote.stated_in})"
    known = recorded(remote, folder)
    if known is None:
        _remember(remote, folder, sha256, size)
    elif known.sha256 != sha256:
        return (
            f"its SHA-256 is {sha256}; when it was first seen here, {known.seen}, it was "
            f"{known.sha256}. If its publisher replaced it, remove {_record(remote, folder)}"
        )
    return ""


def _md5(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _remember(remote: Remote, folder: Path, sha256: str, size: int) -> None:
    seen = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d")
    kind = remote.digest.partition(":")[0]
    checked = (
        f"{kind.upper().replace('SHA256', 'SHA-256')} as stated in {remote.stated_in}"
        if kind
        else f"SHA-256 as first seen on {seen}: its publisher states no digest"
    )
    record = Fetched(url=remote.url, sha256=sha256, size_bytes=size, seen=seen, checked=checked)
    write_atomically(_record(remote, folder), msgspec.json.encode(record) + b"\n")


def _record(remote: Remote, folder: Path) -> Path:
    return folder / f"{remote.name}.first-seen.json"


def _refused(remote: Remote, path: Path, why: str) -> InputError:
    return InputError(
        f"what {remote.url} gave is not the published {remote.name}: {why}. Nothing was kept. "
        f"Try again, or {remote.otherwise}"
    )


def _download(remote: Remote, path: Path, progress: Progress) -> None:
    """Put the file in its place, by way of a part that outlives a failure."""
    import pooch
    import requests

    pooch.get_logger().setLevel("ERROR")
    resuming = _Resuming(remote, path.with_name(f".{path.name}.part"), progress)
    path.unlink(missing_ok=True)
    try:
        pooch.retrieve(
            remote.url, None, fname=path.name, path=path.parent,
            downloader=resuming if remote.url.startswith("http") else None,
        )  # fmt: skip
    except (requests.RequestException, OSError, ValueError) as error:
        raise MachineError(
            f"{remote.what} can't be fetched from {remote.url} ({_words(error)}). "
            f"{remote.otherwise[:1].upper()}{remote.otherwise[1:]}"
        ) from error


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error)[:160]}"


class _Resuming:
    """A downloader for pooch that goes on with the part that an earlier try left."""

    def __init__(self, remote: Remote, part: Path, progress: Progress) -> None:
        self._remote = remote
        self._part = part
        self._version = part.with_suffix(".version")
        self._progress = progress

    def __call__(self, url: str, output: str | IO[bytes], mover: Any) -> None:
        import requests

        for attempt in range(_TRIES):
            before = self._size()
            try:
                self._go_on(url)
                break
            except (requests.ConnectionError, requests.Timeout, _CutOff) as error:
                # Where there is no network at all, the next try won't have one either.
                hopeless = self._size() <= before and not isinstance(error, _CutOff)
                if hopeless or attempt == _TRIES - 1:
                    raise
                time.sleep(_WAIT_S * 2**attempt)
        shutil.move(self._part, str(output))
        self._version.unlink(missing_ok=True)

    def _go_on(self, url: str) -> None:
        import requests

        have = self._size()
        version = self._version.read_text() if self._version.exists() else ""
        headers = {"Accept-Encoding": "identity"}
        if have and version:
            headers["Range"] = f"bytes={have}-"
        with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT_S) as answer:
            if answer.status_code == requests.codes.requested_range_not_satisfiable:
                self._forget()
                raise _CutOff("the server doesn't know the part that is here")
            answer.raise_for_status()
            if answer.status_code != requests.codes.partial_content or _version(answer) != version:
                have = 0
            if answer.status_code == requests.codes.partial_content and not have:
                self._forget()  # the file was replaced meanwhile
                raise _CutOff("the file changed between two parts")
            self._version.write_text(_version(answer))
            self._take(answer, have)

    def _take(self, answer: requests.Response, have: int) -> None:
        import requests

        length = answer.headers.get("Content-Length")
        whole = have + int(length) if length else None
        try:
            with open(self._part, "ab" if have else "wb") as file:
                for block in answer.iter_content(_BLOCK_BYTES):
                    file.write(block)
                    have += len(block)
                    self._progress(
                        f"fetching {self._remote.what} (KiB)", have >> 10, (whole or 0) >> 10
                    )
        except requests.exceptions.ChunkedEncodingError as error:
            raise _CutOff(f"cut off after {have:,} of {whole or 0:,} bytes") from error
        if whole is not None and have != whole:
            raise _CutOff(f"cut off after {have:,} of {whole:,} bytes")

    def _size(self) -> int:
        return self._part.stat().st_size if self._part.exists() else 0

    def _forget(self) -> None:
        self._part.unlink(missing_ok=True)
        self._version.unlink(missing_ok=True)


class _CutOff(OSError):
    """The server ended before the file did."""


def _version(answer: requests.Response) -> str:
    """What tells one version of a file from the next; empty where the server doesn't say."""
    return answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""
