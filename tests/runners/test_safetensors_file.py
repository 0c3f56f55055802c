"""Weights for every framework: what is written is a safetensors file, and what is read is whole."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from runners.models.keras_applications import application, initial_arrays
from runners.models.resnet18 import initial_weights, resnet18
from runners.safetensors_file import read_arrays, write_arrays

TYPES = ("float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint8", "bool")
ARRAYS = st.dictionaries(
    st.text(min_size=1, max_size=8).filter(lambda name: name != "__metadata__"),
    st.sampled_from(TYPES).flatmap(
        lambda kind: arrays_of.arrays(kind, arrays_of.array_shapes(min_dims=0, max_dims=4))
    ),
    max_size=4,
)


def same(found: dict[str, Any], wanted: dict[str, Any]) -> bool:
    return found.keys() == wanted.keys() and all(
        found[name].dtype == value.dtype
        and found[name].shape == value.shape
        and found[name].tobytes() == value.tobytes()
        for name, value in wanted.items()
    )


@given(ARRAYS)
def test_the_formats_own_package_reads_what_is_written(
    tmp_path_factory: pytest.TempPathFactory, arrays: dict[str, Any]
) -> None:
    path = tmp_path_factory.mktemp("st") / "a.safetensors"
    write_arrays(path, arrays, {"model": "resnet18"})
    assert same(load_file(path), arrays)
    with safe_open(path, "numpy") as file:
        assert file.metadata() == {"model": "resnet18"}


@given(ARRAYS)
def test_what_the_formats_own_package_writes_is_read(
    tmp_path_factory: pytest.TempPathFactory, arrays: dict[str, Any]
) -> None:
    path = tmp_path_factory.mktemp("st") / "a.safetensors"
    save_file(arrays, path, {"any": "thing"})
    assert same(read_arrays(path), arrays)


def test_the_bytes_are_those_of_the_specification(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    write_arrays(path, {"w": np.array([[1.0, 2.0]], np.float32)}, {})
    header = b'{"__metadata__":{},"w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}'
    padded = header + b" " * (-len(header) % 8)
    assert path.read_bytes() == (
        struct.pack("<Q", len(padded)) + padded + b"\x00\x00\x80\x3f\x00\x00\x00\x40"
    )


def test_transposed_and_big_endian_arrays_are_written_as_they_read(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    array = np.arange(6, dtype=">f4").reshape(2, 3).T
    write_arrays(path, {"w": array}, {})
    assert np.array_equal(load_file(path)["w"], array)


@pytest.mark.parametrize(
    "arrays",
    [initial_weights(resnet18(10), 1), initial_arrays(application("mobilenet-v1", 2, 48), 1)],
    ids=["resnet18", "mobilenet-v1"],
)
def test_networks_come_back_as_they_were(tmp_path: Path, arrays: dict[str, Any]) -> None:
    path = tmp_path / "a.safetensors"
    write_arrays(path, arrays, {})
    assert same(read_arrays(path), arrays)


def written(header: dict[str, Any], data: bytes = b"\x00" * 8) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


GOOD = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "its header would have 0 bytes"),
        (b"abc", "its header would have 0 bytes"),
        (struct.pack("<Q", 2**60) + b"{}", "would have 1,152,921,504,606,846,976 bytes"),
        (struct.pack("<Q", 4) + b"[1,]", "is no safetensors file"),
        (written({"w": {**GOOD, "dtype": "F8"}}), "w: no type 'F8'. Accepted: "),
        (written({"w": {**GOOD, "shape": [3]}}), "not where its shape says"),
        (written({"w": {**GOOD, "shape": [-1, -2]}}), "not where its shape says"),
        (written({"w": {**GOOD, "data_offsets": [8, 16]}}), "not where its shape says"),
        (written({"w": GOOD, "v": GOOD}), "not where its shape says"),
        (written({"w": GOOD}, b"\x00" * 9), "has 9 bytes of arrays; its header tells of 8"),
        (written({"w": GOOD}, b"\x00" * 7), "has 7 bytes of arrays"),
    ],
)
def test_a_damaged_file_is_refused_by_name(tmp_path: Path, data: bytes, told: str) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"a\.safetensors") as caught:
        read_arrays(path)
    assert told in str(caught.value)
