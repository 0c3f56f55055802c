"""Fetching published files from a server that answers well, badly, slowly, and not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from manifests.errors import InputError, MachineError
from orchestrator.datasets import downloads
from orchestrator.datasets.downloads import Remote, fetch, recorded
from orchestrator.datasets.pack import quiet
from tests.fakes.web import Web, serving

CONTENT = bytes(range(256)) * 40
SHA256 = hashlib.sha256(CONTENT).hexdigest()
MD5 = hashlib.md5(CONTENT).hexdigest()
OTHER = CONTENT[:-1] + b"x"


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    for name in ("http_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(downloads, "_WAIT_S", 0.01)
    monkeypatch.setattr(downloads, "_BLOCK_BYTES", 500)
    with serving() as made:
        made.files["/pub/file.bin"] = CONTENT
        yield made


def remote(web: Web, digest: str = "", size: int | None = None) -> Remote:
    return Remote(
        "a thing", f"{web.url}/pub/file.bin", "give it by hand", digest, "its maker's page", size
    )


def got(file: Remote, folder: Path) -> bytes:
    return fetch(file, folder, folder / "cache", quiet).read_bytes()


@pytest.mark.parametrize("digest", ["", f"md5:{MD5}", f"sha256:{SHA256}"])
def test_a_good_file_is_kept_recorded_and_not_fetched_again(
    web: Web, tmp_path: Path, digest: str
) -> None:
    file = remote(web, digest, len(CONTENT))
    assert got(file, tmp_path) == got(file, tmp_path) == CONTENT
    assert len(web.asked) == 1
    record = recorded(file, tmp_path)
    assert record is not None
    assert (record.sha256, record.size_bytes, record.url) == (SHA256, len(CONTENT), file.url)
    kind = {"": "SHA-256 as first seen on", "m": "MD5 as stated in its maker's page",
            "s": "SHA-256 as stated in its maker's page"}[digest[:1]]  # fmt: skip
    assert record.checked.startswith(kind)
    assert not list(tmp_path.glob(".*.part"))


@pytest.mark.parametrize(
    ("digest", "size", "why"),
    [
        (f"md5:{MD5}", None, r"its MD5 is \w{32}, not " + MD5 + r" \(its maker's page\)"),
        (f"sha256:{SHA256}", None, rf"its SHA256 is \w{{64}}, not {SHA256}"),
        ("", 10_241, r"it has 10,240 bytes, not 10,241"),
    ],
)
def test_another_file_is_refused_and_nothing_of_it_is_kept(
    web: Web, tmp_path: Path, digest: str, size: int | None, why: str
) -> None:
    web.files["/pub/file.bin"] = OTHER
    file = remote(web, digest, size)
    with pytest.raises(InputError, match=why) as refused:
        got(file, tmp_path)
    assert "Try again, or give it by hand" in str(refused.value)
    assert recorded(file, tmp_path) is None
    assert [path for path in tmp_path.glob("[!.]*") if path.is_file()] == []


def test_what_was_seen_first_is_compared_with_what_comes_later(web: Web, tmp_path: Path) -> None:
    file = remote(web)
    got(file, tmp_path)
    (tmp_path / "file.bin").unlink()
    web.files["/pub/file.bin"] = OTHER
    with pytest.raises(InputError, match=rf"first seen here, .*, it was {SHA256}") as refused:
        got(file, tmp_path)
    assert "remove" in str(refused.value) and "first-seen.json" in str(refused.value)
    assert not (tmp_path / "file.bin").exists()
    web.files["/pub/file.bin"] = CONTENT
    assert got(file, tmp_path) == CONTENT


def test_a_kept_file_that_was_damaged_is_fetched_again(web: Web, tmp_path: Path) -> None:
    file = remote(web)
    got(file, tmp_path)
    (tmp_path / "file.bin").write_bytes(OTHER)
    assert got(file, tmp_path) == CONTENT
    assert len(web.asked) == 2


def test_a_transfer_that_is_cut_off_is_taken_up_where_it_ended(web: Web, tmp_path: Path) -> None:
    web.cut = [3000, 2000]
    assert got(remote(web, f"sha256:{SHA256}"), tmp_path) == CONTENT
    ranges = [asked for _, asked in web.asked]
    assert ranges[0] == ""
    begins = [int(asked.removeprefix("bytes=").rstrip("-")) for asked in ranges[1:]]
    assert begins == sorted(begins) and 0 < begins[0] <= 3000


def test_a_server_that_is_always_cut_off_is_an_error_and_leaves_the_part_for_the_next_time(
    web: Web, tmp_path: Path
) -> None:
    web.cut = [3000, 0, 0, 0]
    file = remote(web, f"sha256:{SHA256}")
    with pytest.raises(MachineError, match="a thing can't be fetched from http") as failed:
        got(file, tmp_path)
    assert failed.value.exit_code == 3
    assert not (tmp_path / "file.bin").exists()
    assert got(file, tmp_path) == CONTENT
    assert web.asked[-1][1].startswith("bytes=")


@pytest.mark.parametrize("change", ["the file is replaced", "no ranges", "no version"])
def test_a_part_is_never_joined_to_another_file(web: Web, tmp_path: Path, change: str) -> None:
    web.cut = [3000, 0, 0, 0]
    if change == "no version":
        web.version = ""
    with pytest.raises(MachineError):
        got(remote(web), tmp_path)
    web.files["/pub/file.bin"] = OTHER
    web.version = "" if change == "no version" else '"2"'
    web.ranges = change != "no ranges"
    assert got(remote(web), tmp_path) == OTHER


def test_a_part_that_was_whole_already_is_fetched_anew(web: Web, tmp_path: Path) -> None:
    (tmp_path / ".file.bin.part").write_bytes(CONTENT)
    (tmp_path / ".file.bin.version").write_text('"1"')
    assert got(remote(web), tmp_path) == CONTENT


def test_a_slow_server_is_waited_for_and_progress_is_told(web: Web, tmp_path: Path) -> None:
    web.pause_s = 0.01
    told: list[tuple[str, int, int]] = []
    fetch(remote(web), tmp_path, tmp_path, lambda *message: told.append(message))
    assert told[-1] == ("fetching a thing (KiB)", 10, 10)


def test_a_server_that_stops_sending_is_given_up(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "_TIMEOUT_S", (1.0, 0.1))
    web.pause_s = 0.5
    with pytest.raises(MachineError, match="can't be fetched"):
        got(remote(web), tmp_path)


def test_a_missing_file_is_an_error_with_the_next_step(web: Web, tmp_path: Path) -> None:
    web.files.clear()
    with pytest.raises(MachineError, match=r"404 .*Give it by hand"):
        got(remote(web), tmp_path)
    assert len(web.asked) == 1


def test_without_a_network_there_is_one_try(tmp_path: Path, web: Web) -> None:
    nowhere = remote(web)._replace(url="http://127.0.0.1:9/pub/file.bin")
    with pytest.raises(MachineError, match=r"can't be fetched .*ConnectionError"):
        got(nowhere, tmp_path)


def test_a_folder_that_cannot_be_written_to_is_named(web: Web, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(MachineError, match="can't be written to"):
        got(remote(web), tmp_path / "file" / "below")
