"""Credentials in what is kept: they go, and nothing else does."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.credentials import (
    HIDDEN,
    cleaned,
    redact_file,
    redacted,
    redacted_bytes,
    redacted_command,
)
from manifests.manifest import CodeVersion, Context, Environment, Flag, ImageUsed
from manifests.runner_files import readable_frameworks
from manifests.variables import LIBRARIES, kept, kept_names, others
from tests.manifests.samples import a_cell, a_manifest


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://ann:s3cret@host/simple", "https://***@host/simple"),
        ("git+https://ghtoken@github.com/x.git", "git+https://***@github.com/x.git"),
        ("Looking in indexes: http://u:p%40w@10.0.0.1:8080/s",
         "Looking in indexes: http://***@10.0.0.1:8080/s"),
        ("postgres://ann:pw@db:5432/x", "postgres://***@db:5432/x"),
        ("https://u:p@ss@host/x", "https://***@host/x"),
        ("https://host/x?token=abc&n=1", "https://host/x?token=***&n=1"),
        ("https://s3/x?X-Amz-Signature=ab12&X-Amz-Date=1",
         "https://s3/x?X-Amz-Signature=***&X-Amz-Date=1"),
        ("https://host/x?sig=a%2Fb", "https://host/x?sig=***"),
        ("https://host/x?access_token=abc#top", "https://host/x?access_token=***"),
        ("export HF_TOKEN=hf_short", "export HF_TOKEN=***"),
        ("password: hunter2", "password: ***"),
        ('{"api_key": "abc"}', '{"api_key": "***"}'),
        ("export TF_VAR_pw=hunter2 N=3", "export TF_VAR_pw=*** N=3"),
        ("DB_PASS=a DB_PWD=b PGPASSFILE=/x", "DB_PASS=*** DB_PWD=*** PGPASSFILE=/x"),
        ("--password 'a' --n 3", "--password '***' --n 3"),
        ("--auth-token abc --n 3", "--auth-token *** --n 3"),
        ("Authorization: Bearer abcdefghijklmnop1234", "Authorization: Bearer ***"),
        ("ghp_" + "a" * 36, HIDDEN),
        ("nvapi-" + "b" * 40 + " and more", "*** and more"),
        ("AKIA" + "A1" * 8, HIDDEN),
    ],
)  # fmt: skip
def test_a_credential_is_hidden_where_it_stood(text: str, expected: str) -> None:
    assert redacted(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "https://host/simple/pkg-1.0.whl#sha256=abc",
        "ssh://git@host/x.git",
        "unix:///var/run/docker.sock",
        "mailto ann@example.org",
        "tokens=128, max_tokens=5, tokenizer=bert",
        "the key of the secret is here",
        "keyboard=us",
        "bypass=1 PWD=/home/ann OLDPWD=/home",
        "digits at 48 x 48: https://host/a@b",
        "  File \"x.py\", line 3, in token\n    return token",
        "a basic block and a bearer of news",
        "python -m runners cell.json --threads 2 --weights /runs/x",
        "",
    ],
)  # fmt: skip
def test_what_is_none_stays(text: str) -> None:
    assert redacted(text) == text


def test_twice_is_as_once() -> None:
    once = redacted("https://a:b@h/x?token=abc password=x --token y Bearer abcdefghijklmnopqrst")
    assert redacted(once) == once


@given(st.text(max_size=200))
def test_json_stays_json(text: str) -> None:
    data = json.dumps({"text": f"{text} https://u:{text[:3]}pw@h/?token=x", "password": text})
    found = redacted_bytes(data.encode("utf-8", "surrogatepass"))
    assert found is None or isinstance(json.loads(found.decode("utf-8", "surrogatepass")), dict)


@pytest.mark.parametrize(
    "piece", ["a", "token", "://", "token=", "--a-", "eyJa", "x://y:", "Bearer "]
)
def test_long_texts_take_no_longer_than_their_length(piece: str) -> None:
    begin = time.process_time()
    redacted(piece * (400_000 // len(piece)))
    assert time.process_time() - begin < 20


def test_an_option_named_after_a_secret_hides_what_follows() -> None:
    assert redacted_command(["run", "--token", "abc", "--n", "3", "https://a:b@h", "--token"]) == [
        "run", "--token", HIDDEN, "--n", "3", "https://***@h", "--token",
    ]  # fmt: skip


def test_only_listed_variables_are_kept_and_of_a_preload_only_that_it_is() -> None:
    found = {
        "OMP_NUM_THREADS": "2", "ATEN_CPU_CAPABILITY": "avx2", "MALLOC_ARENA_MAX": "2",
        "TORCHINDUCTOR_FREEZING": "1", "LD_PRELOAD": "/home/ann/secret.so",
        "ORT_TENSORRT_FP16_ENABLE": "1", "TF_VAR_pw": "a", "TF_TOKEN_x": "b",
        "NVIDIA_API_KEY": "c", "CUDA_SECRET": "d", "TORCH_HUB_TOKEN": "e", "MKL_TOKEN": "f",
        "LD_AUDIT": "",
    }  # fmt: skip
    assert kept(found) == {
        "ATEN_CPU_CAPABILITY": "avx2", "LD_PRELOAD": "set", "MALLOC_ARENA_MAX": "2",
        "OMP_NUM_THREADS": "2", "ORT_TENSORRT_FP16_ENABLE": "1", "TORCHINDUCTOR_FREEZING": "1",
    }  # fmt: skip
    assert others(found) == [
        "CUDA_SECRET", "MKL_TOKEN", "NVIDIA_API_KEY", "TF_TOKEN_x", "TF_VAR_pw", "TORCH_HUB_TOKEN",
    ]  # fmt: skip


def test_the_list_is_of_names_each_once() -> None:
    groups = list(LIBRARIES.values())
    for framework in readable_frameworks().values():
        groups += framework.variables
    names = [name for group in groups for name in group.split()]
    assert sorted(names) == sorted(kept_names())
    assert all(name.isidentifier() and name.isupper() for name in names)
    secret = ("TOKEN", "SECRET", "PASSW", "_KEY", "CREDENTIAL", "AUTH", "URL", "PROXY")
    assert [name for name in names if any(word in name for word in secret)] == []


def secretive() -> msgspec.Struct:
    return a_manifest(
        reason="GET https://ann:pw@host/w.pt failed",
        error="token=abc",
        flags=[Flag(name="drift", detail="https://x:y@h")],
        environment=Environment(variables={"OMP_NUM_THREADS": "2", "TF_VAR_pw": "hunter2"}),
        context=Context(
            engine="local", image=ImageUsed(name="a", kind="venv"), kit=CodeVersion(version="1"),
            run="r", command=["repliquant", "run", "--data", "https://ann:pw@host"],
        ),
    )  # fmt: skip


def test_a_manifest_is_cleaned_of_both_and_says_where() -> None:
    found = cleaned(secretive())
    assert found.variables == ["TF_VAR_pw"]
    assert found.texts == ["reason", "error", "flags.detail", "context.command"]
    text = msgspec.json.encode(found.manifest)
    assert b"hunter2" not in text and b"pw@" not in text and b"abc" not in text
    assert found.manifest.cell == a_cell()
    assert cleaned(found.manifest).changed is False


def test_a_manifest_without_any_is_the_same_object() -> None:
    manifest = a_manifest()
    assert cleaned(manifest).manifest is manifest
    assert redacted_bytes(b"nothing \xff here") is None


def test_a_file_is_replaced_only_where_it_holds_one(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_bytes(b"a\xff\n" + b"x" * 3_000_000 + b"\nhttps://a:b@h\n")
    assert redact_file(path) and path.read_bytes().endswith(b"x\nhttps://***@h\n")
    assert path.read_bytes().startswith(b"a\xff\n")
    before = path.stat()
    assert not redact_file(path) and path.stat() == before
    assert not redact_file(tmp_path / "none")
    os.mkfifo(tmp_path / "pipe")
    assert not redact_file(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(path)
    assert not redact_file(tmp_path / "link")
