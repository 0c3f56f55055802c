"""Which image can serve which GPU: told before anything is downloaded, not by a crash."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from orchestrator.environments.images import Image, capability_number, capability_range


class Pairing(NamedTuple):
    """The image for a GPU; ``obstacle`` says why none fits."""

    image: str
    obstacle: str = ""


def obstacle(image: Image, capability: str) -> str:
    """Why ``image`` can't serve a GPU of that compute capability, and what can; else empty.

    An unknown capability, or an image that names no limits, is no obstacle.
    """
    limits = image.file.gpu
    if limits is None or not capability:
        return ""
    number = capability_number(capability)
    if any(first <= number <= last for first, last in map(capability_range, limits.capabilities)):
        return ""
    instead = f". Use {limits.instead} instead" if limits.instead else ""
    return (
        f"image {image.name} can't serve a GPU of compute capability {capability}: "
        f"{limits.why}{instead}"
    )


def pair(images: Sequence[Image], capability: str) -> Pairing:
    """The first image that can serve the GPU, else the first one's obstacle."""
    obstacles = [obstacle(image, capability) for image in images]
    for image, found in zip(images, obstacles, strict=True):
        if not found:
            return Pairing(image.name)
    return Pairing(images[0].name, obstacles[0])
