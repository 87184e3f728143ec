"""Deliveries: what is to be sent to which endpoint, in which state, and what came of every attempt.

All of it are records of the control API's contract, so that a retry falls due like anything else.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from mock_server.clock import iso
from mock_server.contract import Contract
from mock_server.durations import Duration
from mock_server.events import Told
from mock_server.store import StoredRecord
from mock_server.vendor import Space
from mock_server.webhooks import messages

SINK = "sink:"
"""The address of the built-in receiver."""
RETRIES = ("PT1M", "PT5M", "PT30M", "PT2H", "PT12H")
"""How long after a failed attempt the next one is made, on the world's clock; after the last, the delivery has failed."""
KEPT = 10_000
"""Deliveries of a world, and messages in its sink, that are kept; beyond them the oldest go."""
Attempt = Mapping[str, Any]
"""`request` (method, url, headers), `response` (status, headers, body) or `error`."""


def post(space: Space, contract: Contract, told: Told) -> None:
    """Make the deliveries of an event of a vendor, one for each endpoint that wants it."""
    webhook = contract.webhooks[told.event]
    content: str | None = None
    for endpoint in space.scan("Endpoint", {"vendor": contract.name}):
        if endpoint["events"] and told.event not in endpoint["events"]:
            continue
        if content is None:
            content = messages.encode(webhook.media, told.body).decode()
        values = {
            "vendor": contract.name,
            "endpoint": endpoint["id"],
            "event": told.event,
            "at": iso(told.at),
            "tenant": told.tenant,
            "resource": told.resource,
            "key": str(told.key),
            "media": webhook.media,
            "body": content,
            "resend_of": None,
        }
        _dispatch(space, contract, endpoint, values)


def again(space: Space, contract: Contract, delivery: StoredRecord) -> StoredRecord | None:
    """Send a delivery once more, as a new one, whatever trouble is planned; None where its endpoint is gone."""
    endpoint = space.find("Endpoint", delivery["endpoint"])
    if endpoint is None:
        return None
    same = ("vendor", "endpoint", "event", "at", "tenant", "resource", "key", "media", "body")
    values = {name: delivery[name] for name in same}
    return _make(space, contract, endpoint, {**values, "resend_of": delivery["id"]}, "queued")


def _dispatch(space: Space, contract: Contract, endpoint: StoredRecord, values: Mapping[str, Any]) -> None:
    """Make a delivery, or what planned trouble makes of it."""
    trouble = _trouble(space, endpoint, values["event"])
    kind = trouble["kind"] if trouble else None
    if kind == "reorder":
        _make(space, contract, endpoint, values, "held")
        return
    if kind == "drop":
        _make(space, contract, endpoint, values, "dropped")
    elif kind == "delay":
        assert trouble is not None, "it is a delay"
        moment = iso(Duration.parse(trouble["delay"]).after(space.now))
        _make(space, contract, endpoint, {**values, "next_attempt_at": moment}, "waiting")
    else:
        for _ in range(2 if kind == "duplicate" else 1):
            _make(space, contract, endpoint, {**values, "tampered": kind == "tamper"}, "queued")
    for held in list(space.scan("Delivery", {"held": endpoint["id"]})):
        # One that is put again stands at the end of the order.
        space.remove("Delivery", held)
        released = {**held, "status": "queued", "held": None, "queue": endpoint["id"]}
        space.transaction.put(space.table("Delivery"), held["id"], released)
        _arrive(space, contract, endpoint, space.require("Delivery", held["id"]))


def _trouble(space: Space, endpoint: StoredRecord, event: str) -> StoredRecord | None:
    """The first trouble planned for such a delivery; it has one time less to come."""
    for trouble in space.scan("Trouble"):
        fits = trouble["vendor"] in (None, endpoint["vendor"]) and trouble["endpoint"] in (None, endpoint["id"])
        if fits and trouble["event"] in (None, event):
            if trouble["times"] > 1:
                space.change("Trouble", trouble, {"times": trouble["times"] - 1})
            else:
                space.remove("Trouble", trouble)
            return trouble
    return None


def _make(
    space: Space, contract: Contract, endpoint: StoredRecord, values: Mapping[str, Any], status: str
) -> StoredRecord:
    begun = {"next_attempt_at": None, "tampered": False, "attempts": [], "queue": None, "held": None, **values}
    begun["status"] = status
    if status == "held":
        begun["held"] = endpoint["id"]
    _forget_old(space, "Delivery")
    if status != "queued":
        return space.create("Delivery", begun)
    if endpoint["url"] != SINK:
        return space.create("Delivery", {**begun, "queue": endpoint["id"]})
    sent, attempt = _received(space, contract, endpoint, begun)
    delivery = space.create("Delivery", {**begun, "status": "delivered", "attempts": [attempt]})
    _keep(space, delivery, sent)
    return delivery


