"""Wrong words get one message: what, the nearest match, what is accepted; exit status 2."""

from __future__ import annotations

import pytest

from tests.cli.conftest import RUN
from tests.conftest import Workshop


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pln"], "no command 'pln'. Did you mean 'plan'? Accepted: doctor, studies, plan, run"),
        (["plan", "toi"], "no study 'toi'. Did you mean 'toy'? Accepted: toy"),
        (["table", "toi"], "no study 'toi'. Did you mean 'toy'? Accepted: toy"),
        (["studies", "toi"], "no study 'toi'. Did you mean 'toy'? Accepted: toy"),
        (
            ["plan", "toy", "--tier", "quik"],
            "toy has no tier 'quik'. Did you mean 'quick'? Accepted: quick",
        ),
        (
            ["plan", "toy", "--protocol", "rigorus"],
            "toy has no protocol 'rigorus'. Accepted: rigorous",
        ),
        (
            ["plan", "toy", "--dataset", "digit"],
            "no data set 'digit'. Did you mean 'digits'? Accepted: cats_vs_dogs, cifar10, "
            "digit-captions, digits, flickr8k",
        ),
        (["plan", "toy", "--data-dir", "nowhere"], "--data-dir nowhere is not a folder"),
        (
            ["plan", "toy", "-k", "alfa"],
            "-k: 'alfa' matches no cell. Did you mean 'alpha'? Words here: alpha, beta",
        ),
        (
            ["plan", "toy", "-k", "framwork=alpha"],
            "no field 'framwork' to select by. Did you mean 'framework'? Accepted: id, study",
        ),
        (["plan", "toy", "-k", "(alpha"], "a '(' is not closed in the -k expression"),
        (
            ["run", "toy", "--engine", "locl"],
            "no engine 'locl'. Did you mean 'local'? Accepted: auto, docker, fake, "
            "fake-slurm, local, slurm",
        ),
        (["images", "list", "--engine", "dokcer"], "no engine 'dokcer'."),
        (
            ["images", "build", "alfa"],
            "no image 'alfa'. Did you mean 'alpha'? Accepted: alpha, beta, broken",
        ),
        (["images", "verify", "gamma"], "no image 'gamma'."),
        (
            ["table", "toy", "--format", "mdd"],
            "no format 'mdd'. Did you mean 'md'? Accepted: rich, md, csv, json",
        ),
        (
            ["table", "toy", "--table", "tabel1"],
            "no table 'tabel1'. Did you mean 'table1'? Accepted: table1",
        ),
        (["status", "toy-quik"], f"no run 'toy-quik'. Did you mean '{RUN}'? Accepted: a run's"),
        (["table", "toy", "nothing"], "no run 'nothing'."),
        (["show", "ffffff"], "no cell 'ffffff' with a manifest in any run"),
        (["show", "ff"], "'ff' is not the id of a cell: give 3 to 12 of its characters"),
        (["show", "../../x"], "'../../x' is not the id of a cell"),
    ],
)
def test_a_wrong_word_is_refused(finished: Workshop, arguments: list[str], message: str) -> None:
    done = finished(*arguments, status=2)
    assert message in done.stderr
    assert done.stdout == ""


def test_without_a_run_the_table_says_how_to_get_one(workshop: Workshop) -> None:
    told = workshop("table", "toy", status=2).stderr
    assert "no run of toy under" in told
    assert "Run it first: repliquant run toy" in told


def test_the_table_of_another_study_is_refused(finished: Workshop) -> None:
    plan = finished.runs / RUN / "plan.json"
    plan.write_text(plan.read_text().replace('"study": "toy"', '"study": "other"', 1))
    told = finished("table", "toy", RUN, status=2).stderr
    assert "is a run of other, not of toy" in told


def test_images_that_are_not_built_cannot_be_verified(workshop: Workshop) -> None:
    told = workshop("images", "verify", status=3).stderr
    assert "no image is built yet; run: repliquant images build" in told


def test_a_broken_study_does_not_run(workshop: Workshop) -> None:
    path = workshop.folder / "studies" / "toy" / "study.toml"
    path.write_text(path.read_text().replace("year = 2020", "yeer = 2020"))
    told = workshop.run(status=2).stderr
    assert f"repliquant: {path}:4: yeer: " in told


def test_a_missing_study_names_those_there_are(workshop: Workshop) -> None:
    told = workshop("run", status=2).stderr
    assert "Missing argument 'STUDY'. Accepted: toy" in told


def test_what_is_no_number_is_called_so(workshop: Workshop) -> None:
    told = workshop("plan", "toy", "--watts", "x", status=2).stderr
    assert "Invalid value for '--watts': 'x' is not a valid number." in told


def test_an_interpreter_that_is_none_is_not_announced(workshop: Workshop) -> None:
    told = workshop("run", "toy", "--engine", "local", "--python", "/nope", status=2).stderr
    assert told.splitlines() == [
        "repliquant: --python '/nope' is not an executable; give the path of a Python"
    ]
