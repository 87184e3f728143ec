"""The part of the control API that is about webhooks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from mock_server.clock import iso, parsed
from mock_server.durations import Duration
from mock_server.engine import Engine
from mock_server.problems import Problem, Violation
from mock_server.store import StoredRecord
from mock_server.vendor import Answer, Call, Space, Vendor
from mock_server.webhooks import deliveries

Proceed = Callable[[Call], Any]


def register(vendor: Vendor, engines: Mapping[str, Engine], hosts: frozenset[str]) -> None:
    """Add to the control API's vendor what is done about webhooks; `hosts` are those besides this one that may be called."""

    @vendor.action("createEndpoint")
    def create_endpoint(call: Call, proceed: Proceed) -> Any:
        body = call.body
        engine = engines.get(body["vendor"])
        if engine is None:
            raise _unknown("vendor", "body", "vendor")
        found = [
            Violation("body", f"/events/{index}", "unknown", f"{body['vendor']} has no such event")
            for index, event in enumerate(body.get("events", ()))
            if event not in engine.contract.webhooks
        ]
        if not deliveries.is_allowed(body["url"], hosts):
            found.append(
                Violation(
                    "body",
                    "/url",
                    "host",
                    "is no http address on this host, nor on one named with --webhook-host, nor `sink:`",
                )
            )
        for index, text in enumerate(body.get("retries", ())):
            found.extend(_flaws(text, f"/retries/{index}"))
        if found:
            raise Problem("invalid", violations=tuple(found))
        values = {
            "events": [],
            "retries": list(deliveries.RETRIES),
            "secret": call.mint_id("whsec_{hex:32}"),
            "created_at": iso(call.now),
            **body,
        }
        return Answer(201, dict(call.create("Endpoint", values)))

    @vendor.action("listEndpoints")
    def list_endpoints(call: Call, proceed: Proceed) -> Any:
        return Answer(200, {"endpoints": call.listed(call.scan("Endpoint"))})

    @vendor.action("deleteEndpoint")
    def delete_endpoint(call: Call, proceed: Proceed) -> Any:
        deliveries.forget_endpoint(call, call.require("Endpoint", call.key()))
        return proceed(call)

    @vendor.action("listDeliveries")
    def list_deliveries(call: Call, proceed: Proceed) -> Any:
        query = call.input.query
        found = _since(call, call.scan("Delivery", _equal(query, "vendor", "endpoint", "event", "status")))
        start = query.get("offset", 0)
        page = found[start : start + query.get("limit", 100)]
        return Answer(200, {"deliveries": [_delivery(record) for record in page], "total": len(found)})

    @vendor.action("resendDelivery")
    def resend_delivery(call: Call, proceed: Proceed) -> Any:
        delivery = call.require("Delivery", call.key())
        sent = deliveries.again(call, engines[delivery["vendor"]].contract, delivery)
        if sent is None:
            raise Problem("state", "The endpoint of this delivery is gone.")
        return Answer(201, _delivery(sent))

    @vendor.action("resendDeliveries")
    def resend_deliveries(call: Call, proceed: Proceed) -> Any:
        first = [
            record
            for record in call.scan("Delivery", _equal(call.body, "vendor", "endpoint"))
            if record["resend_of"] is None
        ]
        made = [
            deliveries.again(call, engines[record["vendor"]].contract, record)
            for record in first
            if deliveries.since(record, _moment(call.body["since"], "body"))
        ]
        return Answer(201, {"deliveries": [_delivery(record) for record in made if record is not None]})

    @vendor.action("listReceived")
    def list_received(call: Call, proceed: Proceed) -> Any:
        found = _since(call, call.scan("Received", _equal(call.input.query, "vendor", "endpoint", "event")))
        return Answer(
            200, {"received": [{name: value for name, value in record.items() if name != "id"} for record in found]}
        )

    @vendor.action("emptySink")
    def empty_sink(call: Call, proceed: Proceed) -> Any:
        for record in list(call.scan("Received")):
            call.remove("Received", record)
        return Answer(204)

    @vendor.action("planTrouble")
    def plan_trouble(call: Call, proceed: Proceed) -> Any:
        blank = {"kind": None, "vendor": None, "endpoint": None, "event": None, "delay": None, "times": 1}
        body = {**blank, **call.body}
        if body["kind"] == "delay":
            if body["delay"] is None:
                raise Problem(
                    "missing", violations=(Violation("body", "/delay", "required", "is required of a delay"),)
                )
            if found := _flaws(body["delay"], "/delay"):
                raise Problem("invalid", violations=tuple(found))
        if body["vendor"] is not None and body["vendor"] not in engines:
            raise _unknown("vendor", "body", "vendor")
        if body["endpoint"] is not None and call.find("Endpoint", body["endpoint"]) is None:
            raise _unknown("endpoint", "body", "endpoint")
        trouble = call.create("Trouble", body)
        return Answer(201, {name: value for name, value in trouble.items() if name != "id"})

    @vendor.due("Delivery", "retry")
    def retry(space: Space, record: StoredRecord) -> None:
        deliveries.retry(space, engines[record["vendor"]].contract, record)


def _equal(values: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: values[name] for name in names if values.get(name) is not None}


def _since(call: Call, records: Any) -> list[StoredRecord]:
    since = call.input.query.get("since")
    moment = None if since is None else _moment(since, "query")
    return [record for record in records if moment is None or deliveries.since(record, moment)]


def _moment(value: str, where: Any) -> datetime:
    try:
        return parsed(value)
    except ValueError:
        violation = Violation(where, "/since", "format", "is no moment, such as 2027-01-31T00:00:00Z")
        raise Problem("parameter" if where == "query" else "invalid", violations=(violation,)) from None


def _flaws(text: str, pointer: str) -> list[Violation]:
    try:
        Duration.parse(text)
    except ValueError as error:
        return [Violation("body", pointer, "duration", str(error))]
    return []


def _delivery(record: StoredRecord) -> dict[str, Any]:
    """A delivery as the log shows it."""
    return {name: value for name, value in record.items() if name not in ("queue", "held")}


def _unknown(what: str, where: Any, field: str) -> Problem:
    return Problem(
        "unknown", f"There is no such {what}.", (Violation(where, f"/{field}", "unknown", f"names no {what}"),)
    )
