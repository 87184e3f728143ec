"""A webhook is what the document says it is, and says of a record what is so.

Whatever gives off an event is done with the sink listening. The body is held against its schema and against the record as an answer shows
it then; the signature is reckoned anew from the bytes and the endpoint's secret.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from typing import Any

from conformance.client import Client
from conformance.comparison import same
from conformance.control import Delivery
from conformance.events import body_of, parts_in, webhook_of
from conformance.finding import Broken, NotTested
from conformance.moments import moment_of
from conformance.observation import Observed, changing, observe
from conformance.promise import Promise, Subject
from conformance.scope import Scope
from mock_server.contract import Webhook


def _subjects(scope: Scope) -> Iterator[Subject]:
    """What can give off an event: a deletion does only where the document has one for deletions, and so on."""
    kinds = {"create": {"created"}, "delete": {"deleted"}}
    for subject in changing(scope):
        on = {kind for emission in subject.detail["resource"].emissions for kind in emission.on}
        verb = subject.operation.action.verb if "transition" not in subject.detail else "update"
        if on & kinds.get(verb, {"changed", "moved"}):
            yield subject


def _probe(subject: Subject, client: Client) -> None:
    observed = observe(subject, client)
    if not observed.deliveries and any(observed.due.least().values()):
        raise NotTested(f"no webhook came of {subject.name}")
    for delivery in observed.deliveries:
        webhook, body = webhook_of(client, delivery), body_of(client, delivery)
        media = delivery.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media != webhook.media:
            raise Broken(f"the media type {webhook.media}", media or "none", pointer=webhook.pointer)
        faults = client.scope.schemas.faults(webhook.schema, body)
        if faults:
            raise Broken(f"a body of {webhook.event} as documented", "; ".join(faults[:3]), pointer=webhook.pointer)
        _says(client, observed, webhook, body)
        _signed(client, delivery, observed.endpoint.secret)


def _says(client: Client, observed: Observed, webhook: Webhook, body: Any) -> None:
    """What the body shows of the record is how it is shown then; a record that is gone, how it was."""
    resource = observed.made.resource
    if not any(emission.event == webhook.event for emission in resource.emissions):
        return
    record = observed.after if observed.after is not None else observed.before
    surely = observed.due.counts.get((webhook.event, observed.made.key), (0, 0))[0] > 0
    once = sum(delivery.event == webhook.event for delivery in observed.deliveries) == 1
    alone = observed.is_one_step and surely and once  # else another record, that nobody sees, may have given it off
    for shown in parts_in(client, webhook, body, resource):
        key = shown.get(resource.key, observed.made.key if alone else None)
        if record is not None and key == observed.made.key:
            wrong = _differences(client, observed, shown, record)
            if wrong:
                raise Broken(f"{webhook.event} to say what is", "; ".join(wrong[:4]), pointer=webhook.pointer)


def _differences(client: Client, observed: Observed, shown: Mapping[str, Any], record: Mapping[str, Any]) -> list[str]:
    resource = observed.made.resource
    names = [n for n in shown if n in record and n in resource.properties and observed.is_one_step]
    return [
        f"{name} is {shown[name]!r} in the body and {record[name]!r} in an answer"
        for name in names
        if not same(client.scope.schemas, resource.properties[name], record[name], shown[name])
        and not _same_moment(client, record[name], shown[name])
    ]


def _same_moment(client: Client, value: Any, told: Any) -> bool:
    """Whether a text in a webhook names the moment that a number in an answer does, or the other way round."""
    if isinstance(value, str) == isinstance(told, str):
        return False
    moment = moment_of(client.scope.contract, value)
    return moment is not None and moment == moment_of(client.scope.contract, told)


def _signed(client: Client, delivery: Delivery, secret: str) -> None:
    contract = client.scope.contract
    if contract.secret_header is not None and delivery.headers.get(contract.secret_header.lower()) != secret:
        raise Broken(
            f"the endpoint's secret in {contract.secret_header}",
            "another, or none",
            pointer="/x-vendor/webhooks/secret",
        )
    if contract.signature is None:
        return
    rule = contract.signature
    digest = hmac.new(secret.encode(), delivery.body, getattr(hashlib, rule.digest)).digest()
    due = digest.hex() if rule.encoding == "hex" else base64.b64encode(digest).decode()
    if delivery.headers.get(rule.header.lower()) != due:
        raise Broken(
            f"{rule.header}: the {rule.digest} HMAC of the body with the endpoint's secret, in {rule.encoding}",
            delivery.headers.get(rule.header.lower(), "no such header"),
            pointer="/x-vendor/webhooks/signature",
        )


PROMISE = Promise(
    "events_say_what_is",
    "A webhook has the documented body, which shows the record as answers do, and is signed with its endpoint's secret.",
    ("x-emits", "x-webhooks", "x-vendor"),
    _subjects,
    _probe,
)
