"""The recorded series: what is written is read again, and nothing in a file can do harm."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.codec import UnreadableError
from manifests.manifest import Gpu
from manifests.series_reader import Series, decode_series, read_series
from manifests.telemetry_series import (
    CellSample,
    GpuProcess,
    GpuSample,
    HostSample,
    Opening,
    PhaseMark,
    Reasons,
    Sample,
    decode,
    encode,
)

OPENING = (
    b'{"line":"opening","schema":"repliquant/telemetry/1","started_at":"2026-01-01T00:00:00",'
    b'"interval_s":0.2}\n'
)


def test_lines_are_what_they_look_like() -> None:
    opening = Opening(
        started_at="2026-01-01", interval_s=0.2, made_up="by hand", gpus={0: Gpu(name="A")}
    )
    assert encode(opening) == (
        b'{"line":"opening","schema":"repliquant/telemetry/1","started_at":"2026-01-01",'
        b'"interval_s":0.2,"made_up":"by hand","kept_every":1,"cell":"","cell_source":"",'
        b'"cpus":null,"memory_bytes":null,"gpus":{"0":{"name":"A","memory_bytes":null,"driver":null,"cuda":null,'
        b'"compute_capability":null,"power_limit_w":null,"sm_clock_hz":null,'
        b'"memory_clock_hz":null,"index":null,"mig":null,"uuid":null,"instances":[],"settings":null}}}\n'
    )
    sample = Sample(
        time_s=1.5,
        host=HostSample(cpu_percent=12.5, core_percent=[25.0, 0.0]),
        gpus=[GpuSample(index=0, power_w=125.0, processes=[GpuProcess(pid=3, own=True)])],
        cells={"abc": CellSample(memory_bytes=7)},
    )
    assert encode(sample) == (
        b'{"line":"sample","time_s":1.5,"host":{"cpu_percent":12.5,"core_percent":[25.0,0.0]},'
        b'"gpus":[{"index":0,"power_w":125.0,"processes":[{"pid":3,"own":true}]}],'
        b'"cells":{"abc":{"memory_bytes":7}}}\n'
    )
    mark = PhaseMark(time_s=2.0, name="measure", runner_s=1.75)
    assert encode(mark) == b'{"line":"phase","time_s":2.0,"name":"measure","runner_s":1.75}\n'
    assert [decode(encode(line)) for line in (opening, sample, mark)] == [opening, sample, mark]


def test_a_zero_is_kept_and_told_from_nothing() -> None:
    sample = Sample(time_s=0.0, host=HostSample(cpu_percent=0.0))
    assert decode(encode(sample)) == sample
    assert b'"cpu_percent":0.0' in encode(sample)


def test_reasons_hold_until_the_next_ones() -> None:
    lines = [
        Sample(time_s=0.0),
        Reasons(time_s=0.1, reasons={"gpus": "lost"}),
        Sample(time_s=0.2),
        Sample(time_s=0.4),
        Reasons(time_s=0.5, reasons={}),
        Sample(time_s=0.6),
    ]
    series = decode_series(OPENING + b"".join(map(encode, lines)))
    assert [sample.reasons for sample in series.samples] == [
        {}, {"gpus": "lost"}, {"gpus": "lost"}, {},
    ]  # fmt: skip


def a_series() -> Series:
    samples = [Sample(time_s=number / 2) for number in range(5)]
    marks = [
        PhaseMark(time_s=0.8, name="import", runner_s=0.0),
        PhaseMark(time_s=1.5, name="measure", runner_s=0.75),
    ]
    return Series(Opening(started_at="", interval_s=0.5), samples, marks, [])


def test_finding_a_time() -> None:
    series = a_series()
    assert [s.time_s for s in series.between(0.5, 1.5)] == [0.5, 1.0]
    assert series.between(9.0, 10.0) == []
    assert series.at(-0.1) is None
    found = [series.at(time_s) for time_s in (0.0, 0.49, 0.5, 0.51, 99.0)]
    assert [sample.time_s for sample in found if sample] == [0.0, 0.0, 0.5, 0.5, 2.0]
    assert [series.phase_at(t) for t in (0.0, 0.8, 1.4, 1.5, 99)] == [
        "start", "import", "import", "measure", "measure",
    ]  # fmt: skip
    assert series.length_s == 2.0
    assert series.runner_began_s == 0.75
    assert Series(series.opening, [], [], []).runner_began_s is None


def test_half_a_line_at_the_end_is_left_out_with_a_warning() -> None:
    data = OPENING + encode(Sample(time_s=0.2)) + encode(Sample(time_s=0.4))[:-9]
    series = decode_series(data)
    assert [sample.time_s for sample in series.samples] == [0.2]
    assert series.warnings[0].startswith("1 lines can't be used, the first: line 3 is no line of")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b'{"line":"sample"}', "is no line of a series"),
        (b'{"line":"other","time_s":1}', "is no line of a series"),
        (b'{"line":"sample","time_s":"soon"}', "is no line of a series"),
        (b'{"line":"sample","time_s":NaN}', "is no line of a series"),
        (b"[" * 100_000, "is no line of a series"),
        (b"\xff\xfe", "is no line of a series"),
        (OPENING.strip(), "is a second opening"),
        (b'{"line":"sample","time_s":0.1}', "goes back in time"),
    ],
)
def test_a_line_that_can_not_be_used_leaves_the_others(line: bytes, why: str) -> None:
    good = [encode(Sample(time_s=1.0)), encode(Sample(time_s=2.0))]
    series = decode_series(OPENING + good[0] + line + b"\n" + good[1])
    assert [sample.time_s for sample in series.samples] == [1.0, 2.0]
    assert why in series.warnings[0]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "is not a recorded series"),
        (b"hello\n", "is not a recorded series"),
        (encode(Sample(time_s=0.0)), "is not a recorded series"),
        (b'{"schema":"repliquant/telemetry/9","line":"opening"}\n', "written by a newer"),
        (b'{"schema":"repliquant/manifest/1","line":"opening"}\n', "expected repliquant/tele"),
    ],
)
def test_what_is_no_series_is_refused_by_name(tmp_path: Path, data: bytes, why: str) -> None:
    path = tmp_path / "telemetry.jsonl"
    path.write_bytes(data)
    with pytest.raises(UnreadableError, match=why) as refused:
        read_series(path)
    assert str(path) in str(refused.value)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for whole in (data, OPENING + data):
        try:
            decode_series(whole)
        except UnreadableError:
            continue


_numbers = st.none() | st.floats(0, 1e12, allow_nan=False) | st.integers(0, 2**50).map(float)
_samples = st.builds(
    Sample,
    time_s=st.floats(0, 1e6),
    host=st.builds(HostSample, cpu_percent=_numbers, core_percent=st.lists(st.floats(0, 100))),
    gpus=st.lists(st.builds(GpuSample, index=st.integers(0, 15), power_w=_numbers), max_size=3),
    cells=st.dictionaries(st.text(max_size=5), st.builds(CellSample, cpu_percent=_numbers)),
)


@given(st.lists(_samples, max_size=5))
def test_what_is_written_is_read_again(samples: list[Sample]) -> None:
    samples.sort(key=lambda sample: sample.time_s)
    series = decode_series(OPENING + b"".join(map(encode, samples)))
    assert (series.samples, series.warnings) == (samples, [])
    assert all(math.isfinite(sample.time_s) for sample in series.samples)


def test_the_types_of_old_files_keep_their_names() -> None:
    """A field that is renamed would silently be missing from every recording there is."""
    assert GpuSample.__struct_fields__ == (
        "index", "utilization_percent", "memory_busy_percent", "memory_used_bytes", "power_w",
        "energy_j", "temperature_c", "sm_clock_hz", "memory_clock_hz", "clock_reasons",
        "processes", "instant_power_w", "module_power_w",
    )  # fmt: skip
    units = ("_percent", "_bytes", "_w", "_j", "_c", "_hz", "_s")
    numbers = [
        field.name
        for kind in (GpuSample, HostSample, CellSample)
        for field in msgspec.structs.fields(kind)
        if field.name not in ("index", "clock_reasons", "processes", "stopped")
    ]
    assert [name for name in numbers if not name.endswith(units)] == []
