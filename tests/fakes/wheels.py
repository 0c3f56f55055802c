"""Small wheels for an index that is a folder."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

NOTHING: Mapping[str, str] = {}


def write_wheel(
    index: Path,
    name: str,
    version: str = "1",
    tag: str = "py3-none-any",
    files: Mapping[str, str] = NOTHING,
) -> str:
    """Put a wheel with these files into the index; returns its name."""
    file = f"{name}-{version}-{tag}.whl"
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    with zipfile.ZipFile(index / file, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
        archive.writestr(f"{info}/METADATA", metadata)
        archive.writestr(
            f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return file
