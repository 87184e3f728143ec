"""Webhooks: which events a change must give off, as far as answers show it, and which records a webhook's body shows."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.client import Client
from conformance.control import Delivery
from conformance.finding import Broken
from conformance.schemas import Schemas
from conformance.sights import walk
from conformance.wire import FORM, unpack
from mock_server.contract import Change, Emission, Json, Resource, Webhook

Records = Mapping[Any, Mapping[str, Any]]
_YES, _MAYBE, _NO = 2, 1, 0


@dataclass(frozen=True)
class Expected:
    """How often each event may come, by event and record's key: at least and at most. Events of `free` may also be about records nobody sees."""

    counts: dict[tuple[str, Any], tuple[int, float]] = field(default_factory=dict)
    free: frozenset[str] = frozenset()

    def least(self) -> dict[str, int]:
        """How often each event must come at the least, of whatever record."""
        found: dict[str, int] = {}
        for (event, _), (low, _) in self.counts.items():
            found[event] = found.get(event, 0) + low
        return found


def emitting(client: Client) -> list[Resource]:
    """The resources whose changes give off events."""
    return [resource for resource in client.scope.contract.resources.values() if resource.emissions]


def snapshot(client: Client) -> dict[str, Records]:
    """The records of each emitting resource that a list shows."""
    return {
        resource.name: {record[resource.key]: record for record in walk(client, sight) if resource.key in record}
        for resource in emitting(client)
        for sight in client.scope.listings(resource.name)[:1]
    }


def expected(
    client: Client,
    before: Mapping[str, Records],
    after: Mapping[str, Records],
    *,
    of: tuple[str, Any],
    own: float = 1,
    others: float = 1,
) -> Expected:
    """The events between two sights of the records.

    The record that `of` names went through `own` steps at the most in between, and each of the others through `others`.
    """
    unseen = [resource for resource in emitting(client) if not client.scope.listings(resource.name)]
    found = Expected(free=frozenset(emission.event for resource in unseen for emission in resource.emissions))
    for resource in emitting(client):
        was, now = before.get(resource.name, {}), after.get(resource.name, {})
        for key in dict.fromkeys((*was, *now)):
            most = own if of == (resource.name, key) else others
            for emission in resource.emissions:
                low, high = _range(client, resource, emission, was.get(key), now.get(key), most)
                least, top = found.counts.get((emission.event, key), (0, 0.0))
                found.counts[emission.event, key] = (least + low, top + high)
    return found


def _range(
    client: Client,
    resource: Resource,
    emission: Emission,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    steps: float,
) -> tuple[int, float]:
    sure = _given_off(resource, emission, before, after)
    footing = client.scope.contract.webhooks[emission.event].provenance
    low = int(sure == _YES)
    if footing is not None and footing.level == "inferred" and not client.scope.inferred:
        low = 0
    once = emission.on <= {"created", "deleted"}
    return low, (1 if once or steps == 1 else math.inf) if sure or steps > 1 else 0


