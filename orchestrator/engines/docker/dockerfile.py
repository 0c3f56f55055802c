"""The Dockerfile of an image: written from ``[container]`` in image.toml, or the image's own.

What every image shares stands here once: packages from wheels that the host has fetched, checked
by their hashes, in a stage of their own; the code; a user that is nobody; the image's checks.
``repliquant images dockerfile NAME | docker build -f - .`` builds it by hand from the project's
root.
"""

from __future__ import annotations

from manifests.errors import InputError
from orchestrator.environments.images import Image

_PACKAGES = """\
# {about}
ARG BASE={base}

# The packages come from wheels/, fetched on the host. Without that folder pip fetches them
# itself; an index or a certificate given to it stays in this stage and out of the image.
FROM ${{BASE}} AS packages
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
COPY images/{name}/{lock} wheel[s]/* ca-bundle.pe[m] /packages/
RUN set -eu; cd /packages; {begin}\\
    if ls ./*.whl >/dev/null 2>&1; then offline="--no-index --find-links ."; else offline=""; fi; \\
    if [ -f ca-bundle.pem ]; then export PIP_CERT=/packages/ca-bundle.pem; fi; \\
    if [ -f hashed.txt ]; then lock=hashed.txt; else lock={lock}; fi; \\
    {install} $offline --require-hashes -r $lock; \\
    if [ -f unhashed.txt ]; then {install} $offline -r unhashed.txt; fi{end}

FROM ${{BASE}}
"""
_REST = """\
COPY images/{name}/verify.py /opt/repliquant/images/{name}/verify.py
COPY manifests /opt/repliquant/manifests
COPY machine /opt/repliquant/machine
COPY runners /opt/repliquant/runners
# A checkout made under a strict umask is readable for its owner alone.
RUN chmod -R a+rX /opt/repliquant && {python} -m compileall -q /opt/repliquant
# Some libraries ask who they run as.
RUN grep -q ':65532:' /etc/passwd || echo 'repliquant:x:65532:65532:repliquant:/tmp:/usr/sbin/nologin' >>/etc/passwd
USER 65532:65532
RUN HOME=/tmp {python} -m runners.verify /opt/repliquant/images/{name}/verify.py
ENTRYPOINT ["{python}", "-m", "runners.container_init"]
"""  # noqa: E501
_OWN_PYTHON = {
    "python": "python",
    "place": "/opt/venv",
    "begin": "python3 -m venv /opt/venv; ",
    "install": "/opt/venv/bin/pip install --no-cache-dir --no-deps",
    "end": "; \\\n    /opt/venv/bin/pip uninstall --quiet --yes pip",
    "variables": (
        "PATH=/opt/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "
        "PYTHONPATH=/opt/repliquant${PYTHONPATH:+:$PYTHONPATH}"
    ),
}
# Framework, CUDA and TensorRT are the base's own, and its Python has to go on finding them.
_PYTHON_OF_BASE = {
    "python": "python3",
    "place": "/opt/packages",
    "begin": "",
    "install": (
        "PIP_CONSTRAINT= python3 -m pip install --no-cache-dir --no-deps --target /opt/packages"
    ),
    "end": "",
    "variables": "PYTHONPATH=/opt/repliquant:/opt/packages${PYTHONPATH:+:$PYTHONPATH}",
}


def dockerfile(image: Image) -> str:
    """The text. Raises InputError where there is neither a Dockerfile nor what makes one."""
    if image.dockerfile.exists():
        return _own(image)
    if not image.file.container.base:
        raise InputError(
            f"{image.dockerfile} can't be read (No such file or directory), and "
            f"{image.folder}/image.toml has no container.base to write one from; the Docker "
            "engine needs one of them. Use --engine local, or write one"
        )
    return written(image)


def written(image: Image) -> str:
    """The one that image.toml makes."""
    needs = image.file.container
    words = _PYTHON_OF_BASE if needs.python_of_base else _OWN_PYTHON
    words = {**words, "name": image.name, "lock": image.container_lock.name}
    variables = {"PYTHONUNBUFFERED": "1", **needs.variables}
    given = " ".join(f"{name}={_quoted(value)}" for name, value in variables.items())
    return (
        _PACKAGES.format(**words, about=image.file.about, base=needs.base)
        + "".join(_program(name) for name in needs.programs)
        + f"COPY --from=packages {words['place']} {words['place']}\n"
        + f"ENV {words['variables']} {given}\n"
        + _REST.format(**words)
    )


def _own(image: Image) -> str:
    try:
        return image.dockerfile.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise InputError(
            f"{image.dockerfile} can't be read ({error.strerror}); the Docker engine needs it. "
            "Use --engine local, or write one"
        ) from error


def _program(name: str) -> str:
    """Debian has it under the same name."""
    install = f"apt-get install -y --no-install-recommends {name}"
    return (
        f"RUN command -v {name} >/dev/null || {{ apt-get update && \\\n"
        f"    {install} && rm -rf /var/lib/apt/lists/*; }}\n"
    )


def _quoted(value: str) -> str:
    """As a Dockerfile takes it: in quotes unless it is a plain word."""
    if value and all(letter.isalnum() or letter in "._-/:" for letter in value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'"{escaped}"'
