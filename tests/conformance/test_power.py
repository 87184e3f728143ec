"""The suite's power: every server of the catalogue, wrong in one way, is caught by the promise meant for it; and nothing is left out of the count."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path

import pytest

from bench.power.judging import judge
from conformance.promise import all_promises
from conformance.run import Run, rehearse
from conformance.settings import Settings
from conformance.target import serve
from mock_server import create_app
from mock_server.contract import data_root, vendors
from mock_server.faulty import KINDS, catalogue, faulty
from mock_server.faulty.wire import Call, Proceed, Reply, Wired

ROOT = Path(__file__).resolve().parents[2]
PROMISES = {promise.name: promise for promise in all_promises()}
FAULTS = catalogue()


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_caught_by_the_promise_meant_for_it(name: str) -> None:
    assert judge(name, 1, meant=True) == ((FAULTS[name].promise,), ())


@pytest.mark.parametrize("vendor", ["wispgate", "stykite"])
def test_the_wire_alone_breaks_nothing(vendor: str) -> None:
    async def plain(call: Call, proceed: Proceed) -> Reply:
        return await proceed(call)

    with serve(Wired(create_app([vendor], inferred=True), vendor, plain)) as url:
        run = Run.begin(Settings(vendor, f"{url}/{vendor}", "smoke", inferred=True, world="power"))
        rehearse(run, all_promises())
    assert [f"{finding.promise} {finding.subject}: {finding.observed}" for finding in run.findings()] == []


def test_a_fault_is_one_servers_own() -> None:
    for name in ("email-twice", "trial-prolonged", "event-twice", "signed-in-hex"):
        fault = FAULTS[name]
        faulty(create_app([fault.vendor], inferred=True), fault)
        with serve(create_app([fault.vendor], inferred=True)) as url:
            run = Run.begin(Settings(fault.vendor, f"{url}/{fault.vendor}", inferred=True, world="power"))
            rehearse(run, (PROMISES[fault.promise],))
        assert run.findings() == [], name


def test_the_catalogue_is_large_and_told_of() -> None:
    assert len(FAULTS) >= 60
    assert {fault.vendor for fault in FAULTS.values()} == set(vendors())
    assert {fault.kind for fault in FAULTS.values()} == set(KINDS)
    assert len({fault.sentence for fault in FAULTS.values()}) >= len(FAULTS) - 8, "one sentence is one fault"


def test_every_promise_has_a_fault_that_breaks_it() -> None:
    assert {fault.promise for fault in FAULTS.values()} == set(PROMISES)


def test_what_nobody_had_thought_of_is_told_of() -> None:
    text = (ROOT / "docs" / "faults.md").read_text()
    told = re.findall(r"^\| `([\w-]+)` \| (\w+) \| .+ \| `(\w+)` \|$", text, re.M)
    assert len(told) == 55
    assert told == [(name, FAULTS[name].vendor, FAULTS[name].promise) for name, _, _ in told]
    named = set(re.findall(r"`([\w-]+)`", text))
    for path in (ROOT / "mock_server" / "faulty" / "vendors").glob("*/unforeseen*.py"):
        module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        assert {fault.name for fault in module.FAULTS} <= named, path


STATES_NOTHING = {
    "x-provenance": "how far a fact can be trusted",
    "x-tenant": "where an example is seeded",
}
"""The words of the vocabulary that say nothing of how an implementation behaves."""


def test_every_word_of_the_vocabulary_that_states_behaviour_has_a_promise() -> None:
    words = json.loads((data_root() / "openapi" / "extensions.schema.json").read_text())["properties"]
    probed = {fact for promise in PROMISES.values() for fact in promise.facts}
    assert set(words) - probed == set(STATES_NOTHING)
    assert probed <= set(words), "and no promise probes what there is not"
