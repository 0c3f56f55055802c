"""What a cell starts from: the weights that another cell left, or a file that was published."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, NamedTuple, Optional, Tuple

from manifests.artifacts import fault, file_sha256
from manifests.codec import UnreadableError, read_manifest, read_struct
from manifests.manifest import Manifest
from manifests.pretrained import META, Pretrained
from runners.failures import DamagedInput
from runners.safetensors_file import NEUTRAL_FILE, read_arrays


class Weights(NamedTuple):
    """The folder of the cell that made the weights.

    One without a manifest was put together by hand; there is nothing to hold it against.
    """

    folder: Path

    def file(self, name: str) -> Path:
        """A file of that cell, as its manifest has it.

        Raises FileNotFoundError that names it, DamagedInput when it is not what was recorded.
        """
        path = self.folder / name
        try:
            manifest = read_manifest(self.folder / "manifest.json")
        except FileNotFoundError:
            if not path.is_file():
                raise _left_no(path) from None
            return path
        except UnreadableError as error:
            raise DamagedInput(f"the manifest of what this cell starts from: {error}") from error
        artifact = next((item for item in manifest.artifacts if item.path == name), None)
        if artifact is None:
            raise _left_no(path)
        wrong = fault(self.folder, artifact)
        if wrong is not None:
            raise DamagedInput(f"starts from cell {manifest.id}, whose {wrong.text}")
        return path

    def made_by(self) -> str:
        """The framework of the cell that made them; empty where no manifest says."""
        manifest = self.manifest()
        return manifest.cell.framework if manifest else ""

    def manifest(self) -> Optional[Manifest]:
        """Of the cell that made them; None where there is none that can be read."""
        try:
            return read_manifest(self.folder / "manifest.json")
        except (OSError, UnreadableError):
            return None  # ``file`` says what is wrong with it

    def arrays(self) -> Dict[str, Any]:
        """The neutral form that a training leaves, for another framework than its own.

        Raises FileNotFoundError, DamagedInput.
        """
        path = self.file(NEUTRAL_FILE)
        try:
            return read_arrays(path)
        except ValueError as error:
            raise DamagedInput(f"what this cell starts from: {error}") from error


def _left_no(path: Path) -> FileNotFoundError:
    return FileNotFoundError(f"{path}: the cell this one starts from left no such file")


class PretrainedFile(NamedTuple):
    """The folder of published weights: one file and what is known of it."""

    folder: Path

    def checked(self) -> Tuple[Path, Pretrained]:
        """The file, which is what was fetched. Raises ValueError, UnreadableError, OSError."""
        meta = read_struct(self.folder / META, Pretrained)
        path = self.folder / meta.file
        found = file_sha256(path)
        if found != meta.sha256:
            raise ValueError(f"{path} has SHA-256 {found}, not {meta.sha256}: run again")
        return path, meta
