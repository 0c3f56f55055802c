"""A mistake in a study's files is found with its file, its line and the nearest that there is."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest

from comparisons.audit import audit
from comparisons.results import gather
from manifests.errors import InputError
from manifests.paths import ROOT
from manifests.runner_files import framework_folders
from orchestrator.planning.estimates import Estimates
from orchestrator.planning.planner import Choices, make_plan
from papers.mistakes import Mistake
from papers.new_study import Answers, write_study
from papers.study import load_study, study_ids
from services.study_check import check_study, folder_of
from tests.conftest import Workshop

CSV = "technique,batch_size,latency\nfloat32,128,8.5\nptq-fx,128,2.1\n"
GRANULARITY = """
[[granularity]]
id = "share"
table = "table1"
columns = ["latency"]
stated = 100
largest = 1000
place = "Table 1"
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    folder = write_study(Answers("toy2026"), tmp_path / "studies")
    (folder / "published" / "table1.csv").write_text(CSV)
    path = folder / "audit.toml"
    path.write_text(path.read_text() + GRANULARITY)
    return folder


def change(study: Path, name: str, old: str, new: str) -> int:
    """``old`` becomes ``new`` in a file; the line on which that is."""
    path = study / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return text[: text.index(old)].count("\n") + 1


def wrong(study: Path) -> list[Mistake]:
    return [mistake for mistake in check_study(study) if not mistake.remark]


def test_a_filled_in_study_is_right(study: Path) -> None:
    assert check_study(study) == []


