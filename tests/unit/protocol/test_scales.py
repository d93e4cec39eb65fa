from __future__ import annotations

import pytest

from annotation.protocol import Continuous, Level, Nominal, Ordinal, levels


def test_levels_count_from_first() -> None:
    assert [(level.code, level.label) for level in levels("I", "II", first=1)] == [(1, "I"), (2, "II")]


def test_a_levels_code_is_no_boolean() -> None:
    with pytest.raises(TypeError, match="True"):
        Level(True, "Yes")


@pytest.mark.parametrize(
    ("codes", "sentence"), [((1, 1), "ascend"), ((2, 1), "ascend"), ((1,), "1 levels"), (tuple(range(11)), "11 levels")]
)
def test_levels_ascend_and_fit_the_digit_keys(codes: tuple[int, ...], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Ordinal("Odd", tuple(Level(code, str(code)) for code in codes), source="Nowhere")


def test_a_scale_names_its_source() -> None:
    with pytest.raises(ValueError, match="no source"):
        Nominal("Orphan", levels("No", "Yes"), source=" ")
    with pytest.raises(ValueError, match="no source"):
        Continuous("Orphan", "mm", 0.0, 1.0, 1, source="")


def test_digit_keys_are_the_codes_where_they_are_digits() -> None:
    assert Ordinal("Zero", levels("a", "b"), source="x").keys() == {"0": 0, "1": 1}
    assert Ordinal("Below", levels("a", "b", "c", first=-1), source="x").keys() == {"1": -1, "2": 0, "3": 1}
    ten = Ordinal("Ten", levels(*"abcdefghij", first=1), source="x").keys()
    assert list(ten) == ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0"]


def test_level_by_code() -> None:
    scale = Ordinal("Two", levels("a", "b"), source="x")
    assert scale.level(1).label == "b"
    assert scale.highest == 1
    with pytest.raises(ValueError, match="no level 2"):
        scale.level(2)


def test_steps_are_the_floats_json_gives() -> None:
    scale = Continuous("Slip", "mm", -20.0, 60.0, 1, source="x")
    steps = list(scale.steps())
    assert len(steps) == 801
    assert (steps[0], steps[-1]) == (-20.0, 60.0)
    assert all(step == float(f"{step:.1f}") for step in steps)
    assert 8.2 in steps


@pytest.mark.parametrize(
    ("low", "high", "decimals", "sentence"),
    [(1.0, 1.0, 1, "no range"), (0.0, 1.0, 7, "decimals"), (0.05, 1.0, 1, "on a step"), (0.0, 9e5, 1, "steps")],
)
def test_a_range_that_cannot_be_is_refused(low: float, high: float, decimals: int, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Continuous("Odd", "mm", low, high, decimals, source="x")
