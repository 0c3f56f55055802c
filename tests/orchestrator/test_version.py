"""The recorded commit is that of these sources, never that of a repository around them."""

from __future__ import annotations

import json
import os
import shutil
import site
import subprocess
import sys
from pathlib import Path

import pytest

import orchestrator
from manifests.code_version import CodeVersion
from orchestrator.version import code_version

SOURCES = Path(orchestrator.__file__).parent.parent
MODULES = (
    "orchestrator/__init__.py", "orchestrator/version.py", "manifests",
)  # fmt: skip
ASK = (
    "import json; from orchestrator.version import describe, code_version; k = code_version(); "
    "print(json.dumps([k.commit, k.dirty, describe()]))"
)


def unpack(folder: Path) -> Path:
    """The few modules that tell the version, as a checkout or an archive would have them."""
    for name in MODULES:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (SOURCES / name).is_dir():
            shutil.copytree(SOURCES / name, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(SOURCES / name, target)
    (folder / ".gitignore").write_text("__pycache__/\n")
    return folder


def environment(**more: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "REPLIQUANT_"))}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", **more}


def asked(folder: Path, **more: str) -> tuple[str | None, bool | None, str]:
    """Commit, whether it was changed, and the word for documents, as told by these sources."""
    # -S: the checkout that is installed here would come before these sources.
    path = os.pathsep.join([str(folder), *site.getsitepackages()])
    done = subprocess.run(
        [sys.executable, "-S", "-c", ASK], cwd="/", env=environment(PYTHONPATH=path, **more),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    commit, dirty, word = json.loads(done.stdout)
    return commit, dirty, word


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=Nobody", "-c", "user.email=nobody@example.org")
    done = subprocess.run(
        ["git", *who, *arguments], cwd=folder, env=environment(), capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    return done.stdout.strip()


def commit_all(folder: Path) -> str:
    """Make a repository with everything in ``folder``; its commit."""
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "all")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return unpack(tmp_path / "kit")


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A repository of somebody else's, with a commit."""
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "paper.tex").write_text("\\section{}\n")
    commit_all(folder)
    return folder


def test_a_checkout_tells_its_commit_and_whether_it_was_changed(checkout: Path) -> None:
    commit = commit_all(checkout)
    assert asked(checkout) == (commit, False, f"0.1.0-{commit[:12]}")
    with open(checkout / "manifests" / "paths.py", "a") as file:
        file.write("# changed\n")
    assert asked(checkout) == (commit, True, f"0.1.0-{commit[:12]}+changes")


@pytest.mark.parametrize("name", ["kit", "venv/lib/python3.11/site-packages"])
def test_sources_inside_another_repository_have_no_commit(other: Path, name: str) -> None:
    inside = unpack(other / name)
    assert asked(inside) == (None, None, "0.1.0")
    git(other, "add", "--all")
    git(other, "commit", "--quiet", "--message", "with it")
    assert asked(inside) == (None, None, "0.1.0")


def test_a_broken_git_folder_does_not_lead_to_the_repository_around_it(other: Path) -> None:
    inside = unpack(other / "kit")
    (inside / ".git").mkdir()
    assert asked(inside) == (None, None, "0.1.0")
    shutil.rmtree(inside / ".git")
    (inside / ".git").write_text("gitdir: ../nowhere\n")
    assert asked(inside) == (None, None, "0.1.0")


def test_a_repository_that_does_not_have_these_sources_is_not_asked(checkout: Path) -> None:
    """Files of somebody's home folder under git, and the sources unpacked right there."""
    git(checkout, "init", "--quiet")
    (checkout / "dotfile").write_text("set\n")
    git(checkout, "add", "dotfile")
    git(checkout, "commit", "--quiet", "--message", "home")
    assert asked(checkout) == (None, None, "0.1.0")


def test_variables_of_git_lead_nowhere_else(checkout: Path, other: Path) -> None:
    commit = commit_all(checkout)
    for variables in (
        {"GIT_DIR": str(other / ".git")},
        {"GIT_DIR": str(other / ".git"), "GIT_WORK_TREE": str(other)},
        {"GIT_INDEX_FILE": str(other / ".git" / "index")},
        {"GIT_OBJECT_DIRECTORY": str(other / ".git" / "objects")},
        {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.worktree",
         "GIT_CONFIG_VALUE_0": str(other)},
    ):  # fmt: skip
        assert asked(checkout, **variables) == (commit, False, f"0.1.0-{commit[:12]}"), variables


