"""A value that isn't accepted: the message names it, a near match, and what there is."""

import pytest

from manifests.errors import InputError
from manifests.suggest import check, nearest, unknown


def test_an_accepted_value_comes_back() -> None:
    assert check("tier", "quick", ["quick", "paper"], InputError) == "quick"


def test_numbers_are_looked_up_as_numbers() -> None:
    assert check("batch size", 8, [8, 32], InputError) == 8
    with pytest.raises(InputError, match=r"^no batch size '9'\. Accepted: 1, 32$"):
        check("batch size", 9, [1, 32], InputError)


def test_the_message_names_the_value_a_near_match_and_the_choices() -> None:
    with pytest.raises(InputError) as raised:
        check("tier", "quik", ["quick", "paper"], InputError, before="lad2023 has ", after=" here")
    expected = "lad2023 has no tier 'quik' here. Did you mean 'quick'? Accepted: quick, paper"
    assert str(raised.value) == expected


def test_nothing_near_is_no_suggestion() -> None:
    assert nearest("zzz", ["quick", "paper"]) == ""


def test_where_there_is_nothing_it_says_none() -> None:
    assert unknown("run", "x", []) == "no run 'x'. Accepted: none"


def test_choices_in_other_words() -> None:
    said = unknown("claim", "spede", ["speed", "size"], choices="C1, C2, or one of: speed, size")
    near = "Did you mean 'speed'? Accepted: C1, C2, or one of: speed, size"
    assert said == f"no claim 'spede'. {near}"
