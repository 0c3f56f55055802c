"""How a model was held against the float model that it was made from."""

from __future__ import annotations

from typing import List, Optional

import msgspec


class Fidelity(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What stands behind ``agreement``, ``kl_nats`` and ``sqnr_db`` of a manifest.

    ``parent`` is the id of the float model's cell, ``parent_outputs`` where its answers come from.
    Of ``images`` both put the same class first for ``agreeing``; ``n10`` were right in the float
    model alone, ``n01`` in this one alone. ``outputs`` says what was compared: logits,
    probabilities, or int8 probabilities, whose divergences are ``floored``. ``kl_low`` and
    ``kl_high`` are the ends of the mean divergence's interval of 95 % over images. ``reason`` says
    why nothing was compared.

    Layers were compared on ``layer_images``; ``worst_by`` says in what ``worst_layer`` is the
    worst. ``unmatched`` are those that only one of both has. ``layers_reason`` says why there are
    none.
    """

    parent: str
    parent_outputs: str = ""
    images: Optional[int] = None
    agreeing: Optional[int] = None
    n10: Optional[int] = None
    n01: Optional[int] = None
    outputs: str = ""
    floored: bool = False
    kl_low: Optional[float] = None
    kl_high: Optional[float] = None
    reason: str = ""
    worst_layer: str = ""
    worst_by: str = ""
    layer_images: Optional[int] = None
    layer_source: str = ""
    unmatched: List[str] = []
    layers_reason: str = ""


WORST_LAYER = "worst layer"
"""The label of the ``sqnr_db`` that is the worst layer's."""
FLOORED = "floored"
"""The label of a ``kl_nats`` that is floored; those of its median and p90 begin with it."""
EXACT = "exact"
"""How the reason begins for which an SQNR of what is equal in every element has no number."""
ISOLATED = "isolated"
"""How the source of an ``sqnr_db`` begins that is a layer's own, fed with float inputs."""
