"""Published weights on their way into a cell: a folder with the file, and this beside it."""

from __future__ import annotations

import msgspec

META = "meta.json"


class Pretrained(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """``file`` was fetched from ``url``; ``checked`` says against what its hash was checked."""

    name: str
    file: str
    url: str
    sha256: str
    checked: str
