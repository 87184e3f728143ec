"""Events: the changes of a step give off what the document says, once each, and no body leaves that the document does not describe."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest


def with_endpoint(club):
    """A world that has someone to tell."""
    assert club.control.post("/webhooks/endpoints", json={"vendor": "club", "url": "sink:"}).status_code == 201
    return club


def received(club):
    return club.control.get("/webhooks/sink").json()["received"]


def told(club):
    return [(mail["event"], mail["at"], json.loads(mail["body"])["id"]) for mail in received(club)]


def join(club, **values):
    return club.api.post("/memberships", json={"name": "Ada Example", **values}).json()


def test_every_change_gives_off_its_event_once_and_at_its_time(clubhouse):
    club = with_endpoint(clubhouse(frozen=datetime(2026, 1, 17, tzinfo=UTC)))
    join(club, trial_days=14)
    moved = club.control.post("/clock", json={"advance": "P2M"}).json()
    club.api.post("/memberships/mem_0001/cancel")
    club.api.delete("/memberships/mem_0001")
    assert told(club) == [
        ("membership.created", "2026-01-17T00:00:00Z", "mem_0001"),
        ("membership.moved", "2026-01-31T00:00:00Z", "mem_0001"),
        ("membership.renewed", "2026-01-31T00:00:00Z", "mem_0001"),
        ("membership.renewed", "2026-02-28T00:00:00Z", "mem_0001"),
        ("membership.moved", "2026-03-17T00:00:00Z", "mem_0001"),
        ("membership.deleted", "2026-03-17T00:00:00Z", "mem_0001"),
    ]
    assert [thing["events"] for thing in moved["happened"]] == [
        ["membership.moved", "membership.renewed"],
        ["membership.renewed"],
    ]


def test_the_body_is_the_record_as_it_was_then(clubhouse):
    club = with_endpoint(clubhouse())
    joined = join(club)
    club.api.post("/memberships/mem_0001/cancel")
    bodies = [json.loads(mail["body"]) for mail in received(club)]
    assert bodies == [joined, {**joined, "status": "ended"}]


def test_what_is_refused_or_only_read_gives_off_nothing(clubhouse):
    club = with_endpoint(clubhouse())
    join(club)
    club.api.post("/memberships/mem_0001/cancel")
    before = told(club)
    club.api.post("/memberships/mem_0001/cancel")
    club.api.get("/memberships/mem_0001")
    club.api.post("/memberships", json={})
    assert told(club) == before


def test_without_anyone_to_tell_nothing_is_kept(clubhouse):
    club = clubhouse()
    join(club, trial_days=1)
    moved = club.control.post("/clock", json={"advance": "P1D"}).json()
    assert club.control.get("/webhooks/deliveries").json() == {"deliveries": [], "total": 0}
    assert moved["happened"][0]["events"] == ["membership.moved", "membership.renewed"]


def test_a_body_that_the_document_does_not_describe_never_leaves_and_nothing_is_changed(clubhouse, caplog):
    club = with_endpoint(
        clubhouse(events={"membership.created": lambda space, event, record: {**record, "status": "lost"}})
    )
    answer = club.api.post("/memberships", json={"name": "Ada Example"})
    assert answer.status_code == 500
    assert "the webhook membership.created is not as the document has it: /status" in caplog.text
    assert (told(club), club.api.get("/memberships").json()) == ([], {"memberships": []})


@pytest.mark.parametrize("name", ["membership.created", "membership.moved"])
def test_a_vendor_s_function_is_given_the_event_and_what_the_record_was(clubhouse, name):
    seen = []

    def body(space, event, record):
        seen.append((event.name, event.at, event.was and event.was["status"], record["status"], space.tenant))
        return record

    club = with_endpoint(clubhouse(events={name: body}))
    join(club)
    club.api.post("/memberships/mem_0001/cancel")
    moment = datetime(2026, 4, 13, 10, 21, tzinfo=UTC)
    expected = {
        "membership.created": [("membership.created", moment, None, "active", "one")],
        "membership.moved": [("membership.moved", moment, "active", "ended", "one")],
    }
    assert seen == expected[name]
