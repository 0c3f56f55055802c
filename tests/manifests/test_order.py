"""An order holds any path that a file system can."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from manifests.order import path_given, path_text


@pytest.mark.parametrize(
    "name", [b"/plain/x", "/ä ö/%41".encode(), b"/runs\xff/%41 b", b"/\xe4 \xf6", b"/100%"]
)
def test_a_path_survives_its_way_through_json(name: bytes) -> None:
    text = path_text(Path(os.fsdecode(name)))
    assert text is not None
    again = msgspec.json.decode(msgspec.json.encode(text), type=str)
    assert os.fsencode(path_given(again)) == name


def test_no_path_is_none() -> None:
    assert path_text(None) is None
