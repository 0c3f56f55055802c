"""What a probe found: whether a technique can quantize a feature, and what then really ran."""

from __future__ import annotations

from typing import Dict, List, Literal, Optional

import msgspec

Outcome = Literal[
    "int8", "int16x8", "float16", "bfloat16", "float8", "simulated", "mixed", "wrong", "refused",
    "crashed", "timeout",
]  # fmt: skip
"""The first five: the feature's own operation ran in the type that the technique promises."""

AS_PROMISED: List[Outcome] = ["int8", "int16x8", "float16", "bfloat16", "float8"]
SIGNS: Dict[str, str] = {
    "int8": "8", "int16x8": "16", "float16": "h", "bfloat16": "b", "float8": "f8",
    "simulated": "s", "mixed": "~", "wrong": "≠", "refused": "×", "crashed": "!", "timeout": "…",
}  # fmt: skip
"""One for each outcome, for tables too narrow for words."""
MEANINGS: Dict[str, str] = {
    "int8": "the feature's own operation ran in INT8",
    "int16x8": "it ran on 16-bit activations and 8-bit weights",
    "float16": "it ran in float16",
    "bfloat16": "it ran in bfloat16",
    "float8": "it ran in float8",
    "simulated": "the graph gives it integers, which only a compiler would compute with",
    "mixed": "the network ran, and that operation in float",
    "wrong": "it ran, and answered something else than the float network",
    "refused": "the framework said no",
    "crashed": "its process ended without a word of refusal",
    "timeout": "it didn't end in time",
}

LIMIT_DB = 6.0
"""SQNR below which an answer counts as wrong: noise of a quarter of what tells pictures apart.
Eight bits leave 15 to 30 dB in networks of three layers; another network's answer has 0 or less.
"""

Counts = Dict[str, Dict[str, int]]
"""Type -> operation -> how often."""


class Probe(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One outcome with its proof.

    ``own`` are the feature's own operations of one call of the quantized network, ``others`` the
    rest of those that compute. ``folded``: it has none left, its neighbours have taken it in, and
    they are what is judged. ``words`` are the framework's own where it refused, with the ``stage``
    (a phase of the cell) in which it did.

    ``sqnr_db``: over ``images`` and classes, of what differs between pictures (each class's mean
    over them is left out); None where there is no number, and ``sqnr_reason`` says why.
    ``agreement``: the share of pictures for which both networks put the same class first.
    ``limit_db`` was stated before.
    """

    outcome: Outcome
    promised: str = ""
    own: Counts = {}
    others: Counts = {}
    folded: bool = False
    source: str = ""
    words: str = ""
    stage: str = ""
    images: int = 0
    sqnr_db: Optional[float] = None
    sqnr_reason: str = ""
    agreement: Optional[float] = None
    limit_db: float = LIMIT_DB
