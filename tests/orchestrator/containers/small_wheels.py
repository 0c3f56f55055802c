"""An image of few pins, its wheels in a folder, and what was fetched."""

from __future__ import annotations

import hashlib
from pathlib import Path

from orchestrator.engines.docker import wheels
from orchestrator.environments.images import Image, load_image
from tests.fakes.studies import write_image


def image(tmp_path: Path, *pins: str, python: str = "3.11") -> Image:
    lock = "".join(f"{pin}{hashes(tmp_path / 'index', pin)}\n" for pin in pins)
    folder = write_image(tmp_path, "small", lock)
    path = folder / "image.toml"
    path.write_text(path.read_text().replace('["3.11", "3.12", "3.13"]', f'["{python}"]'))
    return load_image("small", tmp_path / "images")


def hashes(index: Path, pin: str) -> str:
    """Those of the files that the index has of the pin now, as a lock has them."""
    if "==" not in pin:
        return ""
    name, _, version = pin.partition("==")
    files = sorted(index.glob(f"{name}-{version}-*.whl"))
    found = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files] or ["0" * 64]
    return "".join(f" --hash=sha256:{sha256}" for sha256 in found)


def fetch(small: Image, architecture: str = "x86_64") -> tuple[list[str], list[str]]:
    """The names of the wheels, and what was told."""
    told: list[str] = []
    folder = wheels.fetch(small, architecture, lambda note: told.append(note.text))
    return sorted(path.name for path in folder.glob("*.whl")), told


def begun(tmp_path: Path) -> list[str]:
    """What lies in the cache beside finished folders and locks."""
    return [path.name for path in (tmp_path / "cache" / "wheels").glob(".*")]
