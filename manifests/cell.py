"""A cell: one point of an experiment, and the identity that it has everywhere."""

from __future__ import annotations

import hashlib
import json
import sys
from functools import cached_property
from typing import Any, Dict, List, Literal, Optional, Union

import msgspec

Scalar = Union[None, bool, int, float, str, List[float]]
Task = Literal["train", "quantize", "infer", "probe"]
Protocol = str
"""The name of a file of runners/protocols; manifests.runner_files lists them."""
Device = Literal["cpu", "gpu"]

ID_LENGTH = 12


class Cell(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True,
    dict=True,
):  # fmt: skip
    """What is run, completely: two cells with equal fields are the same cell.

    ``recipe`` holds only what this task reads (a change to the training recipe does not
    rename an inference cell, except through ``weights_from``). ``weights_from`` is the id
    of the cell whose weights this one starts from, so lineage is part of the identity.
    ``repeat`` numbers independent processes of the same point. ``variant`` is a parameter of the
    technique, e.g. how it calibrates; empty is what the technique does by itself. ``environment``
    is the image it runs in where that is what is asked (the same technique in other versions);
    empty is the study's own, which the plan names. ``feature`` is what a probe probes, one of
    manifests.features; empty for every other task.

    A field added later needs a default: defaults are left out of the canonical form, so
    the ids of earlier cells stay what they were.
    """

    study: str
    task: Task
    framework: str
    technique: str
    model: str
    dataset: str
    image_size: int
    batch_size: int
    seed: int
    protocol: Protocol
    tier: str
    recipe: Dict[str, Scalar]
    device: Device = "cpu"
    repeat: int = 0
    weights_from: Optional[str] = None
    variant: str = ""
    environment: str = ""
    feature: str = ""

    @cached_property
    def id(self) -> str:
        """The first 12 hexadecimal digits of the SHA-256 of the canonical JSON.

        Asked for some ten times of every cell of a plan, and kept: a cell doesn't change.
        """
        # msgspec leaves a text out only if it is the very object that is the default.
        cell = msgspec.structs.replace(
            self,
            device=sys.intern(self.device),
            variant=sys.intern(self.variant),
            environment=sys.intern(self.environment),
            feature=sys.intern(self.feature),
        )
        return hashlib.sha256(canonical_json(cell)).hexdigest()[:ID_LENGTH]

    @property
    def memory_limit_bytes(self) -> int:
        """What its process may have of memory by its recipe; 0 where the machine alone says."""
        limit = self.recipe.get("memory_limit_bytes")
        return limit if isinstance(limit, int) else 0

    @property
    def title(self) -> str:
        """One line for people, e.g. ``pytorch infer ptq-eager resnet18 32 px batch 128``."""
        technique = f"{self.technique} {self.variant}".rstrip()
        words = [self.framework, self.task, technique, f"batch {self.batch_size}"]
        if self.model != "none":
            words.insert(3, f"{self.model} {self.image_size} px")
        if self.feature:
            words.insert(3, self.feature)
        if self.device != "cpu":
            words.append(self.device)
        if self.protocol != "rigorous":
            words.append(self.protocol)
        if self.environment:
            words.append(f"in {self.environment}")
        if self.seed:
            words.append(f"seed {self.seed}")
        if self.repeat:
            words.append(f"repeat {self.repeat}")
        return " ".join(words)


_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)


def canonical_json(value: Any) -> bytes:
    """ASCII JSON with sorted keys and no spaces; the same bytes on every Python and machine.

    Raises ValueError for NaN and infinities, which JSON does not have.
    """
    return _canonical.encode(msgspec.to_builtins(value)).encode("ascii")


def sha256_hex(data: bytes) -> str:
    """Hexadecimal SHA-256 of ``data``."""
    return hashlib.sha256(data).hexdigest()
