"""The two layers that try things at random: silent on the right server, and able to catch what is theirs to catch."""

from __future__ import annotations

from typing import Any

import acme_server
import pytest
from acme import DOCUMENT

from conformance import lifecycle, responses
from conformance.run import Outcome, Run
from conformance.settings import AMOUNTS, Settings
from conformance.target import serve


def lived(fault: str | None, seed: int, profile: str = "smoke") -> Outcome:
    with serve(acme_server.create_app(fault)) as url:
        run = Run.begin(Settings(DOCUMENT, url, profile, seed))  # type: ignore[arg-type]
        return lifecycle.execute(run, "Customer")


def answered(fault: str | None, seed: int, profile: str = "smoke", layer: Any = "responses") -> Run:
    """The responses or the fuzzing layer without the filter, whose operators make as many cases as all the rest."""
    with serve(acme_server.create_app(fault)) as url:
        run = Run.begin(Settings(DOCUMENT, url, profile, seed))  # type: ignore[arg-type]
        run.scope.__dict__["operations"] = tuple(o for o in run.scope.operations if o.action.verb != "filter")
        responses.execute(run, layer)
        return run


@pytest.mark.parametrize("seed", range(1, 6))
def test_random_lives_find_nothing_on_the_right_server(seed: int) -> None:
    assert lived(None, seed).status == "kept"


@pytest.mark.parametrize(
    "fault",
    [
        "unique-ignored",
        "update-wipes",
        "update-not-stored",
        "delete-keeps",
        "stale-read",
        "created-moves",
        "not-listed",
        "id-reused",
    ],
)
def test_random_lives_catch_what_scripts_catch_too(fault: str) -> None:
    outcome = lived(fault, 1, "default")
    assert outcome.status == "broken"
    assert outcome.findings[0].requests


@pytest.mark.parametrize(
    ("fault", "calls"),
    [("unique-ignored", 2), ("update-wipes", 4), ("stale-read", 4), ("created-moves", 4), ("not-listed", 3)],
)
def test_what_random_lives_find_is_told_in_few_calls(fault: str, calls: int) -> None:
    (finding,) = lived(fault, 1, "default").findings
    assert len(finding.steps) <= calls


def test_the_same_seed_lives_the_same_lives() -> None:
    assert lived("update-wipes", 3).findings[0].observed == lived("update-wipes", 3).findings[0].observed


def test_schemathesis_finds_nothing_on_the_right_server() -> None:
    run = answered(None, 1)
    assert [finding.observed for finding in run.findings()] == []
    assert run.unreached() == []
    assert run.doubts == []
    accepted = run.ledger.counts["createCustomer"][201]
    assert accepted > 20, "the hook keeps unique values fresh, so creates are accepted"


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        ("wrong-status", "status_code_conformance"),
        ("missing-field", "response_schema_conformance"),
        ("html", "content_type_conformance"),
        ("auth-ignored", "ignored_auth"),
        ("required-defaulted", "negative_data_rejection"),
        ("example-refused", "positive_data_acceptance"),
        ("long-refused", "positive_data_acceptance"),
        ("zero-refused", "positive_data_acceptance"),
    ],
)
def test_schemathesis_catches_what_schemas_state(fault: str, check: str) -> None:
    found = answered(fault, 1).findings()
    assert check in {finding.promise for finding in found}
    assert "acme-sandbox-001" not in "".join(str(finding) for finding in found)


@pytest.mark.parametrize("fault", ["wrong-status", "missing-field", "html", "auth-ignored", "crash-on-other-alphabets"])
def test_what_is_made_up_catches_some_by_itself(fault: str) -> None:
    run = answered(fault, 1, "default", "fuzzing")
    assert {finding.layer for finding in run.findings()} == {"fuzzing"}


def test_the_stateful_phase_goes_on_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(AMOUNTS, "default", 16)
    run = answered(None, 1, "default", "fuzzing")
    assert run.findings() == []
    assert run.doubts == []
    assert run.ledger.counts["deleteCustomer"][204] > 5
