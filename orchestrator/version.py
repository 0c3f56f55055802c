"""Which version of this project is running: its number, its commit, whether it was changed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from manifests import paths
from manifests.cell import canonical_json, sha256_hex
from manifests.code_version import CodeVersion, Extension
from manifests.paths import ROOT

VERSION = "0.1.0"
COMMIT_FILE = "commit.txt"
_WITNESS = "orchestrator/version.py"
_SOURCES = (
    "cli", "comparisons", "images", "machine", "manifests", "orchestrator", "papers", "runners",
    "services", "studies", "tui",
)  # fmt: skip


def code_version() -> CodeVersion:
    """Commit and dirtiness are ``None`` outside a git checkout; an image knows its commit."""
    commit, foreign = _commit(), extensions()
    if commit is None:
        known = os.environ.get("REPLIQUANT_COMMIT") or _built_from()
        return CodeVersion(version=VERSION, commit=known, extensions=foreign)
    return CodeVersion(version=VERSION, commit=commit, dirty=_dirty(), extensions=foreign)


def extensions() -> list[Extension]:
    """The folders of REPLIQUANT_PATH that hold code which cells can meet. Raises InputError."""
    found = [(folder, _code(folder)) for folder in paths.extensions()]
    return [
        Extension(name=folder.name, sha256=_content(folder, code), commit=_commit_of(folder))
        for folder, code in found
        if code
    ]


def _code(folder: Path) -> list[Path]:
    """Modules, and what is said of frameworks; studies and images have hashes of their own."""
    kinds = [folder / kind for kind in ("datasets", "engines", "runners")]
    return sorted(
        path for kind in kinds for end in ("py", "toml") for path in kind.rglob(f"*.{end}")
    )


def _content(folder: Path, code: list[Path]) -> str:
    """One hash over names and contents."""
    return sha256_hex(
        canonical_json(
            [[path.relative_to(folder).as_posix(), sha256_hex(path.read_bytes())] for path in code]
        )
    )


def describe() -> str:
    """One word for documents: ``0.1.0``, ``0.1.0-4a1448e0a6ff``, ``0.1.0-4a1448e0a6ff+changes``."""
    found = code_version()
    commit = f"-{found.commit[:12]}" if found.commit else ""
    more = "".join(f"+{one.name}-{one.sha256[:12]}" for one in found.extensions)
    return f"{found.version}{commit}{'+changes' if found.dirty else ''}{more}"


def _built_from() -> str | None:
    """The commit that a wheel was built from, where it is known and nothing was changed."""
    try:
        return (ROOT / COMMIT_FILE).read_text("ascii").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def _commit() -> str | None:
    """The commit of a repository that lies right here and has these sources."""
    if not (ROOT / ".git").exists() or _git("ls-files", "--error-unmatch", _WITNESS) is None:
        return None
    return _git("rev-parse", "--verify", "HEAD")


def _dirty() -> bool | None:
    """Whether a tracked file was changed, or a source is there that git does not know."""
    changes = _git("status", "--porcelain", "-z", "--untracked-files=normal", "--no-renames")
    if changes is None:
        return None
    return any(_matters(entry) for entry in changes.split("\0") if entry)


def _matters(entry: str) -> bool:
    """An entry is ``XY path``; what git does not know is ``?? path``, a folder with a slash."""
    return not entry.startswith("?? ") or entry[3:].split("/")[0] in _SOURCES


def _commit_of(folder: Path) -> str | None:
    """The commit of a repository that lies right there."""
    return (
        _git("rev-parse", "--verify", "HEAD", root=folder) if (folder / ".git").exists() else None
    )


def _git(*arguments: str, root: Path = ROOT) -> str | None:
    """Git's answer about this folder alone.

    Named explicitly, a repository is not looked for: neither around this folder nor where git's
    variables lead, and who owns it does not matter.
    """
    command = [
        "git", f"--git-dir={root / '.git'}", f"--work-tree={root}", "-C", str(root),
        "-c", "core.fsmonitor=false", *arguments,
    ]  # fmt: skip
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            command, env={**kept, "GIT_OPTIONAL_LOCKS": "0"}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, errors="surrogateescape", timeout=10, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
