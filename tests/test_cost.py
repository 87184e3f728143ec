"""No path of the mock costs noticeably more calls, steps or memory than the budget of the benchmarks says. No clock is asked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench import cost

ROOT = Path(__file__).parent.parent
BUDGET, OWN = cost.budget()
pytestmark = pytest.mark.xdist_group("cost")


@pytest.fixture(scope="module")
def found() -> dict[str, cost.Cost]:
    return cost.counted()


@pytest.mark.parametrize("path", BUDGET)
def test_a_path_stays_within_its_budget(path: str, found: dict[str, cost.Cost]) -> None:
    assert cost.objections(BUDGET[path], found[path], own=OWN) == [], path


def test_every_path_that_is_counted_has_a_budget(found: dict[str, cost.Cost]) -> None:
    assert set(found) == set(BUDGET)


def test_counts_are_the_same_each_time(found: dict[str, cost.Cost]) -> None:
    again = cost.counted()
    assert {name: (value.calls, value.steps) for name, value in again.items()} == {
        name: (value.calls, value.steps) for name, value in found.items()
    }


@pytest.mark.parametrize(
    ("waste", "unit"),
    [
        ("for _ in range(20): pass", "steps"),
        ("[len(()) for _ in range(20)]", "calls"),
        ("bytearray(100_000)", "bytes"),
        ("pass", None),
    ],
)
def test_waste_on_a_path_is_noticed(waste: str, unit: str | None) -> None:
    program = f"""
import functools
from bench import cost
from bench.inprocess import prepare
async def app(scope, receive, send):
    await receive()
    text = ''.join(str(number) for number in range(20))
    await send({{'type': 'http.response.start', 'status': 200, 'headers': []}})
    await send({{'type': 'http.response.body', 'body': text.encode() + bytes(5000)}})
async def wasteful(scope, receive, send):
    {waste}
    await app(scope, receive, send)
async def plain(scope, receive, send):
    pass
    await app(scope, receive, send)
make = functools.partial(prepare, 'GET', '/', {{}})
for objection in cost.objections(cost.cost(plain, make), cost.cost(wasteful, make)):
    print(objection)
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    if unit is None:
        assert done.stdout == ""
    else:
        assert f" {unit}, +" in done.stdout


def test_a_budget_far_above_the_cost_is_out_of_date() -> None:
    assert cost.objections(cost.Cost(100, 100, 100), cost.Cost(100, 60, 100)) == [
        "60 steps, so much less than the 100 budgeted that `python -m bench.cost --update` is due"
    ]
    assert cost.objections(cost.Cost(100, 100, 100), cost.Cost(104, 96, 115)) == []


def test_a_python_without_a_budget_of_its_own_is_held_to_another_loosely() -> None:
    allowed, own = cost.budget("2.7")
    assert allowed == BUDGET
    assert not own
    assert cost.objections(cost.Cost(100, 100, 100), cost.Cost(150, 20, 150), own=False) == []
    assert cost.objections(cost.Cost(100, 100, 100), cost.Cost(170, 100, 100), own=False) != []
