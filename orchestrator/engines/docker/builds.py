"""Images: finding the one that is up to date, building it, running its checks."""

from __future__ import annotations

import collections
import contextlib
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import requests
from docker.errors import APIError, ImageNotFound
from docker.utils import parse_repository_tag

from manifests import paths
from manifests.errors import InputError, MachineError
from manifests.manifest import ImageUsed
from orchestrator.engines.base import Order, Tell
from orchestrator.engines.docker import pulls, settings, wheels
from orchestrator.engines.docker.build_context import build_context, code_sha256, image_key
from orchestrator.engines.docker.daemon import GONE, Daemon
from orchestrator.engines.docker.dockerfile import dockerfile
from orchestrator.engines.docker.mounts import Shared
from orchestrator.environments.images import Image
from orchestrator.file_lock import waiting
from orchestrator.messages import LogLine
from orchestrator.version import VERSION

_STEP = re.compile(r"(?:\[\d+/\d+\] )?Step (\d+)/(\d+) ?: (.*)", re.IGNORECASE)
_BASE = re.compile(r"^ARG BASE=(\S+)", re.MULTILINE)
_LAST_LINES = 15
_LABEL = "repliquant."


def tag(image: Image) -> str:
    """The name of the up-to-date image, e.g. repliquant/pytorch-cpu:1a2b3c4d5e6f."""
    return f"repliquant/{image.name}:{image_key(image)[:12]}"


def find(daemon: Daemon, image: Image) -> str | None:
    """The id of the up-to-date image, None when it isn't there."""
    return _id_of(daemon, tag(image))


def _id_of(daemon: Daemon, name: str) -> str | None:
    try:
        return str(daemon.client.images.get(name).id)
    except ImageNotFound:
        return None


def base_of(image: Image) -> str:
    """What the image is built on: REPLIQUANT_BASE_<IMAGE>, REPLIQUANT_BASE, the Dockerfile's."""
    variable = f"REPLIQUANT_BASE_{image.name.upper().replace('-', '_').replace('.', '_')}"
    given = os.environ.get(variable) or os.environ.get("REPLIQUANT_BASE")
    if given:
        return given
    found = _BASE.search(dockerfile(image))
    if found is None:
        raise InputError(f"{image.dockerfile} has no line ARG BASE=IMAGE")
    return found[1]


def obstacle(daemon: Daemon, image: Image) -> str:
    """Why the image is neither there nor can be built; empty when nothing is in the way."""
    if not image.for_containers:
        return f"the image {image.name} has no Dockerfile"
    if find(daemon, image) is not None:
        return ""
    base = base_of(image)
    if _id_of(daemon, base) is None and not pulls.can_be_pulled(daemon, base):
        return (
            f"the base {base} of the image {image.name} is neither here nor can be pulled "
            "(REPLIQUANT_BASE names another)"
        )
    return _short_of_disk(daemon, image)


def build(daemon: Daemon, image: Image, tell: Tell) -> ImageUsed:
    """Build the image unless it is up to date. Raises MachineError with the last lines."""
    name = tag(image)
    if _id_of(daemon, name) is None:
        with _own_files(image):
            place = paths.cache() / "images"
            place.mkdir(parents=True, exist_ok=True)
            lock = place / f"{image.name}.lock"
            with waiting(lock, lambda who: tell(LogLine(f"waiting for {who}", "detail"))):
                if _id_of(daemon, name) is None:
                    _build(daemon, image, name, place, tell)
    return _used(daemon, image, name)


def _used(daemon: Daemon, image: Image, name: str) -> ImageUsed:
    """The image as manifests name it."""
    found = daemon.client.images.get(name)
    # Podman gives what it builds a digest, too; no registry knows it.
    digests = [] if daemon.podman else found.attrs.get("RepoDigests") or []
    return ImageUsed(
        name=image.name,
        kind="container",
        lock_sha256=image.container_lock_sha256,
        id=found.id,
        digest=digests[0].split("@")[-1] if digests else None,
        base=found.labels.get(f"{_LABEL}base"),
        base_digest=found.labels.get(f"{_LABEL}base-digest") or None,
        unhashed=[word for word in found.labels.get(f"{_LABEL}unhashed", "").split(",") if word],
    )


def verify(
    daemon: Daemon, image: Image, labels: dict[str, str], account: Shared
) -> tuple[bool, str]:
    """Run the image's checks in a container that may do no more than a cell's; what they print.

    Raises MachineError when the image is not built.
    """
    nothing = Order(run="", cell="", folder=Path(), data=None, weights=None, threads=0)
    allowed = settings.describe(daemon, image.file.container, nothing, account.mounts)
    arguments = settings.arguments(daemon, allowed, account.sources, labels)
    script = f"/opt/repliquant/images/{image.name}/verify.py"
    command = ["python", "-m", "runners.verify", script]
    own = {"entrypoint": command, "command": [], "stdin_open": False, "log_config": None}
    try:
        container = daemon.client.containers.create(tag(image), **arguments | own)
    except ImageNotFound as error:
        raise MachineError(
            f"{image.name} is not built; run: repliquant images build {image.name}"
        ) from error
    try:
        container.start()
        passed = container.wait()["StatusCode"] == 0
        return passed, container.logs(stderr=not passed).decode(errors="replace")
    finally:
        container.remove(force=True)


