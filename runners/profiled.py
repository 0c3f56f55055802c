"""What a cell under a framework's own profiler reads of its recipe."""

from __future__ import annotations

import msgspec


class ProfiledRecipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``calls``: how many steps or calls are profiled; as many go before."""

    calls: int
