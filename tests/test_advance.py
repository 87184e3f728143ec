"""The clock of a world: moved, frozen, let go; what falls due on the way is listed."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from mock_server import advance


def move(club, **body):
    return club.control.post("/clock", json=body)


def now(club):
    return club.control.get("/clock").json()


def test_a_clock_is_advanced_by_the_calendar(clubhouse):
    club = clubhouse(frozen=datetime(2028, 1, 31, tzinfo=UTC))
    assert move(club, advance="P1M").json() == {
        "world": club.world, "now": "2028-02-29T00:00:00Z", "frozen": True, "complete": True, "happened": [],
    }  # fmt: skip
    assert now(club) == {"world": club.world, "now": "2028-02-29T00:00:00Z", "frozen": True}


def test_a_clock_is_moved_to_a_moment_of_any_zone(clubhouse):
    club = clubhouse()
    assert move(club, to="2031-01-01T01:00:00+01:00").json()["now"] == "2031-01-01T00:00:00Z"


def test_a_clock_goes_on_running_after_it_was_moved(clubhouse):
    club = clubhouse(frozen=None)
    before = datetime.now(UTC)
    assert not move(club, advance="P1D").json()["frozen"]
    seen = datetime.fromisoformat(now(club)["now"])
    assert timedelta(0) <= seen - before - timedelta(days=1) <= datetime.now(UTC) - before


def test_a_clock_is_frozen_and_runs_again(clubhouse):
    club = clubhouse(frozen=None)
    assert move(club, freeze="2030-06-01T12:00:00Z").json()["frozen"]
    assert now(club)["now"] == now(club)["now"] == "2030-06-01T12:00:00Z"
    assert not move(club, resume=True).json()["frozen"]
    passed = datetime.fromisoformat(now(club)["now"]) - datetime(2030, 6, 1, 12, tzinfo=UTC)
    assert timedelta(0) <= passed < timedelta(minutes=1)
    assert move(club, freeze=True).json()["frozen"]
    assert now(club) == now(club)


def test_a_clock_is_frozen_in_the_past_and_nothing_is_undone(clubhouse):
    club = clubhouse()
    club.api.post("/memberships", json={"name": "Ada Example", "trial_days": 1})
    move(club, advance="P1D")
    assert move(club, freeze="2020-01-01T00:00:00Z").json()["happened"] == []
    assert club.api.get("/memberships/mem_0001").json()["status"] == "active"


@pytest.mark.parametrize(
    ("body", "pointer", "rule"),
    [
        ({"advance": "1 month"}, "/advance", "duration"),
        ({"advance": "P9000Y"}, "/advance", "maximum"),
        ({"to": "2020-01-01T00:00:00Z"}, "/to", "minimum"),
        ({"to": "2026-02-30T00:00:00Z"}, "/to", "format"),
        ({"freeze": "0001-01-01T00:00:00+23:00"}, "/freeze", "format"),
        ({"freeze": False}, "/freeze", "oneOf"),
        ({"resume": False}, "/resume", "enum"),
        ({}, "", "minProperties"),
        ({"advance": "P1D", "resume": True}, "", "maxProperties"),
        ({"leap": "P1D"}, "/leap", "additionalProperties"),
    ],
)
def test_what_makes_no_sense_is_refused_and_the_clock_stays(clubhouse, body, pointer, rule):
    club = clubhouse()
    before, answer = now(club), move(club, **body)
    assert answer.status_code == 422, answer.text
    assert (pointer, rule) in [(found["pointer"], found["rule"]) for found in answer.json()["violations"]]
    assert now(club) == before


def test_worlds_have_clocks_of_their_own(clubhouse):
    club = clubhouse()
    move(club, advance="P1Y")
    other = club.client("/_mock", {"X-Mock-World": "another"})
    assert other.get("/clock").json()["now"] == "2026-04-13T10:21:00Z"
    club.control.post("/reset")
    assert now(club)["now"] == "2026-04-13T10:21:00Z"


def test_all_vendors_of_a_world_have_one_clock(sandbox):
    one = sandbox("wispgate")
    move(one, advance="P30D")
    seen = one.client("/wispgate", {"Authorization": "Bearer wispgate-sandbox-001"}).post(
        "/api/v1/subscribers", json={"full_name": "Ada Example", "status": "active"}
    )
    assert seen.json()["data"]["created_at"] == "2026-05-13T10:21:00Z"


def test_years_far_ahead_take_one_call_and_are_the_same_again(clubhouse):
    answers = []
    for _ in range(2):
        club = clubhouse(frozen=datetime(2024, 1, 31, tzinfo=UTC))
        for index in range(20):
            club.api.post("/memberships", json={"name": f"Person {index}", "trial_days": index})
        moved = move(club, advance="P10Y")
        answers.append((re.sub(club.world, "", moved.text), club.api.get("/memberships").content))
    assert answers[0] == answers[1]
    memberships = httpx.Response(200, content=answers[0][1]).json()["memberships"]
    assert [membership["periods"] for membership in memberships] == [120, *[119] * 19]
    assert memberships[0]["period_end"] == "2034-02-28T00:00:00Z"


def test_more_than_the_most_things_are_left_for_the_next_move(clubhouse, monkeypatch):
    monkeypatch.setattr(advance, "MOST", 10)
    club = clubhouse(frozen=datetime(2024, 1, 31, tzinfo=UTC))
    club.api.post("/memberships", json={"name": "Ada Example"})
    first = move(club, to="2025-01-31T00:00:00Z").json()
    assert (first["complete"], first["now"], len(first["happened"])) == (False, "2024-11-30T00:00:00Z", 10)
    second = move(club, to="2025-01-31T00:00:00Z").json()
    assert (second["complete"], second["now"], len(second["happened"])) == (True, "2025-01-31T00:00:00Z", 2)


def test_others_are_served_while_a_clock_is_on_its_way(clubhouse, monkeypatch):
    monkeypatch.setattr(advance, "SLICE", 0)
    club = clubhouse(frozen=datetime(2024, 1, 31, tzinfo=UTC))
    for index in range(50):
        club.api.post("/memberships", json={"name": f"Person {index}"})
    world, url = {"X-Mock-World": club.world}, "http://sandbox.example.com"
    bearer = {**world, "Authorization": "Bearer club-one"}
    moved, seen, clock, again = club.send_together(
        httpx.Request("POST", f"{url}/_mock/clock", headers=world, json={"advance": "P1Y"}),
        httpx.Request("GET", f"{url}/club/memberships/mem_0001", headers=bearer),
        httpx.Request("GET", f"{url}/_mock/clock", headers=world),
        httpx.Request("POST", f"{url}/_mock/clock", headers=world, json={"advance": "P1Y"}),
    )
    assert len(moved.json()["happened"]) == 600
    assert seen.json()["periods"] < 12
    assert "2024-01-31" <= clock.json()["now"][:10] < "2025-01-31"
    assert (again.json()["now"], len(again.json()["happened"])) == ("2026-01-31T00:00:00Z", 600)


def test_a_move_that_is_broken_off_leaves_the_clock_at_the_last_thing_that_happened(clubhouse, monkeypatch):
    monkeypatch.setattr(advance, "SLICE", 0)
    club = clubhouse(frozen=datetime(2024, 1, 31, tzinfo=UTC))
    club.api.post("/memberships", json={"name": "Ada Example"})
    engine = club.app.engines["club"]

    async def break_off() -> None:
        clock = engine.clock(engine.begin(club.world))
        moving = asyncio.ensure_future(
            advance.move(
                [engine], club.world, advance.Order(clock, clock.now(), datetime(2030, 1, 1, tzinfo=UTC), True)
            )
        )
        for _ in range(5):
            await asyncio.sleep(0)
        moving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await moving

    asyncio.run(break_off())
    membership = club.api.get("/memberships/mem_0001").json()
    assert 0 < membership["periods"] < 60
    assert now(club)["now"] == engine.clock(engine.begin(club.world)).now().isoformat()[:-6] + "Z"
    move(club, to="2025-01-31T00:00:00Z")
    assert club.api.get("/memberships/mem_0001").json()["periods"] == 12