def _given_off(
    resource: Resource, emission: Emission, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> int:
    """Whether a change of a shown record gives off an event: surely, perhaps (what it depends on is not shown), or not."""
    record = after if after is not None else before
    assert record is not None, "it was there, or is"
    conditions = [_kind(resource, emission.on, before, after)]
    for name, values in emission.where.items():
        fits = {str(value).casefold() for value in values}
        conditions.append((_YES if str(record[name]).casefold() in fits else _NO) if name in record else _MAYBE)
    if emission.fields and before is not None and after is not None:
        changed = [_changed(name, before, after) for name in emission.fields]
        conditions.append(max(changed))
    return min(conditions)


def _kind(
    resource: Resource, on: frozenset[Change], before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> int:
    if before is None or after is None:
        return _YES if ("created" if before is None else "deleted") in on else _NO
    found = [_NO]
    if "moved" in on and resource.state:
        found.append(_changed(resource.state, before, after))
    if "changed" in on:
        found += [_changed(name, before, after) for name in resource.properties if name != resource.updated]
    return max(found)


def _changed(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> int:
    if name not in before and name not in after:
        return _MAYBE
    return _YES if before.get(name) != after.get(name) else _NO


# Bodies -----------------------------------------------------------------------------------------------------------------


def webhook_of(client: Client, delivery: Delivery) -> Webhook:
    """What the document says of a delivery. Raises Broken for an event that it does not have."""
    webhook = client.scope.contract.webhooks.get(delivery.event)
    if webhook is None:
        raise Broken(f"an event of x-webhooks: {', '.join(client.scope.contract.webhooks)}", delivery.event)
    return webhook


def body_of(client: Client, delivery: Delivery) -> Json:
    """A webhook's body, parsed in the media type that the document gives it. Raises Broken where it is none."""
    webhook = webhook_of(client, delivery)
    try:
        if webhook.media == FORM:
            return client.scope.schemas.typed(webhook.schema, unpack(delivery.body.decode()))
        return json.loads(delivery.body)
    except (ValueError, RecursionError):
        raise Broken(f"a body of {webhook.media}", delivery.body[:200].decode("utf-8", "replace")) from None


def shown_in(client: Client, webhook: Webhook, body: Json, resource: Resource) -> Iterator[Mapping[str, Any]]:
    """The records of a resource that a webhook's body shows with their keys, where its schema says so."""
    return (record for record in parts_in(client, webhook, body, resource) if resource.key in record)


def parts_in(client: Client, webhook: Webhook, body: Json, resource: Resource) -> Iterator[Mapping[str, Any]]:
    """The same with those of which no key is told."""
    for path in _places(client.scope.schemas, webhook.schema, resource.name, (), 6):
        found = [body]
        for step in path:
            if step == "-":
                found = [item for value in found if isinstance(value, list) for item in value]
            else:
                found = [value[step] for value in found if isinstance(value, dict) and step in value]
        yield from (value for value in found if isinstance(value, dict))


def _shows(schemas: Schemas, node: Mapping[str, Any], resource: str) -> bool:
    """Whether a schema is a record's own, or a view of it, or has such a one among its parts."""
    carried = schemas.document["components"]["schemas"].get(resource)
    parts = (schemas.follow(part) for part in node.get("allOf", ()))
    return node is carried or node.get("x-view") == resource or any(_shows(schemas, part, resource) for part in parts)


def _places(
    schemas: Schemas, schema: Json, resource: str, path: tuple[str, ...], depth: int
) -> Iterator[tuple[str, ...]]:
    node = schemas.follow(schema)
    if not isinstance(node, dict) or not depth:
        return
    if _shows(schemas, node, resource):
        yield path
    for name, item in schemas.properties(node).items():
        yield from _places(schemas, item, resource, (*path, name), depth - 1)
    if "items" in node:
        yield from _places(schemas, node["items"], resource, (*path, "-"), depth - 1)


def about(client: Client, delivery: Delivery) -> Any:
    """The key of the record that a delivery is about; None where its body does not show one."""
    webhook = webhook_of(client, delivery)
    body = body_of(client, delivery)
    for resource in emitting(client):
        if any(emission.event == delivery.event for emission in resource.emissions):
            for record in shown_in(client, webhook, body, resource):
                return record[resource.key]
    return None


def compare(client: Client, due: Expected, deliveries: list[Delivery]) -> None:
    """Hold what came to what must and may come. Raises Broken."""
    came: dict[tuple[str, Any], int] = {}
    ids = [delivery.id for delivery in deliveries]
    if len(ids) != len(set(ids)):
        raise Broken("each delivery once", f"{len(ids) - len(set(ids))} arrived again")
    for delivery in deliveries:
        place = (delivery.event, about(client, delivery))
        came[place] = came.get(place, 0) + 1
    nameless = {event for event, key in came if key is None}
    for (event, key), (low, high) in due.counts.items():
        count = came.pop((event, key), 0)
        if event in nameless:
            continue
        if not low <= count <= high:
            raise Broken(f"{event} {_times(low, high)} about {key!r}", f"{count} times", pointer=_place(client, event))
    for (event, key), count in came.items():
        high = sum(high for (name, _), (_, high) in due.counts.items() if name == event) if key is None else 0
        low = sum(low for (name, _), (low, _) in due.counts.items() if name == event) if key is None else 0
        if not low <= count <= high and event not in due.free:
            whose = f" about {key!r}, which did not change" if key is not None else ""
            raise Broken(f"{event} {_times(low, high)}", f"{count} times{whose}", pointer=_place(client, event))


def _times(low: int, high: float) -> str:
    if low == high:
        return {0: "not at all", 1: "once"}.get(low, f"{low} times")
    return f"{low} times or more" if high == math.inf else f"{low} to {high:g} times"


def _place(client: Client, event: str) -> str | None:
    for resource in emitting(client):
        if any(emission.event == event for emission in resource.emissions):
            return f"{resource.pointer}/x-emits/{event.replace('~', '~0').replace('/', '~1')}"
    return None