def test_sources_without_git_have_no_commit_though_variables_name_one(
    checkout: Path, other: Path
) -> None:
    assert asked(checkout, GIT_DIR=str(other / ".git")) == (None, None, "0.1.0")
    assert asked(checkout, GIT_WORK_TREE=str(checkout)) == (None, None, "0.1.0")


def test_a_linked_worktree_and_a_submodule_tell_their_own_commit(
    checkout: Path, other: Path, tmp_path: Path
) -> None:
    first = commit_all(checkout)
    git(checkout, "worktree", "add", "--quiet", "--detach", str(tmp_path / "linked"))
    linked = tmp_path / "linked"
    (linked / "orchestrator" / "more.py").write_text("")
    git(linked, "add", "--all")
    git(linked, "commit", "--quiet", "--message", "more")
    assert asked(linked)[:2] == (git(linked, "rev-parse", "HEAD"), False)
    assert asked(checkout)[:2] == (first, False)

    git(other, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add",
        str(checkout), "kit")  # fmt: skip
    assert asked(other / "kit")[:2] == (first, False)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder to another user")
def test_a_checkout_of_another_user_tells_its_commit(checkout: Path) -> None:
    commit = commit_all(checkout)
    for path in [checkout, *checkout.rglob("*")]:
        os.chown(path, 12345, 12345)
    assert asked(checkout, HOME="/nowhere")[:2] == (commit, False)


def test_without_git_there_is_no_commit_but_the_one_of_an_image(checkout: Path) -> None:
    commit_all(checkout)
    assert asked(checkout, PATH="/nowhere") == (None, None, "0.1.0")
    told = asked(checkout, PATH="/nowhere", REPLIQUANT_COMMIT="a" * 40)
    assert told == ("a" * 40, None, f"0.1.0-{'a' * 12}")


@pytest.mark.parametrize(
    ("name", "dirty"),
    [
        ("runners/pytorch/mine.py", True), ("studies/mine/study.toml", True),
        ("orchestrator/größer.py", True), ("notes.txt", False), ("runs/toy/plan.json", False),
    ],
)  # fmt: skip
def test_a_source_that_git_does_not_know_is_a_change(
    checkout: Path, name: str, dirty: bool
) -> None:
    commit_all(checkout)
    path = checkout / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    assert asked(checkout)[1] is dirty


def test_asking_does_not_write_into_the_checkout(checkout: Path) -> None:
    commit_all(checkout)
    index = checkout / ".git" / "index"
    os.utime(checkout / "orchestrator" / "version.py", (1, 1))
    before = index.read_bytes()
    assert asked(checkout)[1] is False
    assert index.read_bytes() == before


def code(folder: Path, name: str, text: str = "def infer(job): pass\n") -> Path:
    """A file of an extension."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return folder


def kits(*folders: Path) -> list[CodeVersion]:
    """The version with each of some values of REPLIQUANT_PATH."""
    with pytest.MonkeyPatch.context() as patch:
        found = []
        for folder in folders:
            patch.setenv("REPLIQUANT_PATH", str(folder))
            found.append(code_version())
        return found


def test_code_from_outside_is_part_of_the_version(tmp_path: Path) -> None:
    mine = code(tmp_path / "mine", "runners/pytorch/mine.py")
    same = code(tmp_path / "elsewhere" / "mine", "runners/pytorch/mine.py")
    (same / "README.md").write_text("not code")
    other = code(tmp_path / "other" / "mine", "runners/pytorch/mine.py", "# changed\n")
    moved = code(tmp_path / "moved" / "mine", "runners/tensorflow/mine.py")
    first, second, *differing = kits(mine, same, other, moved)
    assert [one.name for one in first.extensions] == ["mine"]
    assert first == second and first.short.endswith(f" with mine {first.extensions[0].sha256[:12]}")
    assert len({first.short, *(one.short for one in differing)}) == 3


def test_a_folder_with_studies_alone_is_no_code(tmp_path: Path) -> None:
    papers = code(tmp_path / "papers", "studies/mine/study.toml", "")
    assert kits(papers) == [code_version()] and code_version().extensions == []


def test_an_extension_tells_the_commit_of_a_repository_right_there(tmp_path: Path) -> None:
    mine = code(tmp_path / "mine", "datasets/mine.py")
    (found,) = kits(mine)
    assert found.extensions[0].commit is None
    commit = commit_all(mine)
    (found,) = kits(mine)
    assert found.extensions[0].commit == commit
