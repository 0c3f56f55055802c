"""Tar archives as a daemon sends them, and what comes out of them."""

from __future__ import annotations

import io
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

from orchestrator.engines.docker import archives

OURS = ["order.json", "stderr.txt", "cell.json", "context.json", "stop.json"]


def entry(name: str, kind: bytes = tarfile.REGTYPE, **more: object) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type = kind
    for key, value in more.items():
        setattr(made, key, value)
    return made


def archive(*entries: tuple[tarfile.TarInfo, bytes]) -> bytes:
    """As a daemon sends it: the folder itself first."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as made:
        made.addfile(entry("cell", tarfile.DIRTYPE))
        for info, content in entries:
            info.size = len(content)
            made.addfile(info, io.BytesIO(content))
    return file.getvalue()


def files(**contents: bytes) -> bytes:
    return archive(*((entry(f"cell/{name}"), content) for name, content in contents.items()))


def tree(folder: Path) -> dict[str, bytes | None]:
    """Everything in the folder; None for what is no plain file or folder."""
    found: dict[str, bytes | None] = {}
    for path in folder.rglob("*"):
        if path.is_symlink() or not path.is_dir():
            plain = path.is_file() and not path.is_symlink()
            found[path.relative_to(folder).as_posix()] = path.read_bytes() if plain else None
    return found


def cut(data: bytes, size: int) -> Iterator[bytes]:
    return (data[i : i + size] for i in range(0, len(data), size))


def unpacked(data: bytes, chunk: int = 1000) -> dict[str, bytes | None]:
    """What lies in the cell's folder afterwards, having made sure that nothing lies beside it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "run" / "cell"
        folder.mkdir(parents=True)
        try:
            archives.unpack_results(cut(data, chunk), folder)
        finally:
            assert [path.name for path in Path(name).iterdir()] == ["run"]
            assert [path.name for path in folder.parent.iterdir()] == ["cell"]
        return tree(folder)
