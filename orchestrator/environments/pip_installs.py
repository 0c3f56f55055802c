"""From locks to calls of ``pip install``: hashes are required of every package not exempted."""

from __future__ import annotations

import contextlib
import hashlib
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from orchestrator.environments.pins import (
    ALLOW_UNHASHED,
    Pin,
    allowed_unhashed,
    canonical,
    read_pins,
)

NOTHING_CHOSEN: Mapping[str, str] = {}
HASHED, UNHASHED = "hashed.txt", "unhashed.txt"
_REFUSED = re.compile(r"(?P<pin>\S+==\S+) from (?P<place>\S+)")
_GOT = re.compile(r"Got\s+(?P<sha256>[0-9a-f]{64})")
_REQUIRES = re.compile(r"^Requires-Dist: *(?P<name>[\w.-]+)(?P<rest>.*)$", re.MULTILINE)


@contextlib.contextmanager
def installs(
    locks: Sequence[Path], folder: Path, chosen: Mapping[str, str] = NOTHING_CHOSEN
) -> Iterator[list[list[str]]]:
    """Arguments of one or two ``pip install``, with their files in a temporary folder."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        hashed, unhashed = write_parts(locks, Path(name), chosen)
        steps = [["--no-deps", "--require-hashes", "--requirement", str(hashed)]]
        if unhashed is not None:
            steps.append(["--no-deps", "--requirement", str(unhashed)])
        yield steps


def write_parts(
    locks: Sequence[Path], folder: Path, chosen: Mapping[str, str] = NOTHING_CHOSEN
) -> tuple[Path, Path | None]:
    """The pins whose content is checked, and those for which it isn't, as two files.

    pip checks hashes of all packages of a call or of none. ``chosen`` has the one hash that is
    left of some packages' (see local_builds).
    """
    pins = [pin for lock in locks for pin in read_pins(lock)]
    exempt = set(allowed_unhashed(pins))
    hashed = _write(folder / HASHED, [
        f"{pin.unhashed} --hash=sha256:{chosen[pin.title]}" if pin.title in chosen else pin.text
        for pin in pins if pin.title not in exempt
    ])  # fmt: skip
    free: list[Pin] = [pin for pin in pins if pin.title in exempt]
    if not free:
        return hashed, None
    return hashed, _write(folder / UNHASHED, [pin.unhashed for pin in free])


def local_builds(
    locks: Sequence[Path], links: str, python: str, architecture: str
) -> dict[str, str]:
    """Builds with a local version (``torch-2.13.0+cpu``) that lie in a folder of ``links`` and
    that the lock knows: the hash of each.

    Somebody put them there to be taken. pip would prefer the index's, because an index states
    hashes and a folder doesn't.
    """
    pins = {pin.title: pin for lock in locks for pin in read_pins(lock)}
    tag = f"-cp{python.replace('.', '')}-"
    found = {}
    for folder in links.split():
        for wheel in Path(folder.removeprefix("file://")).glob(f"*+*{tag}*{architecture}.whl"):
            name, version = wheel.name.split("-")[:2]
            pin = pins.get(f"{canonical(name)}=={version.partition('+')[0]}")
            sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
            if pin is not None and sha256 in pin.text:
                found[pin.title] = sha256
    return found


def _write(file: Path, lines: list[str]) -> Path:
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return file


class Refusals:
    """Reads pip's output for packages whose content the lock doesn't know.

    pip lists every hash that it would have taken, which can be a hundred lines.
    """

    def __init__(self) -> None:
        self.shown: list[str] = []
        self._refused: re.Match[str] | None = None

    def read(self, line: str) -> None:
        self._refused = _REFUSED.search(line) or self._refused
        got = _GOT.search(line)
        if got and self._refused:
            name, _, version = self._refused["pin"].partition("==")
            pin = f"{canonical(name)}=={version.partition('+')[0]}"
            self.shown += [
                f"{pin} is refused: its content is not what the lock knows",
                f"from {self._refused['place']}",
                f"sha256 {got['sha256']}",
                "If somebody whom you trust has rebuilt it, say so; results will name it: "
                f"{ALLOW_UNHASHED}={pin}",
            ]


def wants_more(folders: Iterable[Path], more: Path) -> bool:
    """Whether a package installed in ``folders`` requires one that is pinned in ``more``."""
    files = [file for folder in folders for file in folder.glob("*.dist-info/METADATA")]
    return requires_any((file.read_text(errors="replace") for file in files), more)


def requires_any(metadata: Iterable[str], more: Path) -> bool:
    """Whether one of these packages' METADATA requires one that is pinned in ``more``.

    What only an extra of it or another system asks for doesn't count.
    """
    pinned = {pin.name for pin in read_pins(more)}
    for text in metadata:
        for match in _REQUIRES.finditer(text):
            elsewhere = re.search(r"extra *==|win32|darwin|Windows|Darwin", match["rest"])
            if canonical(match["name"]) in pinned and not elsewhere:
                return True
    return False
