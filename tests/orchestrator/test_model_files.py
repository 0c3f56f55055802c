"""Model files are taken in, or refused in one line, before any framework sees them."""

from __future__ import annotations

import os
import pickle
import socket
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.errors import InputError
from orchestrator.model_files.entry import Entry, RefusedFileError
from orchestrator.model_files.intake import MOST_BYTES, take_in
from orchestrator.model_files.onnx_header import read_onnx
from orchestrator.model_files.tflite_header import read_tflite
from tests.orchestrator.model_bytes import (
    FLOAT,
    INPUT,
    INT64,
    OUTPUT,
    STRING,
    external,
    flat_tables,
    message,
    model,
    node,
    number,
    sound,
    tensor,
    value,
)

SOUND, FLAT = sound(), flat_tables()


def _with_input(kind: int, dims: list[int | str] | None) -> bytes:
    return model(node(), value(11, "x", kind, dims), OUTPUT)


def _deep(levels: int) -> bytes:
    inner = node()
    for _ in range(levels):
        inner = node("If", message(6, inner))
    return model(inner, INPUT, OUTPUT)


BROKEN: dict[str, tuple[str, bytes, str]] = {
    "empty": ("a.onnx", b"", "it is empty"),
    "a text": ("a.onnx", b"This is not a model.\n" * 40, "damaged"),
    "HTML": ("a.onnx", b"<!DOCTYPE html><html>404</html>", "a text (HTML or XML)"),
    "JSON": ("a.onnx", b'{"model": 1}', "a text (JSON)"),
    "a pickle": ("a.onnx", pickle.dumps({"weight": [1.0]}, 4), "a pickle"),
    "an old pickle": ("a.onnx", pickle.dumps({"weight": [1.0]}, 2), "a pickle"),
    "a PyTorch checkpoint renamed": ("a.onnx", b"PK\x03\x04" + b"\0" * 99, "PyTorch"),
    "HDF5": ("a.tflite", b"\x89HDF\r\n\x1a\n" + b"\0" * 99, "an HDF5 file"),
    "gzip": ("a.onnx", b"\x1f\x8b\x08" + b"\0" * 99, "compressed"),
    "a Git LFS pointer": ("a.onnx", b"version https://git-lfs.github.com/spec/v1", "Git LFS"),
    "zeros": ("a.onnx", b"\0" * 4096, "damaged"),
    "noise": ("a.onnx", bytes(range(7, 255)) * 40, "damaged"),
    "truncated": ("a.onnx", SOUND[: len(SOUND) // 2], "truncated"),
    "truncated by a byte": ("a.onnx", SOUND[:-1], "truncated"),
    "a field beyond the end": ("a.onnx", b"\x3a\xff\xff\xff\xff\x0f", "beyond its end"),
    "a number without an end": ("a.onnx", b"\xff" * 20, "longer than 64 bits"),
    "no graph": ("a.onnx", number(1, 8), "no graph"),
    "two graphs": ("a.onnx", SOUND + message(7, node(), INPUT, OUTPUT), "no graph with"),
    "no operator set": ("a.onnx", message(7, node(), INPUT, OUTPUT), "operator set"),
    "no operator": ("a.onnx", model(INPUT, OUTPUT), "no operator"),
    "no output": ("a.onnx", model(node(), INPUT), "no output"),
    "an int64 output": ("a.onnx", model(node(), INPUT, value(12, "y", INT64, [1])), "int64"),
    "no rank": ("a.onnx", _with_input(FLOAT, None), "no fixed rank"),
    "no dimension": ("a.onnx", _with_input(FLOAT, []), "0 dimensions"),
    "one dimension": ("a.onnx", _with_input(FLOAT, [4]), "1 dimension;"),
    "free height and width": (
        "a.onnx", _with_input(FLOAT, ["b", 3, "h", "w"]), "more than the batch",
    ),
    "a dimension of zero": ("a.onnx", _with_input(FLOAT, [1, 3, 0, 8]), "not positive"),
    "a negative dimension": ("a.onnx", _with_input(FLOAT, [1, 3, -4, 8]), "not positive"),
    "a batch of zero": ("a.onnx", _with_input(FLOAT, [0, 3, 8, 8]), "not positive"),
    "a huge input": ("a.onnx", _with_input(FLOAT, [1, 2**40]), "more than"),
    "a huge batch": ("a.onnx", _with_input(FLOAT, [2**40, 3, 8, 8]), "batch is fixed"),
    "an int64 input": ("a.onnx", _with_input(INT64, [1, 8]), "holds int64"),
    "a string input": ("a.onnx", _with_input(STRING, [1, 8]), "holds strings"),
    "a type from the future": ("a.onnx", _with_input(99, [1, 8]), "holds type 99"),
    "a sequence": (
        "a.onnx", model(node(), message(11, message(1, b"x"), message(2, message(4))), OUTPUT),
        "no tensor",
    ),
    "several inputs": (
        "a.onnx", model(node(), INPUT, value(11, "z", FLOAT, [1, 2]), OUTPUT), "2 inputs",
    ),
    "no input": ("a.onnx", model(node(), OUTPUT), "no input"),
    "only constants": ("a.onnx", model(node(), INPUT, tensor(5, "x"), OUTPUT), "no input"),
    "external data": (
        "a.onnx", model(node(), tensor(5, "w", *external("weights.bin")), INPUT, OUTPUT),
        "external data",
    ),
    "external data, an absolute path": (
        "a.onnx", model(node(), tensor(5, "w", *external("/etc/passwd")), INPUT, OUTPUT),
        "external data",
    ),
    "external data, a path upwards, in a constant": (
        "a.onnx",
        model(node("Constant", tensor(5, "w", *external("../../x"))), INPUT, OUTPUT),
        "external data",
    ),
    "external data in a graph inside": (
        "a.onnx",
        model(node("If", message(6, tensor(5, "w", *external("x")))), INPUT, OUTPUT),
        "external data",
    ),
    "external data in a sparse constant": (
        "a.onnx",
        model(node(), message(15, tensor(1, "w", *external("x"))), INPUT, OUTPUT),
        "external data",
    ),
    "external data in a function": (
        "a.onnx", SOUND + message(25, message(7, message(5, tensor(5, "w", *external("x"))))),
        "external data",
    ),
    "graphs in graphs": ("a.onnx", _deep(40), "deep in one another"),
    "a TensorFlow Lite file called .onnx": ("a.onnx", FLAT, "suffix .tflite"),
    "an ONNX model called .tflite": ("a.tflite", SOUND, "not a TensorFlow Lite file"),
    "the wrong magic": ("a.tflite", flat_tables(magic=b"TFL9"), "not TFL3"),
    "four bytes": ("a.tflite", b"\x1c\0\0\0", "not TFL3"),
    "a root outside": ("a.tflite", b"\xff\xff\xff\x7fTFL3" + FLAT[8:], "outside of the file"),
    "tables cut off": ("a.tflite", FLAT[: len(FLAT) // 2], "outside of the file"),
    "a buffer that is not there": ("a.tflite", flat_tables(buffer=9), "buffer that is not there"),
    "an int64 input of tables": ("a.tflite", flat_tables(kind=4), "holds int64"),
    "a string input of tables": ("a.tflite", flat_tables(kind=5), "holds strings"),
    "a dimension of zero in tables": ("a.tflite", flat_tables([1, 0, 8, 3]), "not positive"),
    "a negative list": (
        "a.tflite", FLAT.replace(struct.pack("<2i", 4, 1), struct.pack("<2i", -4, 1)),
        "beyond its end",
    ),
    "another suffix": ("a.pt", SOUND, "ends in neither of .onnx, .tflite"),
    "no suffix": ("model", SOUND, "ends in neither"),
    "a name with an escape sequence": ("a\x1b[31m\n.onnx", b"", "a\\x1b[31m\\n.onnx"),
    "a name that is no UTF-8": ("a\udcff.onnx", b"", "a\\xff.onnx"),
    "an input's name with an escape sequence": (
        "a.onnx", model(node(), value(11, "\x1b]0;x\x07", INT64, [1, 2]), OUTPUT), "holds int64",
    ),
}  # fmt: skip


def _refusal(path: Path) -> str:
    with pytest.raises(InputError) as found:
        take_in(path)
    text = str(found.value)
    assert found.value.exit_code == 2
    assert text.isprintable(), "one line, and nothing that a terminal obeys"
    return text


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REPLIQUANT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_file_is_refused_in_one_line(what: str, tmp_path: Path, cache: Path) -> None:
    name, content, why = BROKEN[what]
    (tmp_path / name).write_bytes(content)

    text = _refusal(tmp_path / name)

    assert why in text
    assert not list(cache.rglob("*.onnx")) and not list(cache.rglob(".taking-*"))


def _folder(path: Path) -> None:
    path.mkdir()


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    os.chdir(path.parent)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(path.name)


def _circle(path: Path) -> None:
    path.symlink_to(path)


def _nowhere(path: Path) -> None:
    path.symlink_to(path.with_name("gone"))


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _sparse(path: Path) -> None:
    with open(path, "wb") as file:
        file.write(SOUND)
        file.truncate(3 * 2**30)


def _nothing(path: Path) -> None:
    assert not path.exists()


def _forbidden(path: Path) -> None:
    path.write_bytes(SOUND)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (_folder, "a folder"), (_pipe, "a pipe"), (_socket, "can't be opened"),
        (_circle, "Too many levels"), (_nowhere, "No such file"), (_device, "a device"),
        (_sparse, "3.0 GiB; 2 GiB is the most"), (_nothing, "No such file"),
        (_forbidden, "Permission denied"),
    ],
)  # fmt: skip
def test_what_is_no_readable_file_is_refused_at_once(
    make: Callable[[Path], None], why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "a.onnx")

    assert why in _refusal(tmp_path / "a.onnx")


def test_a_name_with_a_null_character_is_refused(tmp_path: Path) -> None:
    assert "null" in _refusal(tmp_path / "a\0b.onnx")


def test_a_model_is_kept_under_its_hash(tmp_path: Path, cache: Path) -> None:
    path = tmp_path / "My Net (v2).ONNX"
    path.write_bytes(SOUND)

    found = take_in(path)

    assert found.entry == Entry("x", "float32", (3, 8, 8), None)
    assert found.entry.image == (8, 3)
    assert found.name == f"my-net-v2-{found.sha256[:12]}"
    assert (cache / "model-files" / found.sha256 / "model.onnx").read_bytes() == SOUND
    assert take_in(path) == found


def test_constants_that_stand_among_the_inputs_are_none(tmp_path: Path) -> None:
    constant = value(11, "w", FLOAT, [1])

    found = read_onnx(memoryview(model(node(), INPUT, constant, tensor(5, "w"), OUTPUT)))

    assert found.name == "x"


def test_a_tensorflow_lite_file_takes_pictures_with_channels_last() -> None:
    found = read_tflite(memoryview(FLAT))

    assert found == Entry("input", "float32", (8, 8, 3), None)
    assert found.image == (8, 3)


def test_a_large_model_is_not_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    weights = tensor(5, "w", message(9, b"\xff" * 1000))

    assert read_onnx(memoryview(model(node(), weights, INPUT, OUTPUT))).shape == (3, 8, 8)
    assert MOST_BYTES == 2 * 1024**3


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for read in (read_onnx, read_tflite):
        try:
            read(memoryview(data))
        except RefusedFileError as error:
            assert str(error)


@given(st.sampled_from([SOUND, FLAT]), st.data())
def test_any_byte_of_a_sound_file_may_be_wrong(sound_file: bytes, data: st.DataObject) -> None:
    broken = bytearray(sound_file)
    for _ in range(data.draw(st.integers(1, 3))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    read = read_onnx if sound_file is SOUND else read_tflite
    try:
        assert len(read(memoryview(broken)).shape) >= 1
    except RefusedFileError as error:
        assert str(error)
