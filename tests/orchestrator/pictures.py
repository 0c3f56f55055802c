"""Small pictures: as folders, and in archives."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from manifests.manifest import Dataset
from orchestrator.datasets import pack
from orchestrator.datasets.pack import quiet


def png(shade: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.full((6, 4, 3), shade, np.uint8)).save(file, "PNG")
    return file.getvalue()


FILES = {
    "top/train/cat/0.png": png(1),
    "top/train/cat/1.png": png(2),
    "top/train/dog/0.png": png(101),
    "top/validation/cat/7.png": png(3),
    "top/validation/dog/8.png": png(103),
    "top/read.me": b"not a picture",
    "__MACOSX/top/train/cat/._0.png": b"not one either",
}


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def packed(source: pack.Source, size: int, cache: Path) -> Dataset:
    return pack.read_meta(pack.prepare(source, size, cache, quiet))


def pictures(root: Path, test: str = "test", classes: tuple[str, ...] = ("cat", "dog")) -> Path:
    """Two small images a class and split; returns the folder."""
    for split in ("train", test):
        for shade, name in enumerate(classes):
            folder = root / split / name
            folder.mkdir(parents=True)
            for number in range(2):
                grey = np.full((6, 4, 3), 100 * shade + number, np.uint8)
                Image.fromarray(grey).save(folder / f"{number}.png")
    return root
