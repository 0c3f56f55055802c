"""Which code ran a cell: this project's, and what REPLIQUANT_PATH added to it."""

from __future__ import annotations

from typing import List, Optional

import msgspec


class Extension(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A folder of REPLIQUANT_PATH with code: its name, the hash of its code, its commit if any."""

    name: str
    sha256: str
    commit: Optional[str] = None


class CodeVersion(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The version of this project that ran the cell, and the code from outside, in its order."""

    version: str
    commit: Optional[str] = None
    dirty: Optional[bool] = None
    extensions: List[Extension] = []

    @property
    def short(self) -> str:
        """Equal only for equal code: ``4a1448e0a6ff+changes``, ``0.1.0 with mine 1a2b3c4d5e6f``."""
        own = f"{(self.commit or self.version)[:12]}{'+changes' if self.dirty else ''}"
        more = " and ".join(f"{one.name} {one.sha256[:12]}" for one in self.extensions)
        return f"{own} with {more}" if more else own