TABLES, ROWS = "published/tables.toml", "published/table1.csv"
TRAIN = 'task = "train"\nframework = ["pytorch"]\ntechnique = ["float32"]'
MISTAKES = {
    "unit-of-another-metric": (TABLES, '"ms"', '"MiB"', "unit 'MiB' doesn't fit latency_s. Accep"),
    "unit-of-time": (TABLES, '"ms"', '"%"', "unit '%' doesn't fit latency_s. Accepted: s, ms"),
    "unit": (TABLES, '"ms"', '"msec"', "no unit 'msec'. Did you mean"),
    "metric": (TABLES, '"latency_s"', '"latncy_s"', "no metric 'latncy_s'. Did you mean 'latency_"),
    "key": (TABLES, '"batch_size"]', '"batch_sise"]', "no key 'batch_sise'. Did you mean 'batch_s"),
    "key-of-tables": (TABLES, "unit =", "unti =", "unknown field `unti`. Did you mean 'unit'?"),
    "selected-framework": (
        TABLES, '"pytorch"', '"pytroch"', "no framework 'pytroch'. Did you mean 'pytorch'?",
    ),
    "selected-task": (TABLES, '"infer"', '"infre"', "no task 'infre'. Did you mean 'infer'?"),
    "selected-technique": (
        TABLES, 'metric = "latency_s"',
        'metric = "latency_s"\nselect.any = { technique = "flaot32" }',
        "no technique 'flaot32'. Did you mean 'float32'?",
    ),
    "file-that-is-not-there": (TABLES, '"table1.csv"', '"table9.csv"', "No such file"),
    "column-of-the-csv": (ROWS, "latency", "latenci", "no column 'latenci'. Did you mean 'latency"),
    "csv-value": (ROWS, "ptq-fx", "ptq-fxx", "no technique 'ptq-fxx'. Did you mean 'ptq-fx'?"),
    "csv-row-too-short": (ROWS, "ptq-fx,128,2.1", "ptq-fx,128", "row 3 has 2 fields, row 1 has 3"),
    "csv-number": (ROWS, "2.1", "2,1x", "row 3 has 4 fields"),
    "csv-key-empty": (ROWS, "ptq-fx,128", "ptq-fx,", "batch_size is empty"),
    "technique": ("study.toml", "ptq-fx", "ptq-fy", "no pytorch technique 'ptq-fy'. Did you mean"),
    "model": ("study.toml", '"resnet18"', '"resnet-18"', "no model 'resnet-18'. Did you mean 'res"),
    "framework": (
        "study.toml", TRAIN, TRAIN.replace("pytorch", "pytroch"), "no framework 'pytroch'. Did you",
    ),
    "image": ("study.toml", '"pytorch-cpu"', '"pytorch-cpv"', "no image 'pytorch-cpv'. Did you m"),
    "key-of-the-study": ("study.toml", "year =", "yeer =", "unknown field `yeer`. Did you mean 'y"),
    "recipe": ("study.toml", 'recipe = "ptq"', 'recipe = "ptk"', "no recipe 'ptk'. Did you mean"),
    "recipe-key-of-the-tier": (
        "study.toml", "warm_up_s = 0.4", "warmup_s = 0.4",
        "tiers.quick.recipes.infer: no key 'warmup_s'. Did you mean 'warm_up_s'?",
    ),
    "recipe-key": (
        "study.toml", "warm_up_s = 5.0", "warmup_s = 5.0",
        "recipes.infer: no key 'warmup_s'. Did you mean 'warm_up_s'?",
    ),
    "recipe-key-that-no-tier-has": (
        "study.toml", "weight_decay", "wieght_decay", "no key 'wieght_decay'. Did you mean 'weigh",
    ),
    "empty-entry": ("study.toml", '["ptq-fx"]', '["ptq-fx", ""]', "technique is empty, or has an"),
    "rung": (
        "study.toml", "[[unspecified]]",
        '[[ladder]]\nframework = "pytroch"\ntechnique = "a"\nafter = "b"\nchanges = "runtime"\n'
        "[[unspecified]]", "no framework 'pytroch'. Did you mean 'pytorch'?",
    ),
    "claim-table": ("claims.toml", '"table1"', '"table2"', "no table 'table2'. Did you mean"),
    "claim-column": ("claims.toml", "latency <", "latenci <", "no column of table1 'latenci'. Did"),
    "claim-value": ("claims.toml", "=ptq-fx", "=ptq-fy", "no technique in table1 'ptq-fy'. Did yo"),
    "claim-syntax": ("claims.toml", "latency <", "latency <<", "claim faster: "),
    "audit-column": ("audit.toml", '["latency"]', '["latenzy"]', "no column of table1 'latenzy'."),
    "audit-table": (
        "audit.toml", 'table = "table1"', 'table = "tabel1"', "no table 'tabel1'. Did you mean 'ta",
    ),
    "audit-test": ("audit.toml", "latency > 0", "latenzy > 0", "no column of table1 'latenzy'."),
    "audit-key": ("audit.toml", "innocent", "inocent", "unknown field `inocent`. Did you mean 'i"),
}  # fmt: skip
DEEPER = {"selected-technique": 1, "rung": 1, "framework": 1}
"""How many lines below the change the mistake is."""


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_found_where_it_is(study: Path, case: str) -> None:
    name, old, new, told = MISTAKES[case]
    if case == "audit-key":
        change(study, "audit.toml", "stated = 100", 'innocent = "x"\nstated = 100')
    line = change(study, name, old, new) + DEEPER.get(case, 0)
    found = [mistake for mistake in wrong(study) if told in mistake.text]
    assert found, [str(mistake) for mistake in check_study(study)]
    path = study / "published" / "table9.csv" if case.startswith("file-that") else study / name
    assert found[0].path == path
    assert found[0].line == (1 if case.startswith("file-that") else line)


def test_a_recipe_that_is_misspelt_is_not_blamed_on_the_tier(study: Path) -> None:
    change(study, "study.toml", "warm_up_s = 5.0", "warmup_s = 5.0")
    assert {mistake.text.partition(":")[0] for mistake in wrong(study)} == {"recipes.infer"}


def test_a_framework_that_is_misspelt_in_images_is_not_blamed_on_its_cells(study: Path) -> None:
    change(study, "study.toml", 'pytorch = "pytorch-cpu"', 'pytroch = "pytorch-cpu"')
    found = [mistake.text for mistake in wrong(study) if mistake.path.name == "study.toml"]
    assert found == [
        "images: cells name 'pytorch', which has none. Has: pytroch",
        "images: no framework with runners 'pytroch'. Did you mean 'pytorch'? "
        f"Accepted: {', '.join(framework_folders())}",
    ]


def twice(study: Path, name: str, start: str) -> None:
    path = study / name
    text = path.read_text()
    path.write_text(text + text[text.index(start) :])


