"""Each wrong server is caught by the promise meant for it; the right one breaks none, on any seed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import acme_server
import pytest
from acme import DOCUMENT

from conformance.preflight import preflight
from conformance.promise import all_promises
from conformance.run import Outcome, Run, rehearse
from conformance.settings import Settings
from conformance.target import serve

CAUGHT_BY = {
    "unique-ignored": "unique_is_refused",
    "unique-across-tenants": "unique_is_refused",
    "page-skips": "pages_partition",
    "page-repeats": "pages_partition",
    "total-off-by-one": "list_holds_each_once",
    "update-wipes": "update_changes_only_what_it_names",
    "update-merges-metadata": "update_changes_only_what_it_names",
    "update-not-stored": "update_changes_only_what_it_names",
    "delete-keeps": "deleted_is_gone",
    "delete-takes-neighbour": "deleted_is_gone",
    "idempotency-ignored": "retry_replays",
    "other-body-replayed": "reused_key_is_refused",
    "keys-shared-between-tenants": "retry_replays",
    "tenant-leak": "tenants_never_meet",
    "auth-ignored": "credentials_matter",
    "expired-accepted": "credentials_matter",
    "wrong-status": "answers_match_their_schema",
    "wrong-envelope": "errors_wear_the_envelope",
    "missing-field": "answers_match_their_schema",
    "wrong-type": "answers_match_their_schema",
    "html": "answers_match_their_schema",
    "filter-ignored": "filters_match_exactly",
    "filters-joined-by-or": "filters_match_exactly",
    "operator-wrong": "filters_match_exactly",
    "conditions-joined-by-or": "filters_match_exactly",
    "compared-as-text": "filters_match_exactly",
    "form-ignored": "filters_match_exactly",
    "limit-ignored": "filters_match_exactly",
    "created-moves": "created_stamp_never_moves",
    "id-reused": "ids_are_never_reused",
    "stale-read": "update_changes_only_what_it_names",
    "race-makes-two": "concurrent_retries_make_one",
    "text-trimmed": "values_survive",
    "numbers-rounded": "values_survive",
    "required-defaulted": "required_is_required",
    "dangling-accepted": "references_must_exist",
    "crash-on-other-alphabets": "values_survive",
    "crash-on-malformed": "errors_wear_the_envelope",
    "read-only-taken": "read_only_is_ignored",
    "failed-create-stays": "failed_create_leaves_nothing",
    "password-shown": "secrets_stay_out",
    "no-allow": "errors_wear_the_envelope",
    "not-listed": "created_is_retrievable",
    "example-refused": "examples_are_answered",
    "long-refused": "allowed_is_accepted",
    "zero-refused": "allowed_is_accepted",
    "archive-does-nothing": "states_are_kept",
    "archive-twice": "states_are_kept",
}

IN_TIME = {
    "cancelled_stays_cancelled",
    "events_say_what_is",
    "one_event_for_each_change",
    "renewals_do_not_drift",
    "stamps_tell_the_time",
    "sums_add_up",
    "time_moves_states",
    "transitions_are_legal",
}
"""Those that the wrong servers of `test_wrong_clubs` break."""
PROMISES = {promise.name: promise for promise in all_promises()}


@contextmanager
def a_run(fault: str | None, seed: int = 1) -> Iterator[Run]:
    with serve(acme_server.create_app(fault)) as url:
        yield Run.begin(Settings(DOCUMENT, url, seed=seed))


def outcomes(fault: str | None, *names: str, seed: int = 1) -> list[Outcome]:
    with a_run(fault, seed) as run:
        preflight(run)
        rehearse(run, tuple(PROMISES[name] for name in names))
        return run.outcomes


@pytest.mark.parametrize("fault", acme_server.FAULTS)
def test_each_wrong_server_is_caught_by_the_promise_meant_for_it(fault: str) -> None:
    broken = [outcome for outcome in outcomes(fault, CAUGHT_BY[fault]) if outcome.status == "broken"]
    assert broken
    for finding in (finding for outcome in broken for finding in outcome.findings):
        assert finding.place.rpartition(":")[2].isdigit()
        assert "acme.yaml" in finding.place
        assert finding.requests
        assert all(line.startswith("curl -X ") for line in finding.requests)
        assert "acme-sandbox-001" not in str(finding)
        assert "--mockingbill-seed 1" in finding.replay


def test_every_fault_and_every_promise_is_in_the_table() -> None:
    assert set(CAUGHT_BY) == set(acme_server.FAULTS)
    assert set(CAUGHT_BY.values()) == set(PROMISES) - IN_TIME


@pytest.mark.parametrize("seed", range(1, 6))
def test_the_right_server_breaks_no_promise(seed: int) -> None:
    with a_run(None, seed) as run:
        preflight(run)
        rehearse(run, tuple(PROMISES.values()))
        told = {(o.promise, o.subject) for o in run.outcomes if o.status != "kept"}
        timed = {("stamps_tell_the_time", f"createCustomer {stamp}") for stamp in ("created_at", "updated_at")}
        assert told == {("cancelled_stays_cancelled", "Customer archived")} | timed, "there is no clock to move"
        assert run.unreached() == []
        assert run.doubts == []
        assert all(outcome.calls for outcome in run.outcomes if outcome.status == "kept")


def test_a_rule_between_fields_refuses_neither_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    check = acme_server.Acme.check
    met = []

    def stricter(self: acme_server.Acme, body: dict[str, Any], required: tuple[str, ...]) -> dict[str, Any]:
        if body.get("currency") == "USD" and len(body.get("name", "")) > 100:
            met.append(body)
            raise acme_server.Refusal(422, "invalid", "Long names are for euros.")
        return check(self, body, required)

    monkeypatch.setattr(acme_server.Acme, "check", stricter)
    assert {outcome.status for outcome in outcomes(None, "allowed_is_accepted")} == {"kept"}
    assert met, "the rule was met"
