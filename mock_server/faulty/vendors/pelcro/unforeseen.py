"""Pelcros that are wrong in ways nobody had thought of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mock_server.engine import Engine
from mock_server.faulty.changes import records
from mock_server.faulty.fault import Fault, after, before, switch
from mock_server.faulty.switches import around, told_as_before, unkept, untold
from mock_server.faulty.wire import Call, Reply
from mock_server.vendor import Call as Performed

VENDOR = "pelcro"


def _merged(call: Performed, proceed: Callable[[Performed], Any]) -> Any:
    subscription = call.find("Subscription", call.input.path["id"])
    if subscription is not None and call.body.get("metadata"):
        kept = [item for item in subscription["metadata"] or () if item not in call.body["metadata"]]
        call.body["metadata"] = [*kept, *call.body["metadata"]]
    return proceed(call)


def _lists(change: Callable[[list[Any]], list[Any]]) -> Callable[[Call], None]:
    """Each list of texts in a body, changed."""

    def changed(call: Call) -> None:
        for name in ("domains", "ip_addresses") if isinstance(call.body, dict) else ():
            listed = call.body.get(name)
            if isinstance(listed, list) and all(isinstance(item, str) for item in listed):
                call.body[name] = change(listed)

    return changed


def _in_floats(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _in_floats(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_in_floats(item) for item in value]
    is_large = isinstance(value, int) and not isinstance(value, bool) and 2**53 < abs(value) < 2**64
    return int(float(value)) if is_large else value


def _metadata_in_floats(call: Call) -> None:
    if isinstance(call.body, dict) and "metadata" in call.body:
        call.body["metadata"] = _in_floats(call.body["metadata"])


def _in_milliseconds(call: Call, reply: Reply) -> None:
    for record in list(records(reply.body, "current_period_end")) if reply.ok else ():
        for name in ("start", "current_period_start", "current_period_end", "trial_end", "expires_at", "renews_at"):
            if isinstance(record.get(name), int):
                record[name] *= 1000


def _another_digest(engine: Engine) -> None:
    signature = engine.contract.signature
    assert signature is not None, "the document has one"
    engine.contract = replace(engine.contract, signature=replace(signature, digest="sha512"))


def _password_told(call: Call, reply: Reply) -> None:
    if not reply.ok and isinstance(call.body, dict) and isinstance(reply.body, dict) and call.body.get("password"):
        for record in list(records(reply.body, "message"))[:1]:
            record["message"] = f"{record['message']} (password: {call.body['password']})"


def _small_password(call: Performed, proceed: Callable[[Performed], Any]) -> Any:
    customer = next(iter(call.scan("Customer", {"email": call.body.get("email")})), None)
    if customer is not None and str(call.body["password"]).casefold() == str(customer["password"]).casefold():
        call.body["password"] = customer["password"]
    return proceed(call)


FAULTS = (
    Fault("metadata-merged", VENDOR, "update", "update_changes_only_what_it_names",
          "New metadata are put to the old ones, in place of them.",
          switch(lambda engine: around(engine, "updateSubscription", _merged))),
    Fault("lists-sorted", VENDOR, "sort", "values_survive",
          "Lists of texts come back in the order of the alphabet.", before(_lists(sorted))),
    Fault("lists-without-repeats", VENDOR, "field", "values_survive",
          "What stands twice in a list of texts comes back once.", before(_lists(lambda items: [*dict.fromkeys(items)]))),
    Fault("metadata-in-floats", VENDOR, "huge values", "values_survive",
          "Whole numbers in metadata are exact up to 2 to the 53rd only.", before(_metadata_in_floats)),
    Fault("pelcro-cancel-idle", VENDOR, "transitions", "transitions_are_legal",
          "A cancellation is confirmed, and nothing happens.",
          switch(lambda engine: around(engine, "cancelSubscription", unkept))),
    Fault("moments-in-milliseconds", VENDOR, "time", "stamps_tell_the_time",
          "Moments are milliseconds, not seconds.", after(_in_milliseconds)),
    Fault("subscription-of-before", VENDOR, "events", "events_say_what_is",
          "A webhook shows the subscription that was.", switch(told_as_before)),
    Fault("renewal-untold", VENDOR, "events", "one_event_for_each_change",
          "What time alone brings gives off no event: a renewal, an end.",
          untold("subscription.renewed", "subscription.expired")),
    Fault("signed-by-another-digest", VENDOR, "encodings", "events_say_what_is",
          "Webhooks are signed by SHA-512, not SHA-256.", switch(_another_digest)),
    Fault("password-in-refusals", VENDOR, "field", "secrets_stay_out",
          "What is refused is told with its password.", after(_password_told)),
    Fault("password-whatever-case", VENDOR, "auth", "credentials_matter",
          "A password is taken in any case.", switch(lambda engine: around(engine, "login", _small_password))),
)  # fmt: skip
