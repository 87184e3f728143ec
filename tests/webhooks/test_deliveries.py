"""Deliveries: who is told what, trouble on purpose, the log, and sending again; into the sink, without a socket."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest

from mock_server.webhooks import deliveries


def endpoint(club, **values):
    answer = club.control.post("/webhooks/endpoints", json={"vendor": "club", "url": "sink:", **values})
    assert answer.status_code == 201, answer.text
    return answer.json()


def join(club, name="Ada Example", **values):
    return club.api.post("/memberships", json={"name": name, **values}).json()


def received(club, **query):
    return club.control.get("/webhooks/sink", params=query).json()["received"]


def names(club):
    return [json.loads(mail["body"])["name"] for mail in received(club)]


def log(club, **query):
    return club.control.get("/webhooks/deliveries", params=query).json()["deliveries"]


def trouble(club, kind, **values):
    answer = club.control.post("/webhooks/trouble", json={"kind": kind, **values})
    assert answer.status_code == 201, answer.text
    return answer.json()


# Endpoints ------------------------------------------------------------------------------------------------------------


def test_an_endpoint_shows_its_secret_once(clubhouse):
    club = clubhouse()
    made = endpoint(club)
    assert made["secret"].startswith("whsec_")
    listed = club.control.get("/webhooks/endpoints").json()["endpoints"]
    assert listed == [{name: value for name, value in made.items() if name != "secret"}]
    assert made["retries"] == list(deliveries.RETRIES)


def test_an_endpoint_is_told_of_the_events_it_names(clubhouse):
    club = clubhouse()
    some, every = endpoint(club, events=["membership.moved"]), endpoint(club)
    join(club)
    club.api.post("/memberships/mem_0001/cancel")
    assert [mail["event"] for mail in received(club, endpoint=some["id"])] == ["membership.moved"]
    assert [mail["event"] for mail in received(club, endpoint=every["id"])] == [
        "membership.created",
        "membership.moved",
    ]


def test_an_endpoint_that_is_gone_is_told_nothing(clubhouse):
    club = clubhouse()
    made = endpoint(club)
    trouble(club, "delay", delay="P1D")
    join(club)
    assert club.control.delete(f"/webhooks/endpoints/{made['id']}").status_code == 204
    assert club.control.delete(f"/webhooks/endpoints/{made['id']}").status_code == 404
    join(club)
    club.control.post("/clock", json={"advance": "P2D"})
    assert received(club) == []
    assert [delivery["status"] for delivery in log(club)] == ["failed"]


@pytest.mark.parametrize(
    ("values", "status", "pointer"),
    [
        ({"vendor": "nobody"}, 404, "/vendor"),
        ({"url": "https://example.com/hooks"}, 422, "/url"),
        ({"url": "http://localhost.example.com/"}, 422, "/url"),
        ({"url": "http://user:word@localhost/"}, 422, "/url"),
        ({"url": "http://127.0.0.1\\@example.com/"}, 422, "/url"),
        ({"url": "http://localhost:99999/"}, 422, "/url"),
        ({"url": "file:///etc/hostname"}, 422, "/url"),
        ({"url": "sink:elsewhere"}, 422, "/url"),
        ({"events": ["membership.flown"]}, 422, "/events/0"),
        ({"retries": ["PT1M", "soon"]}, 422, "/retries/1"),
        ({"secret": ""}, 422, "/secret"),
        ({"colour": "blue"}, 422, "/colour"),
    ],
)
def test_an_endpoint_that_makes_no_sense_is_refused(clubhouse, values, status, pointer):
    club = clubhouse()
    answer = club.control.post("/webhooks/endpoints", json={"vendor": "club", "url": "sink:", **values})
    assert (answer.status_code, [found["pointer"] for found in answer.json()["violations"]]) == (status, [pointer])
    assert club.control.get("/webhooks/endpoints").json() == {"endpoints": []}


@pytest.mark.parametrize(
    "url", ["http://localhost:9000/x", "https://127.0.0.1/", "http://[::1]:80/", "http://hooks.example.com/"]
)
def test_this_host_and_those_that_were_named_may_be_called(url):
    assert deliveries.is_allowed(url, frozenset({"hooks.example.com"}))


# The sink -------------------------------------------------------------------------------------------------------------


def test_the_sink_shows_what_would_go_over_the_wire(clubhouse):
    club = clubhouse()
    made = endpoint(club, secret="sandbox-secret")
    joined = join(club)
    (mail,) = received(club)
    assert json.loads(mail["body"]) == joined
    signature = hmac.new(b"sandbox-secret", mail["body"].encode(), hashlib.sha256).hexdigest()
    assert (mail["headers"]["X-Club-Signature"], mail["headers"]["X-Club-Key"]) == (signature, "sandbox-secret")
    assert (mail["endpoint"], mail["at"]) == (made["id"], "2026-04-13T10:21:00Z")
    (delivery,) = log(club)
    assert (delivery["id"], delivery["status"], delivery["attempts"][0]["request"]["headers"]["X-Club-Key"]) == (
        mail["delivery"],
        "delivered",
        "***",
    )


def test_the_sink_is_emptied_and_the_log_stays(clubhouse):
    club = clubhouse()
    endpoint(club)
    join(club)
    assert club.control.delete("/webhooks/sink").status_code == 204
    assert (received(club), len(log(club))) == ([], 1)


def test_worlds_and_tenants_are_told_apart(clubhouse):
    club = clubhouse()
    endpoint(club)
    join(club, "Ada Example")
    club.caller("club-two").post("/memberships", json={"name": "Ben Example"})
    assert [(delivery["tenant"], delivery["key"]) for delivery in log(club)] == [
        ("one", "mem_0001"),
        ("two", "mem_0002"),
    ]
    assert club.client("/_mock", {"X-Mock-World": "another"}).get("/webhooks/sink").json() == {"received": []}
    club.control.post("/reset")
    assert (received(club), log(club), club.control.get("/webhooks/endpoints").json()) == ([], [], {"endpoints": []})


def test_only_the_last_are_kept(clubhouse, monkeypatch):
    monkeypatch.setattr(deliveries, "KEPT", 3)
    club = clubhouse()
    endpoint(club)
    for index in range(6):
        join(club, f"Person {index}")
    assert (names(club), len(log(club))) == (["Person 3", "Person 4", "Person 5"], 3)


# Trouble --------------------------------------------------------------------------------------------------------------


def test_a_dropped_one_is_never_sent(clubhouse):
    club = clubhouse()
    endpoint(club)
    trouble(club, "drop", times=2)
    for name in ("first", "second", "third"):
        join(club, name)
    assert names(club) == ["third"]
    assert [delivery["status"] for delivery in log(club)] == ["dropped", "dropped", "delivered"]


def test_a_delayed_one_comes_when_the_clock_has_come_so_far(clubhouse):
    club = clubhouse()
    endpoint(club)
    trouble(club, "delay", delay="PT5M")
    join(club, "late")
    join(club, "early")
    assert names(club) == ["early"]
    assert log(club, status="waiting")[0]["next_attempt_at"] == "2026-04-13T10:26:00Z"
    moved = club.control.post("/clock", json={"advance": "PT1H"}).json()
    assert [(mail["at"], json.loads(mail["body"])["name"]) for mail in received(club)][1:] == [
        ("2026-04-13T10:26:00Z", "late")
    ]
    (thing,) = moved["happened"]
    assert (thing["vendor"], thing["resource"], thing["name"], thing["to"]) == (
        "_mock",
        "Delivery",
        "retry",
        "delivered",
    )


def test_a_duplicated_one_comes_twice(clubhouse):
    club = clubhouse()
    endpoint(club)
    trouble(club, "duplicate")
    join(club)
    first, second = received(club)
    assert first["body"] == second["body"]


def test_a_reordered_one_comes_after_the_next(clubhouse):
    club = clubhouse()
    endpoint(club)
    trouble(club, "reorder")
    for name in ("first", "second", "third"):
        join(club, name)
    assert names(club) == ["second", "first", "third"]


def test_a_tampered_one_has_a_signature_that_is_wrong(clubhouse):
    club = clubhouse()
    endpoint(club, secret="sandbox-secret")
    trouble(club, "tamper", event="membership.created")
    join(club)
    (mail,) = received(club)
    assert (
        mail["headers"]["X-Club-Signature"]
        != hmac.new(b"sandbox-secret", mail["body"].encode(), hashlib.sha256).hexdigest()
    )


def test_trouble_meets_only_what_it_names(clubhouse):
    club = clubhouse()
    spared, met = endpoint(club), endpoint(club)
    trouble(club, "drop", endpoint=met["id"], event="membership.moved", vendor="club")
    join(club)
    club.api.post("/memberships/mem_0001/cancel")
    assert [len(received(club, endpoint=one["id"])) for one in (spared, met)] == [2, 1]


@pytest.mark.parametrize(
    ("values", "status", "pointer"),
    [
        ({"kind": "delay"}, 422, "/delay"),
        ({"kind": "delay", "delay": "a while"}, 422, "/delay"),
        ({"kind": "burn"}, 422, "/kind"),
        ({"kind": "drop", "vendor": "nobody"}, 404, "/vendor"),
        ({"kind": "drop", "endpoint": "we_9"}, 404, "/endpoint"),
    ],
)
def test_trouble_that_makes_no_sense_is_refused(clubhouse, values, status, pointer):
    answer = clubhouse().control.post("/webhooks/trouble", json=values)
    assert (answer.status_code, [found["pointer"] for found in answer.json()["violations"]]) == (status, [pointer])


# The log and sending again --------------------------------------------------------------------------------------------


def test_the_log_is_asked_for_a_part(clubhouse):
    club = clubhouse()
    endpoint(club)
    for _ in range(3):
        join(club)
    club.control.post("/clock", json={"advance": "P1D"})
    club.api.post("/memberships/mem_0001/cancel")
    assert len(log(club, event="membership.created")) == 3
    assert len(log(club, since="2026-04-14T00:00:00Z")) == 1
    assert [delivery["id"] for delivery in log(club, limit=2, offset=1)] == ["wd_2", "wd_3"]
    assert club.control.get("/webhooks/deliveries", params={"limit": 1}).json()["total"] == 4
    assert club.control.get("/webhooks/deliveries", params={"since": "yesterday"}).status_code == 400


def test_one_is_sent_again(clubhouse):
    club = clubhouse()
    made = endpoint(club)
    join(club)
    again = club.control.post("/webhooks/deliveries/wd_1/resend")
    assert (again.status_code, again.json()["resend_of"], again.json()["status"]) == (201, "wd_1", "delivered")
    first, second = received(club)
    assert first["body"] == second["body"]
    assert club.control.post("/webhooks/deliveries/wd_9/resend").status_code == 404
    club.control.delete(f"/webhooks/endpoints/{made['id']}")
    assert club.control.post("/webhooks/deliveries/wd_1/resend").status_code == 409


def test_everything_since_a_moment_is_sent_again_once(clubhouse):
    club = clubhouse()
    endpoint(club)
    join(club, "before")
    club.control.post("/clock", json={"advance": "P1D"})
    for name in ("first", "second"):
        join(club, name)
    for _ in range(2):
        resent = club.control.post("/webhooks/resend", json={"since": "2026-04-14T00:00:00Z"})
        assert (resent.status_code, len(resent.json()["deliveries"])) == (201, 2)
    assert names(club) == ["before", "first", "second", "first", "second", "first", "second"]
    assert club.control.post("/webhooks/resend", json={"since": "2026-02-30T00:00:00Z"}).status_code == 422
