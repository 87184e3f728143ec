"""What a record that is there says of a condition: that it matches, that it does not, or nothing that a contract would settle."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.specimens import matches


@pytest.mark.parametrize(
    ("have", "operator", "want", "verdict"),
    [
        ("Ada", "$equals", "Ada", True),
        ("Ada", "$equals", "Bob", False),
        ("ADA", "$equals", "Ada", None),
        ("Ada", "$not_equals", "Ada", False),
        ("ADA", "$not_equals", "Ada", None),
        ("Ada Example", "$starts", "Ada", True),
        ("Ada Example", "$starts", "Example", False),
        ("ada example", "$starts", "Ada", None),
        ("Ada", "$in", ["Ada", "Bob"], True),
        ("ada", "$not_in", ["Ada", "Bob"], None),
        ("Adá", "$equals", "Ada", False),
        (7, "$lt", 10, True),
        (100, "$lt", 30, False),
        ("7", "$lt", 10, None),
        (None, "$equals", "Ada", False),
        (None, "$not_equals", "Ada", None),
        (None, "$is_null", True, True),
        ("Ada", "$is_null", True, False),
        ("Ada", "$not_null", True, True),
    ],
)
def test_whether_a_value_matches(have: Any, operator: str, want: Any, verdict: bool | None) -> None:
    assert matches({"name": have}, {"name": {operator: want}}) is verdict


def test_what_is_not_shown_says_nothing_and_one_column_that_does_not_match_is_enough() -> None:
    assert matches({}, {"name": {"$equals": "Ada"}}) is None
    both = {"name": {"$equals": "Ada"}, "credit": {"$gte": 1, "$lte": 3}}
    assert matches({"name": "Ada", "credit": 2}, both) is True
    assert matches({"credit": 9}, both) is False
