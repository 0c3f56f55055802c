"""The language of -k: which cells an expression chooses, and what it says when it can't."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.cell import Cell
from manifests.select import FIELDS, SelectionError, Selector
from manifests.suggest import nearest
from tests.manifests.samples import a_cell

CELLS = {
    "train": a_cell(task="train", technique="float32"),
    "eager": a_cell(technique="ptq-eager", batch_size=32),
    "fx": a_cell(technique="ptq-fx", repeat=1),
    "qat": a_cell(technique="qat-eager", device="gpu", batch_size=1),
    "tflite": a_cell(framework="tensorflow", technique="ptq-tflite", seed=2),
}
ALL = list(CELLS)
WORDS = ["ptq", "qat", "train", "gpu", "tensorflow", "eager", "batch_size>=32", "seed=2"]

words = st.sampled_from(WORDS)
expressions = st.recursive(
    words,
    lambda inner: (
        inner.map(lambda one: f"not ({one})")
        | st.tuples(inner, inner).map(lambda two: f"({two[0]}) and ({two[1]})")
        | st.tuples(inner, inner).map(lambda two: f"({two[0]}) or ({two[1]})")
    ),
    max_leaves=6,
)


def _accepted(expression: str) -> list[str]:
    selector = Selector(expression)
    return [name for name, cell in CELLS.items() if selector.accepts(cell)]


@pytest.mark.parametrize(
    ("expression", "chosen"),
    [
        ("", ALL),
        ("   ", ALL),
        ("ptq", ["eager", "fx", "tflite"]),
        ("PTQ", ["eager", "fx", "tflite"]),
        ("eager", ["eager", "qat"]),
        ("lad2023", ALL),
        (CELLS["fx"].id, ["fx"]),
        (f"id={CELLS['qat'].id}", ["qat"]),
        ("framework=pytorch", ["train", "eager", "fx", "qat"]),
        ("framework==pytorch", ["train", "eager", "fx", "qat"]),
        ("framework = pytorch", ["train", "eager", "fx", "qat"]),
        ("framework!=pytorch", ["tflite"]),
        ("framework=torch", []),
        ("technique=ptq-eager,ptq-fx", ["eager", "fx"]),
        ("technique!=ptq-eager,ptq-fx", ["train", "qat", "tflite"]),
        ("batch_size=32", ["eager"]),
        ("batch_size>=32", ["train", "eager", "fx", "tflite"]),
        ("batch_size>32", ["train", "fx", "tflite"]),
        ("batch_size<=32", ["eager", "qat"]),
        ("batch_size<9", ["qat"]),
        ("repeat>0", ["fx"]),
        ("not ptq", ["train", "qat"]),
        ("not not ptq", ["eager", "fx", "tflite"]),
        ("ptq and eager", ["eager"]),
        ("qat or train", ["train", "qat"]),
        ("qat and not (train or gpu)", []),
        ("ptq and not (fx or tflite)", ["eager"]),
        ("(ptq)", ["eager", "fx", "tflite"]),
        ("((device=gpu))", ["qat"]),
    ],
)
def test_an_expression_chooses(expression: str, chosen: list[str]) -> None:
    assert _accepted(expression) == chosen


@pytest.mark.parametrize(
    ("short", "meaning"),
    [
        ("train or ptq and eager", "train or (ptq and eager)"),
        ("ptq and eager or train", "(ptq and eager) or train"),
        ("not train and ptq", "(not train) and ptq"),
        ("not train or train", "(not train) or train"),
        ("not ptq and not qat or seed=2", "((not ptq) and (not qat)) or seed=2"),
    ],
)
def test_not_binds_before_and_and_and_before_or(short: str, meaning: str) -> None:
    assert _accepted(short) == _accepted(meaning)


def test_precedence_decides_where_it_matters() -> None:
    assert _accepted("train or ptq and eager") == ["train", "eager"]
    assert _accepted("(train or ptq) and eager") == ["eager"]
    assert _accepted("not train and ptq") == ["eager", "fx", "tflite"]
    assert _accepted("not (train and ptq)") == ALL


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("framwork=pytorch", f"no field 'framwork' to select by. Did you mean 'framework'? "
                             f"Accepted: {', '.join(FIELDS)}"),
        ("zzz=1", f"no field 'zzz' to select by. Accepted: {', '.join(FIELDS)}"),
        ("(ptq", "a '(' is not closed in the -k expression"),
        ("((ptq)", "a '(' is not closed in the -k expression"),
        ("ptq)", "unexpected ')' in the -k expression"),
        ("ptq qat", "unexpected 'qat' in the -k expression"),
        ("ptq and", "the -k expression ends too early: expected a word"),
        ("ptq or", "the -k expression ends too early: expected a word"),
        ("not", "the -k expression ends too early: expected a word"),
        ("(", "the -k expression ends too early: expected a word"),
        ("()", "expected a word in the -k expression, found ')'"),
        ("and ptq", "expected a word in the -k expression, found 'and'"),
        ("ptq and or qat", "expected a word in the -k expression, found 'or'"),
        ("=pytorch", "expected a word in the -k expression, found '='"),
        (">=3", "expected a word in the -k expression, found '>='"),
        ("seed=", "the -k expression ends too early: expected a value for 'seed'"),
        ("seed=)", "expected a value for 'seed' in the -k expression, found ')'"),
        ("seed=<=", "expected a value for 'seed' in the -k expression, found '<='"),
        ("seed===1", "expected a value for 'seed' in the -k expression, found '='"),
        ("!", "unexpected '!' in -k '!'; see --help"),
        ("seed ! 1", "unexpected '!' in -k 'seed ! 1'; see --help"),
        ("framework>pytorch", "only whole numbers compare with < and >: image_size, batch_size, "
                              "seed, repeat; got framework 'pytorch'"),
        ("seed<x", "only whole numbers compare with < and >: image_size, batch_size, "
                   "seed, repeat; got seed 'x'"),
        ("seed<" + "9" * 13, "only whole numbers compare with < and >: image_size, batch_size, "
                             f"seed, repeat; got seed '{'9' * 13}'"),
        ("(" * 51 + "ptq" + ")" * 51, "the -k expression is nested more than 50 deep"),
        ("(" * 100_000, "the -k expression is nested more than 50 deep"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_explained(expression: str, message: str) -> None:
    with pytest.raises(SelectionError) as caught:
        Selector(expression)
    assert str(caught.value) == message


def test_fifty_parentheses_are_still_read() -> None:
    assert _accepted("(" * 50 + "qat" + ")" * 50) == ["qat"]
    assert _accepted(" or ".join(["((qat))"] * 40)) == ["qat"]


def test_a_word_that_no_cell_has_lists_the_words_there_are() -> None:
    with pytest.raises(SelectionError) as caught:
        Selector("ptq or pytorhc").choose([CELLS["eager"]])
    assert str(caught.value) == (
        "-k: 'pytorhc' matches no cell. Did you mean 'pytorch'? Words here: "
        "cpu, digits, infer, lad2023, ptq-eager, pytorch, quick, resnet18, rigorous"
    )


def test_a_number_that_no_cell_has_lists_the_numbers_in_their_order() -> None:
    cells = [msgspec.structs.replace(CELLS["eager"], batch_size=size) for size in (128, 1, 8)]
    with pytest.raises(SelectionError) as caught:
        Selector("batch_size=16").choose(cells)
    assert str(caught.value) == (
        "-k: batch_size=16 matches no cell. Values of batch_size here: 1, 8, 128"
    )
    with pytest.raises(SelectionError, match=r"repeat=3 matches no cell\. Values .*: 0$"):
        Selector("repeat=3 and qat").choose(cells)


def test_words_that_never_meet_choose_nothing() -> None:
    with pytest.raises(SelectionError, match=r"no cell matches -k 'train and qat', though each"):
        Selector("train and qat").choose(list(CELLS.values()))


def test_choosing_keeps_the_order_of_the_cells() -> None:
    cells: list[Cell] = [CELLS["tflite"], CELLS["train"], CELLS["fx"]]
    assert Selector("ptq").choose(cells) == [CELLS["tflite"], CELLS["fx"]]


def test_only_a_near_match_is_offered() -> None:
    assert nearest("ptq-egaer", ["ptq-eager", "ptq-fx"]) == " Did you mean 'ptq-eager'?"
    assert nearest("banana", ["ptq-eager", "ptq-fx"]) == ""


@given(st.text())
def test_any_text_is_read_or_refused(expression: str) -> None:
    _accepts_or_refuses(expression)


PIECES = ["(", ")", "and", "or", "not", "=", "==", "!=", "<", "<=", ">", "!", "seed", "ptq", "1"]


@given(st.lists(st.sampled_from(PIECES), max_size=12))
def test_any_row_of_pieces_is_read_or_refused(pieces: list[str]) -> None:
    _accepts_or_refuses(" ".join(pieces))


def _accepts_or_refuses(expression: str) -> None:
    try:
        selector = Selector(expression)
    except SelectionError:
        return
    assert selector.accepts(CELLS["qat"]) in (True, False)


@given(expressions, expressions)
def test_de_morgan_holds(first: str, second: str) -> None:
    assert _accepted(f"not (({first}) or ({second}))") == _accepted(
        f"not ({first}) and not ({second})"
    )
    assert _accepted(f"not (({first}) and ({second}))") == _accepted(
        f"not ({first}) or not ({second})"
    )


@given(expressions)
def test_a_cell_is_accepted_by_an_expression_or_by_its_opposite(expression: str) -> None:
    assert sorted(_accepted(expression) + _accepted(f"not ({expression})")) == sorted(ALL)


VARIED = [a_cell(technique="ptq-fx"), a_cell(technique="ptq-fx", variant="minmax")]


@pytest.mark.parametrize(
    ("expression", "variants"),
    [
        ("variant=minmax", ["minmax"]),
        ("variant!=minmax", [""]),
        ("minmax", ["minmax"]),
        ("ptq and not minmax", [""]),
        ("ptq", ["", "minmax"]),
    ],
)
def test_variants_are_chosen(expression: str, variants: list[str]) -> None:
    assert [cell.variant for cell in Selector(expression).choose(VARIED)] == variants


def test_an_unknown_variant_names_those_there_are() -> None:
    told = r"variant=min-max' matches no cell. Did you mean 'minmax'\? .* here: minmax$"
    with pytest.raises(SelectionError, match=told):
        Selector("variant=min-max").choose(VARIED)
