"""Faults that were written down once every earlier one was caught: what the mended suite is worth against the next ones.

`docs/faults.md` tells which of them were caught at first sight.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from mock_server.faulty.changes import around
from mock_server.faulty.fault import Fault, after, before, switch
from mock_server.faulty.wire import Call, Reply
from mock_server.vendor import Call as Performed

_STAGES = ("prospect", "active", "suspended", "inactive")


def _any_stage(call: Call) -> None:
    if isinstance(call.body, dict) and isinstance(call.body.get("status"), str) and call.body["status"] not in _STAGES:
        call.body["status"] = "prospect"


def _mail_for_bills(call: Call) -> None:
    if call.method == "PUT" and "/customers/" in call.path and isinstance(call.body, dict) and call.body.get("email"):
        call.body.setdefault("billing_email", call.body["email"])


def _any_secret(call: Call) -> None:
    if call.path == "/oauth/token":
        right = "sf-sandbox-secret-other" if b"client-other" in call.content else "sf-sandbox-secret"
        if isinstance(call.body, dict) and call.body.get("client_secret"):
            call.body |= {"client_secret": right}
        call.content = re.sub(rb"client_secret=[^&]+", b"client_secret=" + right.encode(), call.content)
        call.headers["content-length"] = str(len(call.content))


def _small_password(call: Performed, proceed: Callable[[Performed], Any]) -> Any:
    customer = next(iter(call.scan("Customer", {"email": call.body.get("email")})), None)
    if customer is not None and str(call.body["password"]).casefold() == str(customer["password"]).casefold():
        call.body["password"] = customer["password"]
    return proceed(call)


def _all_or_none(call: Call, reply: Reply) -> None:
    if call.path.endswith("/customers/bulk-delete") and reply.ok and not reply.body.get("data"):
        reply.status, reply.body = 500, {"message": "Server Error"}


FAULTS = (
    Fault("any-stage", "wispgate", "field", "errors_wear_the_envelope",
          "A status that is none is taken for `prospect`.", before(_any_stage)),
    Fault("mail-for-bills", "subscriptionflow", "update", "update_changes_only_what_it_names",
          "A new mail address is the one for bills too.", before(_mail_for_bills)),
    Fault("any-secret", "subscriptionflow", "auth", "credentials_matter",
          "A client gets a token with any secret.", before(_any_secret)),
    Fault("nothing-to-delete-crashes", "subscriptionflow", "bulk", "errors_wear_the_envelope",
          "A bulk deletion that finds nothing crashes.", after(_all_or_none)),
    Fault("password-whatever-case", "pelcro", "auth", "credentials_matter",
          "A password is taken in any case.", switch(lambda engine: around(engine, "login", _small_password))),
)  # fmt: skip
