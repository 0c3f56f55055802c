"""The file of a series stays within its limit, and is written where it was made."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from machine.series_file import SeriesFile
from manifests.series_reader import read_series
from manifests.telemetry_series import HostSample, Opening, PhaseMark, Reasons, Sample, encode

OPENING = Opening(started_at="2026-01-01", interval_s=0.2)


def filled(path: Path, samples: int, most_bytes: int) -> SeriesFile:
    file = SeriesFile(path, OPENING, most_bytes)
    for number in range(samples):
        if number % 50 == 7:
            file.write(encode(PhaseMark(time_s=number / 5, name=f"p{number}")), False)
        sample = Sample(time_s=number / 5, host=HostSample(cpu_percent=1.0))
        file.write(encode(sample), True)
    return file


def test_everything_is_kept_below_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.jsonl"
    file = filled(path, 100, 100_000)
    file.close()
    series = read_series(path)
    assert [sample.time_s for sample in series.samples] == [number / 5 for number in range(100)]
    assert (file.kept_every, series.opening.kept_every, len(series.phases)) == (1, 1, 2)
    assert file.sha256() == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("samples", [101, 1000, 1017, 5000])
def test_beyond_it_samples_are_left_out_evenly(tmp_path: Path, samples: int) -> None:
    path = tmp_path / "telemetry.jsonl"
    file = filled(path, samples, 20_000)
    file.close()
    series = read_series(path)
    assert path.stat().st_size <= 20_000
    every = series.opening.kept_every
    assert every == file.kept_every
    assert [s.time_s for s in series.samples] == [n / 5 for n in range(0, samples, every)]
    assert len(series.phases) == len(range(7, samples, 50))
    assert series.warnings == []
    assert len(series.samples) > 40


def test_reasons_outlive_the_samples(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.jsonl"
    file = SeriesFile(path, OPENING, 2000)
    file.write(encode(Reasons(time_s=0.0, reasons={"gpus": "lost"})), False)
    for number in range(200):
        file.write(encode(Sample(time_s=number / 5)), True)
    file.close()
    series = read_series(path)
    assert series.opening.kept_every > 1
    assert all(sample.reasons == {"gpus": "lost"} for sample in series.samples)


def test_it_can_be_read_while_it_grows(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.jsonl"
    file = SeriesFile(path, OPENING)
    file.write(encode(Sample(time_s=0.2)), True)
    assert [sample.time_s for sample in read_series(path).samples] == [0.2]
    file.close()


def test_nothing_is_written_through_a_link_that_a_cell_puts_there(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    path = tmp_path / "telemetry.jsonl"
    path.symlink_to(victim)
    with pytest.raises(FileExistsError):
        SeriesFile(path, OPENING)
    path.unlink()
    file = filled(path, 10, 2000)
    path.unlink()
    path.symlink_to(victim)
    for number in range(100):
        file.write(encode(Sample(time_s=10.0 + number)), True)
    file.close()
    assert victim.read_text() == "mine"
    assert not path.is_symlink()


def test_a_file_that_was_put_in_its_place_is_not_passed_off_as_it(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.jsonl"
    file = filled(path, 10, 100_000)
    path.unlink()
    path.write_text("made up")
    with pytest.raises(FileNotFoundError, match="somebody put something else in place"):
        file.close()
