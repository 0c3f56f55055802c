"""Every file that is not a whole, single, current manifest is refused, and in one way only."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manifests.codec import MAX_BYTES, UnreadableError, decode_manifest, encode_manifest
from tests.manifests.samples import a_cell, a_manifest

GOOD = encode_manifest(a_manifest())
ID = a_cell().id.encode()


def _with(old: bytes, new: bytes) -> bytes:
    assert old in GOOD
    return GOOD.replace(old, new, 1)


def _refusal(data: bytes) -> str:
    with pytest.raises(UnreadableError) as caught:
        decode_manifest(data)
    return str(caught.value)


def test_a_manifest_cut_anywhere_is_refused() -> None:
    for length in range(len(GOOD.rstrip())):
        assert _refusal(GOOD[:length])


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_bytes_of_any_kind_are_refused(data: bytes) -> None:
    assert _refusal(data)


@settings(max_examples=300)
@given(st.integers(0, len(GOOD) - 1), st.integers(0, len(GOOD)), st.binary(max_size=6))
def test_damage_is_refused_or_harmless(begin: int, end: int, patch: bytes) -> None:
    with contextlib.suppress(UnreadableError):
        decode_manifest(GOOD[:begin] + patch + GOOD[end:])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"wall_s":2.5', b'"wall_s":NaN'),
        (b'"wall_s":2.5', b'"wall_s":Infinity'),
        (b'"wall_s":2.5', b'"wall_s":-Infinity'),
        (b'"wall_s":2.5', b'"wall_s":1e999'),
        (b"[0.25,null,0.5]", b"[0.25,NaN,0.5]"),
        (b"[0.25,null,0.5]", b"[0.25,-Infinity,0.5]"),
        (b'"reason":""', b'"reason":"","later":NaN'),
    ],
)
def test_numbers_that_json_does_not_have_are_refused(old: bytes, new: bytes) -> None:
    assert _refusal(_with(old, new)).startswith("is not a manifest: ")


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        (b'"reason":""', b'"reason":"","reason":""', "reason"),
        (b'"reason":""', b'"reason":"first","reason":""', "reason"),
        (b'{"schema"', b'{"schema":"repliquant/manifest/1","schema"', "schema"),
        (b'"measure_s":1.5', b'"measure_s":1.5,"measure_s":1.5', "measure_s"),
        (b'"label":""', b'"label":"","label":""', "label"),
        (b'"reason":""', b'"reason":"","later":{"a":[{"b":1,"b":2}]}', "b"),
    ],
)
def test_a_key_that_comes_twice_is_refused(old: bytes, new: bytes, key: str) -> None:
    assert f"names the key '{key}' twice" in _refusal(_with(old, new))


def test_a_newer_version_says_to_update() -> None:
    refusal = _refusal(_with(b"repliquant/manifest/1", b"repliquant/manifest/7"))
    assert refusal == (
        "was written by a newer Repliquant (schema repliquant/manifest/7); this one reads up to "
        "repliquant/manifest/1: update Repliquant to read it"
    )


def test_a_newer_version_says_so_whatever_else_it_holds() -> None:
    assert "update Repliquant" in _refusal(b'{"schema":"repliquant/manifest/2","cell":[]}')


@pytest.mark.parametrize(
    "schema",
    ["", "1", "repliquant/plan/1", "repliquant/manifest", "repliquant/manifest/",
     "repliquant/manifest/-1", "repliquant/manifest/1.0", "repliquant/manifest/²",
     "repliquant/manifest/٣", "repliquant/manifest/1 ", "REPLIQUANT/manifest/1",
     "repliquant/manifest/9999999999", "x" * 10_000],
)  # fmt: skip
def test_another_schema_is_refused_with_the_one_expected(schema: str) -> None:
    refusal = _refusal(_with(b"repliquant/manifest/1", schema.encode()))
    assert refusal == f"has schema {schema[:80]!r}, expected repliquant/manifest/1"


def test_a_version_before_the_first_is_refused() -> None:
    refusal = _refusal(_with(b"repliquant/manifest/1", b"repliquant/manifest/0"))
    assert refusal == "has schema version 0, which was never released"


def test_a_cell_that_was_edited_no_longer_fits_its_id() -> None:
    edited = a_cell(seed=2).id
    assert _refusal(_with(b'"seed":1', b'"seed":2')) == (
        f"says id {ID.decode()}, but its cell has id {edited}: it was edited"
    )


def test_an_id_that_was_edited_no_longer_fits_its_cell() -> None:
    assert _refusal(_with(ID, b"0123456789ab")).startswith("says id 0123456789ab, but its cell")


def test_more_bytes_than_allowed_are_refused_unread() -> None:
    assert _refusal(GOOD + b" " * MAX_BYTES) == (
        f"is {len(GOOD) + MAX_BYTES:,} bytes, more than the 16,777,216 allowed"
    )


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 100_000,
        b'{"schema":' * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        _with(b'"reason":""', b'"reason":"","later":' + b"[" * 100_000 + b"]" * 100_000),
        _with(b'"reason":""', b'"reason":' + b"[" * 100_000),
        _with(b'"reason":""', b'"reason":"","later":' + b"[" * 900 + b"]" * 900 + b","),
    ],
)
def test_brackets_without_end_are_refused(data: bytes) -> None:
    assert _refusal(data).startswith("is not a manifest: ")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"reason":""', b'"reason":"\xff"'),
        (b'"reason":""', b'"reason":"\xed\xa0\x80"'),
        (b'"reason":""', b'"reason":"","later":"\xff"'),
        (b'"reason":""', b'"\xff":1,"reason":""'),
        (b'"study":"lad2023"', b'"study":"\xc3"'),
        (b"repliquant/manifest/1", b"\xff"),
    ],
)
def test_what_is_not_utf_8_is_refused(old: bytes, new: bytes) -> None:
    assert _refusal(_with(old, new)).startswith("is not a manifest: ")


def test_other_encodings_are_refused() -> None:
    text = GOOD.decode()
    for encoding in ("utf-16", "utf-32", "utf-8-sig"):
        assert _refusal(text.encode(encoding)).startswith("is not a manifest: ")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"reason":""', b'"reason":"\\ud800"'),
        (b'"reason":""', b'"reason":"\\udc00"'),
        (b'"study":"lad2023"', b'"study":"\\ud83d and no second half"'),
        (b'"reason":""', b'"\\ud800":1,"reason":""'),
    ],
)
def test_half_a_surrogate_pair_is_refused(old: bytes, new: bytes) -> None:
    assert _refusal(_with(old, new)).startswith("is not a manifest: ")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"status":"ok"', b'"status":"fine"'),
        (b'"wall_s":2.5', b'"wall_s":"2.5"'),
        (b'"wall_s":2.5,', b""),
        (b'"study":"lad2023"', b'"study":"lad2023","colour":"red"'),
        (b'"seed":1', b'"seed":' + b"9" * 5000),
        (b'"seed":1', b'"seed":99999999999999999999'),
        (b'"reason":""', b'"reason":"","later":' + b"9" * 5000),
    ],
)
def test_values_of_another_type_or_size_are_refused(old: bytes, new: bytes) -> None:
    assert _refusal(_with(old, new))
