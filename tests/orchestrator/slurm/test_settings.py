"""``[slurm]``: from a file, for a site, from the command line; and what a script is made of."""

from __future__ import annotations

from pathlib import Path

import pytest

from manifests.errors import InputError
from orchestrator.engines.queue import Bundle
from orchestrator.engines.slurm import configuration, script
from orchestrator.engines.slurm.configuration import SlurmSettings, give, read_settings


@pytest.fixture(autouse=True)
def _nothing_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(configuration, "_given", {})
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("REPLIQUANT_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)


def write(text: str, path: str = "repliquant.toml") -> None:
    Path(path).parent.mkdir(exist_ok=True, parents=True)
    Path(path).write_text(text)


def test_without_a_file_all_is_the_sites_own() -> None:
    assert read_settings() == SlurmSettings()


def test_a_sites_settings_go_before_the_general_and_the_command_line_before_both() -> None:
    write('[slurm]\npartition = "short"\naccount = "a"\n[slurm.site.big]\npartition = "long"\n')
    assert read_settings("other").partition == "short"
    assert (read_settings("big").partition, read_settings("big").account) == ("long", "a")
    give(["partition=mine", "cpus_per_task=4", "exclusive=false", "extra=--nice;--hint=compute"])
    found = read_settings("big")
    assert (found.partition, found.cpus_per_task, found.exclusive) == ("mine", 4, False)
    assert found.extra == ["--nice", "--hint=compute"]


def test_the_working_directory_goes_before_the_users_folder_and_the_variable_before_both(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write('[slurm]\nqos = "user"\n', "config/repliquant/config.toml")
    assert read_settings().qos == "user"
    write('[slurm]\nqos = "here"\n')
    assert read_settings().qos == "here"
    write('[slurm]\nqos = "named"\n', "other.toml")
    monkeypatch.setenv("REPLIQUANT_CONFIG", "other.toml")
    assert read_settings().qos == "named"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[slurm]\npartiton = "x"\n', "Did you mean 'partition'"),
        ('[slurm]\ntime = "soon"\n', "time = 'soon' is no time. Accepted, as sbatch does: minutes"),
        ('[slurm]\nbundle_s = "x"\n', "repliquant.toml: [slurm]: Expected `float`, got `str`"),
        ("[slurm\n", "repliquant.toml can't be read: Expected ']'"),
        ("slurm = 3\n", "repliquant.toml: [slurm] must be a table"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_file(text: str, words: str) -> None:
    write(text)
    with pytest.raises(InputError) as caught:
        read_settings()
    assert words in str(caught.value)


def test_a_variable_that_names_no_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPLIQUANT_CONFIG", "nowhere.toml")
    with pytest.raises(InputError, match=r"REPLIQUANT_CONFIG: nowhere\.toml is not a file"):
        read_settings()


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("90", 90), ("30:00", 30), ("30:01", 31), ("1:30:00", 90), ("2-12", 3600), ("1-2:30", 1590)],
)
def test_times_are_read_as_sbatch_reads_them(text: str, minutes: int) -> None:
    assert script.minutes(text) == minutes


def test_a_job_is_asked_for_what_its_cells_may_take_and_no_more_than_the_settings_say() -> None:
    bundles = [Bundle((), 0, 600.0), Bundle((), 0, 3600.0)]
    assert script.limit_minutes(bundles, SlurmSettings()) == 63  # and what Slurm tells early
    assert script.limit_minutes(bundles, SlurmSettings(time="0:20:00")) == 20