def test_two_tables_and_two_columns_of_one_name_are_found(study: Path) -> None:
    twice(study, TABLES, "[[table]]")
    assert any("two tables are called 'table1'" in m.text for m in wrong(study))
    (study / TABLES).write_text((study / TABLES).read_text().partition("[[table]]\n")[2])
    other = write_study(Answers("other2026"), study.parent)
    twice(other, TABLES, "[[table.column]]")
    assert any("two columns are called 'latency'" in m.text for m in wrong(other))


def test_a_row_that_stands_twice_names_both_lines(study: Path) -> None:
    (study / ROWS).write_text(CSV + "float32,128,9\n")
    (found,) = wrong(study)
    assert (found.line, "same row as in line 2" in found.text) == (4, True)


def test_several_mistakes_are_found_at_once(study: Path) -> None:
    change(study, "study.toml", "year =", "yeer =")
    change(study, TABLES, '"ms"', '"J"')
    change(study, "audit.toml", "table1", "table7")
    change(study, "claims.toml", "text =", "texd =")
    assert {mistake.path.name for mistake in wrong(study)} == {
        "study.toml", "tables.toml", "audit.toml", "claims.toml",
    }  # fmt: skip


def test_what_is_missing_or_empty_is_a_remark(study: Path) -> None:
    (study / "claims.toml").unlink()
    (study / "audit.toml").unlink()
    change(study, ROWS, "2.1", "")
    found = check_study(study)
    assert [mistake.remark for mistake in found] == [True] * 3
    told = " ".join(map(str, found))
    assert "claims.toml:1: is missing" in told and "audit.toml:1: is missing" in told
    assert "table1.csv:3: latency is empty" in told


def test_weights_that_no_group_makes_are_found(study: Path) -> None:
    change(study, "study.toml", 'technique = ["ptq-fx"]\nrecipe = "ptq"',
           'technique = ["ptq-eager"]\nrecipe = "ptq"')  # fmt: skip
    assert any("which no group before it makes" in mistake.text for mistake in wrong(study))


@pytest.mark.parametrize("name", study_ids(ROOT / "studies"))
def test_the_studies_that_are_here_are_right(name: str) -> None:
    assert wrong(ROOT / "studies" / name) == []


def test_a_study_is_named_by_its_id_its_folder_or_its_file(study: Path) -> None:
    assert folder_of(str(study)) == folder_of(str(study / "study.toml")) == study
    assert folder_of("lad2023").name == "lad2023"
    with pytest.raises(InputError, match=r"no study 'lad2032'\. Did you mean 'lad2023'\?"):
        folder_of("lad2032")


def test_the_command_says_by_its_status_what_it_found(study: Path, workshop: Workshop) -> None:
    workshop.environment["REPLIQUANT_IMAGES"] = str(ROOT / "images")
    assert workshop("studies", "check", "toy2026").stdout == "toy2026: ok\n"
    change(study, ROWS, "2.1", "2.1x")
    (found,) = json.loads(workshop("studies", "check", str(study), "--json", status=1).stdout)
    assert found["file"].endswith("table1.csv") and found["line"] == 3 and not found["remark"]
    told = workshop("studies", "check", "toy2026", status=1).stdout
    assert told.endswith("table1.csv:3: latency: '2.1x' is not a number. Accepted words: OOM, N/A\n"
                         "toy2026: 1 mistake\n")  # fmt: skip
    refused = workshop("studies", "check", "toy2062", status=2)
    assert "no study 'toy2062'. Did you mean 'toy2026'?" in refused.stderr


@pytest.mark.parametrize("case", MISTAKES)
def test_no_mistake_ends_plan_claims_or_audit_with_a_traceback(study: Path, case: str) -> None:
    """What they raise is an InputError, which is told in a line."""
    name, old, new, _ = MISTAKES[case]
    if case == "audit-key":
        change(study, "audit.toml", "stated = 100", 'innocent = "x"\nstated = 100')
    change(study, name, old, new)
    for look in (lambda: audit(study), lambda: gather(study), lambda: planned(study)):
        with suppress(InputError):
            look()


def planned(study: Path) -> None:
    loaded = load_study(study.name, study.parent)
    for tier in loaded.tiers:
        make_plan(loaded, Choices(tier, None, "digits"), Estimates(study / "none"), gpus=0)
