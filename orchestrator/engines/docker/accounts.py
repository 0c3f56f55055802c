"""An account for whoever a cell's container runs as.

The user is the caller's number, of which no image knows; libraries that ask for its name
(``pwd.getpwuid`` at the import of Torch-TensorRT 2.8, ``getpass.getuser`` in Inductor) fail then.
So /etc/passwd is mounted read-only, written for that user. An image's own account, 65532, stands in
its Dockerfile.
"""

from __future__ import annotations

from pathlib import Path

from manifests import paths
from manifests.errors import MachineError
from manifests.files import write_atomically

PASSWD = "/etc/passwd"
NAME = "repliquant"
_HOME = "/tmp"


def passwd(user: int, group: int) -> str:
    """The file's text: root, the container's user, nobody."""
    return (
        "root:x:0:0:root:/root:/bin/sh\n"
        f"{NAME}:x:{user}:{group}:{NAME}:{_HOME}:/usr/sbin/nologin\n"
        "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
    )


def passwd_path(user: int, group: int) -> Path:
    """Where the file for that user lies on the host; not made here."""
    return paths.cache() / "accounts" / f"passwd-{user}-{group}"


def write_passwd(user: int, group: int) -> Path:
    """Make the file, once for each user. Raises MachineError."""
    path = passwd_path(user, group)
    text = passwd(user, group).encode()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_bytes() != text:
            write_atomically(path, text)
    except OSError as error:
        raise MachineError(
            f"{path} can't be written ({error.strerror}); set REPLIQUANT_CACHE to another folder"
        ) from error
    return path
