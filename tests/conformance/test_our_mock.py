"""Our own mock, over a real socket, breaks no promise: every vendor, inferred operations included, on three seeds."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

import pytest

from conformance import lifecycle, responses
from conformance.facts import facts, probings
from conformance.preflight import preflight
from conformance.promise import all_promises
from conformance.run import Run, rehearse
from conformance.settings import Settings
from conformance.target import base_url, serve
from mock_server import create_app
from mock_server.contract import vendors


@pytest.fixture(scope="module")
def mock() -> Iterator[str]:
    with serve(create_app(inferred=True)) as url:
        yield url


def a_run(mock: str, vendor: str, seed: int) -> Run:
    run = Run.begin(Settings(vendor, base_url(mock, vendor), "smoke", seed, inferred=True, world=f"{vendor}-{seed}"))
    preflight(run)
    return run


UNMET = {
    "wispgate": {
        r"(list|get)Subscribers? 400": "it has no parameter that could be wrong: a tenant and a key may be any text",
        r"listSubscribers 404": "a tenant that does not exist is nobody's, which is 401",
    },
    "stykite": {},
    "pelcro": {
        r"(renewSubscription|renewGift|listMembers) 404": "what it is about is 400 where it does not exist (x-statuses)",
    },
    "subscriptionflow": {
        r"\w+ 403": "no credential that is known may do less than another",
        r"(get|delete)\w+ 400": "a key may be any text, so none is wrong",
        r"search\w+ 400": "a search takes columns alone, by names that the document leaves open",
        r"(extendSubscriptionPeriod|refundTransaction) 409": "the states that it starts from are no fact of the document",
    },
}
"""The documented statuses that no promise brings about, and why not; 429 and server errors are no caller's to bring about."""


SCOPE = {
    r".*/x-resource/scope": "its records are known beforehand and nothing shows them: who may see them is seen by nobody"
}
REFERENCES = {
    r"/components/schemas/.*/x-references": "no request names it: it stands in records that the server itself makes, or in known ones",
}
UNPROBED = {
    "wispgate": {**SCOPE, **REFERENCES},
    "subscriptionflow": SCOPE,
    "stykite": {
        **SCOPE,
        **REFERENCES,
        r".*/Transaction/x-emits/addon.purchase.success": "a payment is never shown again, so that nothing tells its event's due",
    },
    "pelcro": {
        **SCOPE,
        **REFERENCES,
        r".*/(Member|Charge)/x-resource/(state|created)": "no operation reads or changes such a record by itself",
    },
}
"""The facts that no promise is put to the test about, and why not."""


def unprobed(run: Run) -> list[str]:
    held = probings(run.scope, all_promises(), [outcome.as_json() for outcome in run.outcomes])
    return [fact.pointer for fact in facts(run.scope) if not any(probing.touches(fact) for probing in held)]


def unmet(run: Run) -> list[str]:
    return [
        f"{operation.id} {status}"
        for operation in run.scope.operations
        for status in operation.responses
        if status != 429 and status < 500 and not run.ledger.counts.get(operation.id, {}).get(status)
    ]


def unexplained(found: Collection[str], reasons: Collection[str]) -> tuple[list[str], list[str]]:
    """What is found without a reason, and the reasons for which nothing is found."""
    return (
        [name for name in found if not any(re.fullmatch(reason, name) for reason in reasons)],
        [reason for reason in reasons if not any(re.fullmatch(reason, name) for name in found)],
    )


def said(run: Run) -> list[str]:
    return [f"{finding.promise} {finding.subject}: {finding.observed}" for finding in run.findings()]


@pytest.mark.parametrize("vendor", vendors())
def test_it_keeps_every_promise(mock: str, vendor: str) -> None:
    run = a_run(mock, vendor, 1)
    rehearse(run, all_promises())
    assert said(run) == []
    assert run.unreached() == []
    assert run.doubts == []
    assert unexplained(unprobed(run), UNPROBED[vendor]) == ([], [])
    assert unexplained(unmet(run), UNMET[vendor]) == ([], [])


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("vendor", vendors())
def test_its_records_live_as_the_model_says(mock: str, vendor: str, seed: int) -> None:
    run = a_run(mock, vendor, seed)
    for resource in lifecycle.resources(run.scope):
        lifecycle.execute(run, resource)
    assert said(run) == []


@pytest.mark.parametrize("vendor", vendors())
def test_its_answers_are_as_documented(mock: str, vendor: str) -> None:
    run = a_run(mock, vendor, 1)
    responses.execute(run)
    assert said(run) == []
    assert run.doubts == []
