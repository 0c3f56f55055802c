"""The SHA-256 of every file that an index or a folder has for pinned versions, for any platform.

Run by path in the environment in which a lock is resolved, which has pip-tools: reads lines
``name==version``, writes ``name==version sha256 ...``. All builds of a version count
(``2.13.0+cpu`` beside ``2.13.0``), because which one pip takes depends on the machine.
"""

from __future__ import annotations

import re
import sys
import tempfile

from piptools.repositories import PyPIRepository


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        repository = PyPIRepository([], cache_dir=folder)
        with repository.allow_all_wheels():
            for pin in sys.stdin.read().split():
                name, _, version = pin.partition("==")
                found = sorted(hashes(repository, name, version))
                sys.stdout.write(" ".join([pin, *found]) + "\n")


def hashes(repository: PyPIRepository, name: str, version: str) -> set[str]:
    """Those that the index states; of a file without one, that of its content."""
    found = set()
    for candidate in repository.find_all_candidates(name):
        if public(str(candidate.version)) == public(version):
            link = candidate.link
            if link.hash_name == "sha256" and link.hash:
                found.add(str(link.hash))
            else:
                found.add(str(repository._get_file_hash(link)).split(":")[-1])
    return found


def public(version: str) -> str:
    """Without the local part, and ``1.0`` for ``1.0.0`` alike."""
    return re.sub(r"(\.0)+$", "", version.partition("+")[0])


if __name__ == "__main__":
    main()
