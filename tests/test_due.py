"""What falls due: in order, once, at its own time, out of and into the states that the document names."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mock_server.contract import ContractError
from mock_server.engine import Engine
from mock_server.store import MemoryStore
from mock_server.vendor import Vendor


def advance(club, duration):
    answer = club.control.post("/clock", json={"advance": duration})
    assert answer.status_code == 200, answer.text
    return answer.json()


def join(club, name="Ada Example", **values):
    return club.api.post("/memberships", json={"name": name, **values}).json()


def happened(moved):
    return [(thing["at"], thing["key"], thing["name"], thing["from"], thing["to"]) for thing in moved["happened"]]


def test_a_trial_ends_at_its_own_time_whatever_the_clock_leaps_to(clubhouse):
    club = clubhouse()
    joined = join(club, trial_days=14)
    assert (joined["status"], joined["trial_end"]) == ("trial", "2026-04-27T10:21:00Z")

    assert happened(advance(club, "P13DT23H59M59S")) == []
    assert club.api.get("/memberships/mem_0001").json() == joined
    assert happened(advance(club, "P10D")) == [("2026-04-27T10:21:00Z", "mem_0001", "trial-end", "trial", "active")]
    assert club.api.get("/memberships/mem_0001").json()["period_end"] == "2026-05-27T10:21:00Z"


def test_things_happen_in_the_order_of_their_moments_and_then_of_their_making(clubhouse):
    club = clubhouse()
    for name, days in (("first", 20), ("second", 10), ("third", 20)):
        join(club, name, trial_days=days)
    keys = [thing["key"] for thing in advance(club, "P21D")["happened"]]
    assert keys == ["mem_0002", "mem_0001", "mem_0003"]


def test_what_one_thing_leads_to_happens_on_the_way(clubhouse):
    club = clubhouse(frozen=datetime(2026, 1, 17, tzinfo=UTC))
    join(club, trial_days=14)
    assert [thing["at"][:10] for thing in advance(club, "P5M")["happened"]] == [
        "2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31",
    ]  # fmt: skip


def test_what_was_called_off_does_not_happen(clubhouse):
    club = clubhouse()
    for _ in range(2):
        join(club, trial_days=14)
    assert club.api.post("/memberships/mem_0001/cancel").json()["status"] == "ended"
    assert club.api.delete("/memberships/mem_0002").status_code == 204
    assert happened(advance(club, "P1Y")) == []


def test_a_state_that_allows_it_is_asked_for(clubhouse):
    club = clubhouse()
    join(club)
    club.api.post("/memberships/mem_0001/cancel")
    refused = club.api.post("/memberships/mem_0001/cancel")
    assert (refused.status_code, refused.json()) == (
        409,
        {"problem": "The Membership is ended; this needs trial or active."},
    )


def test_each_tenant_s_records_are_its_own(clubhouse):
    club = clubhouse()
    join(club, trial_days=1)
    club.caller("club-two").post("/memberships", json={"name": "Ben Example", "trial_days": 1})
    assert [(thing["tenant"], thing["key"]) for thing in advance(club, "P1D")["happened"]] == [
        ("one", "mem_0001"),
        ("two", "mem_0002"),
    ]
    assert club.caller("club-two").get("/memberships/mem_0002").json()["status"] == "active"


def test_a_running_clock_brings_on_what_has_fallen_due_with_the_next_call(clubhouse):
    club = clubhouse(frozen=None)
    join(club, trial_days=1)
    advance(club, "PT23H59M59S")
    club.advance(seconds=2)  # as if the machine's clock had gone on
    assert club.api.get("/memberships/mem_0001").json()["status"] == "active"


def test_a_world_put_back_to_its_seed_waits_for_nothing(clubhouse):
    club = clubhouse()
    join(club, trial_days=1)
    club.control.post("/reset")
    assert happened(advance(club, "P1Y")) == []


def test_a_failed_step_leaves_nothing_and_is_said(clubhouse, caplog):
    def fail(space, record):
        space.change("Membership", record, {"periods": 7})
        raise ZeroDivisionError("no months")

    club = clubhouse(dues={("Membership", "trial-end"): fail})
    joined = join(club, trial_days=1)
    (thing,) = advance(club, "P1M")["happened"]
    assert (thing["failure"], thing["events"], thing["to"]) == ("ZeroDivisionError: no months", [], None)
    assert club.api.get("/memberships/mem_0001").json() == joined
    assert "trial-end of Membership mem_0001 failed" in caplog.text


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({}, "leaves it waiting"),
        ({"periods": 7}, "leaves it waiting"),
        ({"status": "ended"}, "leads to ended, which the document does not have"),
    ],
)
def test_a_step_that_the_document_does_not_allow_is_not_taken(clubhouse, values, why):
    club = clubhouse(
        dues={("Membership", "trial-end"): lambda space, record: space.change("Membership", record, values)}
    )
    joined = join(club, trial_days=1)
    (thing,) = advance(club, "P1M")["happened"]
    assert why in thing["failure"]
    assert club.api.get("/memberships/mem_0001").json() == joined


def test_what_the_document_says_whole_needs_no_function(clubhouse):
    club = clubhouse()
    del club.app.engines["club"].vendor.dues["Membership", "trial-end"]
    join(club, trial_days=1)
    advance(club, "P1D")
    assert club.api.get("/memberships/mem_0001").json()["status"] == "active"


def test_many_changes_of_one_record_leave_one_thing_to_wait_for(clubhouse):
    club = clubhouse()
    engine = club.app.engines["club"]
    key = join(club, trial_days=1)["id"]
    for minute in range(2500):
        record = engine.begin(club.world).get(("one", "Membership"), key)
        changed = {
            **record,
            "trial_end": f"2027-01-{1 + minute // 1440:02}T{minute // 60 % 24:02}:{minute % 60:02}:00Z",
        }
        engine.timeline.rewrite(club.world, "one", "Membership", record, changed)
    join(club, trial_days=1)
    assert len(engine.worlds.agendas[club.world].entries) < 1100
    assert [thing["at"] for thing in advance(club, "P9M")["happened"] if thing["key"] == key][:1] == [
        "2027-01-02T17:39:00Z"
    ]


@pytest.mark.parametrize(
    ("register", "why"),
    [
        (lambda vendor: vendor.due("Membership", "flight")(lambda space, record: None), "flight of Membership"),
        (lambda vendor: vendor.event("membership.flown")(lambda space, event, record: {}), "membership.flown"),
        (lambda vendor: vendor.waits.update({"fly": None}), "fly"),
    ],
)  # fmt: skip
def test_what_the_document_lacks_is_an_error_at_the_start(clubhouse, register, why):
    engine = clubhouse().app.engines["club"]
    vendor = Vendor("club")
    register(vendor)
    with pytest.raises(ContractError, match=why):
        Engine(engine.contract, vendor, engine.fixtures, MemoryStore())