def _build(daemon: Daemon, image: Image, name: str, place: Path, tell: Tell) -> None:
    hindrance = obstacle(daemon, image)
    if hindrance:
        raise MachineError(f"{hindrance}. Fix that and run again, or run with --engine local")
    base = base_of(image)
    tell(LogLine(f"making image {image.name} from {base}", "detail"))
    folder = wheels.fetch(image, architecture(daemon), tell)
    with build_context(image, folder, place) as context:
        try:
            base_digest = _digest_of_base(daemon, image, base, tell)
            lines = daemon.client.api.build(
                fileobj=context,
                custom_context=True,
                dockerfile=f"images/{image.name}/Dockerfile",
                tag=name,
                buildargs={"BASE": base, **_proxies()},
                labels=_labels(image, base, base_digest),
                rm=True,
                forcerm=True,
                decode=True,
            )
            follow(image, lines, tell)
        except APIError as error:
            raise _failed(image, [str(error.explanation)]) from error


def _digest_of_base(daemon: Daemon, image: Image, base: str, tell: Tell) -> str:
    """The digest by which a registry knows the base, pulled now unless it is here; for one that
    was made here, its id.
    """
    if _id_of(daemon, base) is None:
        name, tag = parse_repository_tag(base)
        pulled = daemon.client.api.pull(name, tag=tag or "latest", stream=True, decode=True)
        follow(image, (line for line in pulled if "progress" not in line), tell)
    return content_of(daemon.client.images.get(base))


def content_of(found: Any) -> str:
    """What names an image's content: its registry digest, else its id."""
    digests = found.attrs.get("RepoDigests") or []
    return str(digests[0].split("@")[-1] if digests else found.id)


def follow(image: Image, lines: Iterable[dict[str, Any]], tell: Tell) -> None:
    """Tell what the build prints, with its step as progress. Raises MachineError."""
    last: collections.deque[str] = collections.deque(maxlen=_LAST_LINES)
    done = of = 0
    for message in lines:
        error = message.get("error")
        text = str(error or message.get("stream") or message.get("status") or "")
        for line in filter(str.strip, text.splitlines()):
            last.append(line.rstrip())
            step = _STEP.match(line)
            if step:
                done, of = int(step[1]) - 1, int(step[2])
            tell(LogLine(f"{image.name}: {line.strip()[:200]}", "detail", done, of))
        if error:
            raise _failed(image, last)


def _failed(image: Image, last: Iterable[str]) -> MachineError:
    shown = "\n  ".join(last)
    return MachineError(
        f"the image {image.name} could not be built. Its last lines:\n  {shown}\n"
        f"Fix the cause and run again, or build it alone: repliquant images build {image.name}"
    )


@contextlib.contextmanager
def _own_files(image: Image) -> Iterator[None]:
    """What goes wrong with our own files, not with the daemon, is told as that."""
    try:
        yield
    except (requests.exceptions.RequestException, *GONE):
        raise
    except OSError as error:
        raise MachineError(
            f"the image {image.name} can't be made under {paths.cache()}: "
            f"{error.strerror or error}. Its packages need about {2 * image.file.download_mb} MB "
            "there; set REPLIQUANT_CACHE to another folder"
        ) from error


def _labels(image: Image, base: str, base_digest: str) -> dict[str, str]:
    own = {
        "image": image.name,
        "version": VERSION,
        "lock-sha256": image.container_lock_sha256,
        "runners-sha256": code_sha256(),
        "key": image_key(image),
        "base": base,
        "base-digest": base_digest,
        "unhashed": ",".join(image.container_unhashed),
    }
    return {f"{_LABEL}{name}": value for name, value in own.items()}


def _proxies() -> dict[str, str]:
    """Docker knows these arguments by itself and keeps them out of the image's history."""
    names = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
    return {name: os.environ[name] for name in names if os.environ.get(name)}


def architecture(daemon: Daemon) -> str:
    """The daemon's processor architecture as wheels name it."""
    known = {"arm64": "aarch64", "amd64": "x86_64"}
    found = str(daemon.info.get("Architecture", "x86_64"))
    return known.get(found, found)


def _short_of_disk(daemon: Daemon, image: Image) -> str:
    """Building takes the packages twice: in a layer of their own, and in the image."""
    folder = str(daemon.info.get("DockerRootDir", "/var/lib/docker"))
    if not daemon.shares_files or not os.path.isdir(folder):
        return ""
    free_mb = shutil.disk_usage(folder).free // 2**20
    needed_mb = 2 * image.file.disk_mb
    if free_mb >= needed_mb:
        return ""
    return f"the image {image.name} needs about {needed_mb} MB and {folder} has {free_mb} MB free"
