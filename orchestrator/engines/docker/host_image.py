"""The host side itself as an image: the command line in a container, driving a mounted socket."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO

from manifests import paths
from manifests.paths import ROOT
from orchestrator.engines.base import Tell
from orchestrator.engines.docker import builds, wheels
from orchestrator.engines.docker.build_context import packed_context
from orchestrator.engines.docker.daemon import connect
from orchestrator.environments.images import Image, ImageFile
from orchestrator.messages import LogLine
from orchestrator.version import VERSION, code_version

_FOLDERS = (
    "manifests", "machine", "runners", "papers", "comparisons", "orchestrator", "services", "cli",
    "tui", "studies", "images",
)  # fmt: skip
_FILES = (
    "Dockerfile", "requirements.txt", "pyproject.toml", "README.md", "LICENSE", "hatch_build.py",
    "repliquant.py",
)  # fmt: skip
_SELF = ImageFile(
    name="host",
    framework="none",
    about="the command line and the screen",
    python=["3.11"],
    install_dependencies=False,
    download_mb=80,
    disk_mb=600,
)


def build_host(tell: Tell) -> str:
    """Build the image and give its name, e.g. repliquant:0.1.0. Raises RepliquantError."""
    image = Image(file=_SELF, folder=ROOT)
    daemon = connect()
    name = f"repliquant:{VERSION}"
    with daemon.explained():
        folder = wheels.fetch(image, builds.architecture(daemon), tell)
        place = paths.cache() / "images"
        place.mkdir(parents=True, exist_ok=True)
        with _context(folder, place) as context:
            lines = daemon.client.api.build(
                fileobj=context,
                custom_context=True,
                tag=name,
                buildargs={"BASE": builds.base_of(image), "COMMIT": code_version().commit or ""},
                rm=True,
                forcerm=True,
                decode=True,
            )
            builds.follow(image, lines, tell)
    tell(LogLine(f"built {name}"))
    return name


def _context(wheels_folder: Path, spool: Path) -> AbstractContextManager[IO[bytes]]:
    """The files of the project that the host side is made of, and its wheels."""
    files: list[tuple[str, Path | str]] = [(name, ROOT / name) for name in _FILES]
    for folder in _FOLDERS:
        found = sorted(path for path in (ROOT / folder).rglob("*") if path.is_file())
        kept = [path for path in found if "__pycache__" not in path.parts]
        files += [(path.relative_to(ROOT).as_posix(), path) for path in kept]
    files += [(f"wheels/{path.name}", path) for path in sorted(wheels_folder.iterdir())]
    return packed_context(files, spool, _SELF.name)
