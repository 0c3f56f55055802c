"""Published ImageNet weights: fetched on the host and checked, for cells that have no network.

The files are those of keras.applications without the classifier (``include_top=False``). Their
MD5 sums stand in Keras' own source: keras/applications/vgg16.py (``file_hash``) and resnet.py
(``WEIGHTS_HASHES``), the same in Keras 2.8 and tf_keras 2.21. For MobileNet Keras states none.
The sizes are those that Keras' own progress bar shows for the downloads.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from manifests.cell import Cell
from manifests.errors import InputError, MachineError
from manifests.files import write_atomically
from manifests.pretrained import META, Pretrained
from orchestrator.datasets.downloads import Remote, fetch, recorded, there
from orchestrator.datasets.pack import Progress

IMAGENET = "imagenet"
_BASE = "https://storage.googleapis.com/tensorflow/keras-applications"
_PUBLISHED = {
    "vgg16": (
        "vgg16/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "md5:6d6bbae143d832006294945121d1f1fc",
        "Keras' source, applications/vgg16.py",
        58_889_256,
    ),
    "resnet50": (
        "resnet/resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "md5:4d473c1dd8becc155b73f8504c6f6626",
        "Keras' source, applications/resnet.py",
        94_765_736,
    ),
}
_MOBILENET = "mobilenet/mobilenet_1_0_{}_tf_no_top.h5"
_MOBILENET_SIZES = (128, 160, 192, 224)
_MOBILENET_BYTES = {224: 17_225_924}
NOT_FOR_PYTORCH = (
    "ImageNet weights for these networks are published by Keras alone, as HDF5 files, which "
    "PyTorch doesn't read; torchvision's are for other networks (its ResNet-50 strides in the "
    '3 x 3 convolution, it has no MobileNet_v1). Set weights = "none" in the recipe'
)


def wanted(cell: Cell) -> bool:
    """Whether the cell itself starts from published weights."""
    return cell.weights_from is None and cell.recipe.get("weights") == IMAGENET


def obstacle(cell: Cell) -> str:
    """Why no published file fits a cell that wants one; empty where one does."""
    if not wanted(cell):
        return ""
    if cell.framework == "pytorch":
        return NOT_FOR_PYTORCH
    if cell.model not in (*_PUBLISHED, "mobilenet-v1"):
        accepted = ", ".join((*_PUBLISHED, "mobilenet-v1"))
        return f"no ImageNet weights are known for {cell.model}. Accepted: {accepted}"
    return ""


def remote(cell: Cell) -> Remote:
    """The published file that fits the cell's network and image size."""
    if cell.model in _PUBLISHED:
        path, digest, stated_in, size = _PUBLISHED[cell.model]
        return _remote(cell.model, path, digest, stated_in, size)
    # keras/applications/mobilenet.py takes the file of 224 for every size that has none.
    rows = cell.image_size if cell.image_size in _MOBILENET_SIZES else 224
    return _remote(cell.model, _MOBILENET.format(rows), size_bytes=_MOBILENET_BYTES.get(rows))


def _remote(
    model: str, path: str, digest: str = "", stated_in: str = "", size_bytes: int | None = None
) -> Remote:
    name = path.rpartition("/")[2]
    return Remote(
        what=f"ImageNet weights of {model}",
        url=f"{_BASE}/{path}",
        otherwise=f"put {name} into {{folder}}, or choose a tier without pretrained weights",
        digest=digest,
        stated_in=stated_in,
        size_bytes=size_bytes,
    )


def folder_of(cell: Cell, cache: Path) -> Path:
    """The folder that a cell gets: the file and what is known of it."""
    return cache / "pretrained" / remote(cell).name.removesuffix(".h5")


def to_fetch(cells: Iterable[Cell], cache: Path) -> list[Remote]:
    """Every file that the cells want and that isn't here."""
    found = {
        folder_of(cell, cache): remote(cell)
        for cell in cells
        if wanted(cell) and not obstacle(cell)
    }
    return [one for folder, one in found.items() if not there(one, folder)]


def prepare_pretrained(cells: Iterable[Cell], cache: Path, progress: Progress) -> None:
    """Fetch and check what the cells want. Raises RepliquantError: before anything runs."""
    folders = {folder_of(c, cache): remote(c) for c in cells if wanted(c) and not obstacle(c)}
    for folder, file in folders.items():
        file = file._replace(otherwise=file.otherwise.format(folder=folder))
        path = fetch(file, folder, cache, progress)
        known = recorded(file, folder)
        if known is None:
            raise InputError(f"{folder} lost its record of {file.name}. Run again")
        meta = Pretrained(name="ImageNet", file=path.name, url=file.url, sha256=known.sha256,
                          checked=known.checked)  # fmt: skip
        try:
            write_atomically(folder / META, msgspec.json.encode(meta) + b"\n")
        except OSError as error:
            raise MachineError(f"{folder} can't be written to: {error.strerror}") from error
