"""Locks: exact versions, each with the hashes of the files that may be installed for it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from manifests.errors import InputError

ALLOW_UNHASHED = "REPLIQUANT_ALLOW_UNHASHED"
_PIN = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[^\s;\\]+)")


class Pin(NamedTuple):
    """One package: its name as indexes compare names, its version, its lines in the lock."""

    name: str
    version: str
    text: str

    @property
    def title(self) -> str:
        """As it is named to pip, e.g. ``torch==2.13.0``."""
        return f"{self.name}=={self.version}"

    @property
    def unhashed(self) -> str:
        """The line without its hashes."""
        return self.text.split("\\")[0].split("--hash")[0].strip()


def read_pins(lock: Path) -> list[Pin]:
    """The pins of a lock; what belongs to one stays together. Raises OSError."""
    found = []
    for text in _whole_lines(lock.read_text(encoding="utf-8")):
        match = _PIN.match(text)
        if match:
            found.append(Pin(canonical(match["name"]), match["version"], text))
    return found


def _whole_lines(text: str) -> Iterable[str]:
    """Lines together with those that a backslash joins to them."""
    whole = ""
    for line in text.splitlines():
        whole += line.rstrip() + "\n"
        if not line.rstrip().endswith("\\"):
            yield whole.strip()
            whole = ""


def canonical(name: str) -> str:
    """Indexes take ``tf_keras``, ``TF.Keras`` and ``tf-keras`` for one name."""
    return re.sub(r"[-_.]+", "-", name).lower()


def allowed_unhashed(pins: Iterable[Pin]) -> list[str]:
    """Those of ``pins`` that REPLIQUANT_ALLOW_UNHASHED takes whatever their content.

    It names packages with their versions, separated by commas or spaces. Raises InputError for
    one without a version, or with another than the lock has.
    """
    found = []
    versions = {pin.name: pin.version for pin in pins}
    for word in re.split(r"[\s,]+", os.environ.get(ALLOW_UNHASHED, "").strip()):
        if not word:
            continue
        name, _, version = word.partition("==")
        locked = versions.get(canonical(name))
        if not version or locked not in (None, version):
            wanted = f"{canonical(name)}=={locked or 'VERSION'}"
            raise InputError(f"{ALLOW_UNHASHED} names {word!r}. Accepted here: {wanted}")
        if locked:
            found.append(f"{canonical(name)}=={version}")
    return sorted(set(found))