def _received(
    space: Space, contract: Contract, endpoint: StoredRecord, delivery: Mapping[str, Any]
) -> tuple[dict[str, str], dict[str, Any]]:
    """What the sink gets of a delivery: its headers, and the attempt as the log has it."""
    content = delivery["body"].encode()
    sent = messages.headers(contract, delivery["media"], content, endpoint["secret"], tampered=delivery["tampered"])
    request = {"method": "POST", "url": endpoint["url"], "headers": messages.shown(contract, sent)}
    return sent, _attempt(space, {"request": request, "response": {"status": 200, "headers": {}, "body": ""}})


def _keep(space: Space, delivery: StoredRecord, sent: Mapping[str, str]) -> None:
    """Put a delivery into the sink."""
    _forget_old(space, "Received")
    kept = {"delivery": delivery["id"], **{name: delivery[name] for name in ("vendor", "endpoint", "event")}}
    space.create("Received", {**kept, "at": iso(space.now), "headers": sent, "body": delivery["body"]})


def _forget_old(space: Space, resource: str) -> None:
    """Make room for another: the oldest goes, and two where there are too many."""
    over = space.count(resource) - KEPT + 1
    for record in list(space.scan(resource, limit=min(over, 2))) if over > 0 else ():
        space.remove(resource, record)


def retry(space: Space, contract: Contract, delivery: StoredRecord) -> None:
    """Put a delivery whose time has come in the queue."""
    endpoint = space.find("Endpoint", delivery["endpoint"])
    if endpoint is None:
        space.change("Delivery", delivery, {"status": "failed", "next_attempt_at": None})
        return
    queued = space.change(
        "Delivery", delivery, {"status": "queued", "next_attempt_at": None, "queue": delivery["endpoint"]}
    )
    _arrive(space, contract, endpoint, queued)


def _arrive(space: Space, contract: Contract, endpoint: StoredRecord, delivery: StoredRecord) -> None:
    """Where a queued delivery is for the sink: it is there at once."""
    if endpoint["url"] == SINK:
        sent, attempt = _received(space, contract, endpoint, delivery)
        _keep(space, delivery, sent)
        attempted(space, delivery, endpoint, attempt)


def attempted(space: Space, delivery: StoredRecord, endpoint: StoredRecord, attempt: Attempt) -> StoredRecord:
    """Write down an attempt: delivered by any 2xx, else to be repeated, until the schedule of the endpoint is at its end."""
    attempts = [*delivery["attempts"], _attempt(space, attempt)]
    response = attempt.get("response")
    done = {"attempts": attempts, "queue": None, "next_attempt_at": None}
    if response is not None and 200 <= response["status"] < 300:
        return space.change("Delivery", delivery, {**done, "status": "delivered"})
    if len(attempts) > len(endpoint["retries"]):
        return space.change("Delivery", delivery, {**done, "status": "failed"})
    moment = Duration.parse(endpoint["retries"][len(attempts) - 1]).after(space.now)
    return space.change("Delivery", delivery, {**done, "status": "waiting", "next_attempt_at": iso(moment)})


def _attempt(space: Space, attempt: Attempt) -> dict[str, Any]:
    return {"at": iso(space.now), "response": None, "error": None, **attempt}


def forget_endpoint(space: Space, endpoint: StoredRecord) -> None:
    """What was still to be sent to an endpoint is not sent any more."""
    for status in ("queued", "waiting", "held"):
        for delivery in list(space.scan("Delivery", {"endpoint": endpoint["id"], "status": status})):
            changes = {"status": "failed", "queue": None, "held": None, "next_attempt_at": None}
            space.change("Delivery", delivery, changes)


def is_allowed(url: str, hosts: frozenset[str]) -> bool:
    """Whether an endpoint may be at an address: the sink, or http(s) on this host or one of those that the server was told of."""
    if url == SINK:
        return True
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or not host or parts.username is not None or "\\" in url:
        return False
    return host in LOCAL or host in hosts


LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
"""The names of this host."""


def since(delivery: StoredRecord, moment: datetime) -> bool:
    """Whether a delivery's event was at a moment or after it."""
    return datetime.fromisoformat(delivery["at"]) >= moment
