"""A finding that can be acted on: its calls, its secrets, its cause, its reproducer, and whether it is known."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import acme_server
import pytest
from acme import DOCUMENT
from test_wrong_servers import CAUGHT_BY

from conformance import baseline, reproducers
from conformance.causes import cause, joined
from conformance.exchange import Exchange, Mask, secret_names
from conformance.promise import all_promises
from conformance.reproduction import recurs
from conformance.result import BREAKS, CONFORMS, Result
from conformance.run import Run
from conformance.sequence import deciding, needed
from conformance.settings import Settings
from conformance.target import BadTarget, serve

PROMISES = {promise.name: promise for promise in all_promises()}
TODAY = date(2026, 6, 1)

IN_LISTS = {
    "operator-wrong", "conditions-joined-by-or", "compared-as-text", "form-ignored", "limit-ignored", "failed-create-stays",
}  # fmt: skip
"""What shows only in lists, in which other records of the run stood too: now that those are deleted, its calls alone do not bring it back."""


def found_at(url: str, promise: str) -> tuple[Mapping[str, Any], Mask]:
    """The first finding of a promise at a server."""
    run = Run.begin(Settings(DOCUMENT, url, world="check-0123456789"))
    with run.client("promises") as client:
        for subject in PROMISES[promise].subjects(run.scope):
            outcome = run.hold(PROMISES[promise], subject, client)
            if outcome.status == "broken":
                (finding,) = joined("acme", [outcome.findings[0].as_json()])
                return finding, run.mask
    raise AssertionError(f"{promise} was not broken")


@pytest.mark.parametrize("fault", CAUGHT_BY)
def test_a_findings_calls_bring_it_back_at_the_wrong_server_and_never_at_the_right_one(fault: str) -> None:
    with serve(acme_server.create_app(fault)) as wrong, serve(acme_server.create_app()) as right:
        finding, mask = found_at(wrong, CAUGHT_BY[fault])
        assert reproducers.comes_back(finding, wrong, wrong, mask) is (fault not in IN_LISTS)
        assert reproducers.comes_back(finding, wrong, right, mask) is False


def test_a_reproducer_runs_with_httpx_and_pytest_alone(tmp_path: Path) -> None:
    with serve(acme_server.create_app("update-wipes")) as wrong, serve(acme_server.create_app()) as right:
        finding, mask = found_at(wrong, "update_changes_only_what_it_names")
        path = reproducers.write(tmp_path, "acme", finding, wrong)
        imported = {
            name.split(".")[0]
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names])
        }
        assert imported - sys.stdlib_module_names == {"httpx"}
        secrets = {name.removeprefix("$"): secret for secret, name in mask.known.items()}
        assert not any(secret in path.read_text() for secret in secrets.values())
        done = {url: _pytest(path, {**secrets, "MOCKINGBILL_URL": url}) for url in (wrong, right)}
    assert "1 failed" in done[wrong] and re.search(r"email was 'mockingbill-\S+@example.com' and is None", done[wrong])
    assert "1 passed" in done[right], done[right]


def _pytest(path: Path, environment: Mapping[str, str]) -> str:
    kept = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **environment}
    command = [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, "-p", "no:cacheprovider", str(path)]
    return subprocess.run(command, capture_output=True, text=True, env=kept, cwd=path.parent).stdout


def test_without_the_credential_a_reproducer_says_which_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOKEN", raising=False)
    with serve(acme_server.create_app("wrong-status")) as wrong:
        finding, mask = found_at(wrong, "answers_match_their_schema")
        assert "Bearer $TOKEN" in finding["requests"][-1].replace("'\"", "").replace("\"'", "")
        assert reproducers.comes_back(finding, wrong, wrong, Mask()) is None
        assert reproducers.comes_back(finding, wrong, wrong, mask) is True


# Calls -------------------------------------------------------------------------------------------------------------------


def a_call(method: str, path: str, status: int, sent: str = "", answer: str = "", at: float = 0.0) -> Exchange:
    return Exchange(method, f"http://host{path}", {}, sent.encode() or None, status, {}, answer.encode(), at, 0.001)


def test_where_the_last_answer_decides_only_what_it_needs_is_told() -> None:
    calls = [
        a_call("POST", "/customers", 201, '{"name": "Somebody else"}', '{"id": "cus_000001"}', 1),
        a_call("POST", "/customers", 201, '{"name": "Grace Sample"}', '{"id": "cus_000002"}', 2),
        a_call("GET", "/customers/cus_000002", 200, answer='{"id": "cus_000002"}', at=3),
        a_call("POST", "/customers/cus_000002/archive", 409, at=4),
        a_call("DELETE", "/customers/cus_000002", 204, at=5),
        a_call("DELETE", "/customers/cus_000002", 204, at=6),
    ]
    assert [call.began for call in needed(calls, True)] == [2, 5, 6]
    assert needed(calls, False) == calls


def test_a_read_that_alone_showed_a_value_stays() -> None:
    calls = [
        a_call("GET", "/plans", 200, answer='[{"id": "plan_0007"}]', at=1),
        a_call("GET", "/health", 200, answer="{}", at=2),
        a_call("POST", "/orders", 500, '{"plan": "plan_0007"}', at=3),
    ]
    assert [call.began for call in needed(calls, True)] == [1, 3]


def test_the_statuses_that_decide_are_read_from_what_is_expected() -> None:
    calls = [a_call("GET", "/", 200)]
    assert deciding("404 or 410 for what is gone", calls, ()) == (404, 410)
    assert deciding("200 for what is there", calls, ()) == ()
    assert deciding("a name", calls, ()) == deciding("404", [], ()) == ()
    assert 500 not in deciding("no server error, whatever is sent", [a_call("GET", "/", 500)], (200, 500))


def a_step(status: int, answer: str, at: float = 0.0, **more: Any) -> dict[str, Any]:
    kept = {"status": status, "answer": answer, "answered": {}, "body": None, "offset": at, "seconds": 0.001}
    return {**kept, "sent": "", **more}


@pytest.mark.parametrize(
    ("old", "new", "about", "back"),
    [
        ('{"id": "cus_01"}', '{"id": "cus_02"}', "", True),
        ('{"total": 5}', '{"total": 6}', "", False),
        ('{"id": 5}', '{"id": 6}', "", True),
        ('{"name": "Ada"}', '{"name": "Eve"}', "", False),
        ('{"a": 1}', '{"a": 1, "b": 2}', "", False),
        ('{"a": [1]}', '{"a": [1, 2]}', "", False),
        ('{"at": "2026-01-01T00:00:00Z"}', '{"at": "2027-01-01T00:00:00Z"}', "", True),
        ('["2026-01-01", "2026-01-02"]', '["2026-01-03", "2026-01-03"]', "0 and 1", True),
        ('{"a": {"at": "2026-01-01"}, "b": {"at": "2026-01-02"}}', '{"a": {"at": "2026-02-01"}, "b": {"at": "2026-02-01"}}', "at", False),
        ('{"password": "$HIDDEN1"}', '{"password": "Sample"}', "", True),
    ],
)  # fmt: skip
def test_answers_are_alike_where_only_what_is_new_each_time_differs(old: str, new: str, about: str, back: bool) -> None:
    assert recurs([a_step(200, old)], [a_step(200, new)], (), about)[0] is back


def test_an_answer_with_another_status_is_another_answer() -> None:
    assert recurs([a_step(200, "{}")], [a_step(422, "{}")], (), "") == (False, "step 1 is answered 422")


def test_a_call_that_was_fine_and_is_refused_tells_nothing() -> None:
    steps = [a_step(201, "{}", 1), a_step(200, "{}", 2)]
    with pytest.raises(LookupError, match="step 1"):
        recurs(steps, [a_step(503, ""), a_step(200, "{}")], (404,), "")
    assert recurs(steps, [a_step(201, "{}"), a_step(404, "")], (404,), "")[0] is False


# Secrets -----------------------------------------------------------------------------------------------------------------


def test_no_secret_stands_in_a_step() -> None:
    mask = Mask({"s3cret/token": "$TOKEN"}, secret_names({}))
    exchange = Exchange(
        "POST",
        "http://host/a?api=s3cret%2Ftoken",
        {"Authorization": "Bearer s3cret/token", "Cookie": "session=abc"},
        b'{"password": "correct-horse", "name": "Ada"}',
        200,
        {"Set-Cookie": "session=abc; Path=/"},
        b'{"echo": "correct-horse", "access_token": "minted-later"}',
    )
    (step,) = mask.steps([exchange])
    (later,) = mask.steps(
        [Exchange("GET", "http://host/", {"Authorization": "Bearer minted-later"}, None, 200, {}, b"")]
    )
    whole = f"{step}{later}"
    assert not [secret for secret in ("s3cret", "correct-horse", "abc", "minted-later") if secret in whole]
    assert "Ada" in whole
    assert step.answer.startswith('{"echo": "$HIDDEN2"') and '"$HIDDEN2"' in str(step.body), (
        "where one comes back shows"
    )
    assert "'\"$TOKEN\"'" in step.curl


def test_what_is_only_written_is_a_secret() -> None:
    schema = {"properties": {"pin": {"type": "string", "writeOnly": True}, "key": {"format": "password"}, "name": {}}}
    names = secret_names({"components": {"schemas": {"Any": schema}}})
    assert {"pin", "key", "password"} <= names
    assert "name" not in names
    assert (
        Mask(names=names).text("pin=12345678&name=Ada {'pin': '12345678'}")
        == "pin=$HIDDEN1&name=Ada {'pin': '$HIDDEN1'}"
    )


# Causes and known findings -----------------------------------------------------------------------------------------------


def a_finding(subject: str = "createCustomer", layer: str = "promises", **more: Any) -> dict[str, Any]:
    kept = {"promise": "unique_is_refused", "subject": subject, "pointer": "/a", "layer": layer, "observed": "201"}
    return {**kept, "requests": ("curl 1", "curl 2"), "steps": (), "apart": False, "expected": "409", **more}


def a_result(*findings: dict[str, Any], kept: tuple[str, ...] = (), finished: bool = True) -> Result:
    broken = [
        {"layer": one["layer"], "promise": one["promise"], "subject": one["subject"], "status": "broken", "reason": "", "findings": (one,)}
        for one in findings
    ]  # fmt: skip
    held = [
        {"layer": "promises", "promise": "unique_is_refused", "subject": name, "status": "kept", "reason": "", "findings": ()}
        for name in kept
    ]  # fmt: skip
    return Result("acme", outcomes=[*broken, *held], finished=finished)


def test_what_several_layers_show_of_one_cause_is_one_finding() -> None:
    short = a_finding(layer="fuzzing", requests=("curl 1",), observed="200")
    (one,) = a_result(a_finding(), short).findings()
    assert (one["layers"], one["also"], one["observed"]) == (["fuzzing", "promises"], ["201"], "200")
    assert len(a_result(a_finding(), a_finding("updateCustomer"), a_finding(pointer="/b")).findings()) == 3
    assert cause("acme", a_finding()) == cause("acme", a_finding(observed="other", seed=9)) != cause("b", a_finding())


def known(text: str, tmp_path: Path) -> list[baseline.Known]:
    path = tmp_path / "known.yaml"
    path.write_text(text)
    return baseline.read(path)


ENTRY = "- {promise: unique_is_refused, subject: createCustomer, reason: ticket 7, expires: 2026-07-01}\n"


def test_a_known_finding_does_not_fail_and_a_new_one_does(tmp_path: Path) -> None:
    result = a_result(a_finding())
    baseline.apply(known(ENTRY, tmp_path), result, TODAY)
    assert (result.code, result.stale, result.findings()) == (CONFORMS, [], [])
    assert [finding["reason"] for finding in result.findings("known")] == ["ticket 7"]
    result = a_result(a_finding(), a_finding("updateCustomer"))
    baseline.apply(known(ENTRY, tmp_path), result, TODAY)
    assert result.code == BREAKS
    assert [finding["subject"] for finding in result.findings()] == ["updateCustomer"]


def test_of_two_findings_of_one_outcome_only_the_new_one_fails(tmp_path: Path) -> None:
    result = a_result(a_finding())
    result.outcomes = [{**result.outcomes[0], "findings": (a_finding(), a_finding(promise="another", pointer="/b"))}]
    baseline.apply(known(ENTRY, tmp_path), result, TODAY)
    assert [finding["promise"] for finding in result.findings()] == ["another"]


def test_an_entry_that_no_longer_occurs_fails_until_it_is_removed(tmp_path: Path) -> None:
    result = a_result(kept=("createCustomer",))
    baseline.apply(known(ENTRY, tmp_path), result, TODAY)
    assert result.code == BREAKS
    assert result.stale == [
        "known.yaml, entry 1: unique_is_refused createCustomer: does not occur any more; remove the entry"
    ]


def test_an_entry_whose_day_has_passed_fails_and_so_does_what_it_knew(tmp_path: Path) -> None:
    late = date(2026, 7, 2)
    result = a_result(a_finding())
    baseline.apply(known(ENTRY, tmp_path), result, late)
    assert result.code == BREAKS
    assert len(result.findings()) == 1
    assert "expired on 2026-07-01 and it still occurs" in result.stale[0]
    mended = a_result(kept=("createCustomer",))
    baseline.apply(known(ENTRY, tmp_path), mended, late)
    assert "it does not occur any more" in mended.stale[0]


def test_what_was_not_looked_at_says_nothing_about_an_entry(tmp_path: Path) -> None:
    for result in (a_result(kept=("updateCustomer",)), a_result(kept=("createCustomer",), finished=False)):
        baseline.apply(known(ENTRY, tmp_path), result, TODAY)
        assert result.stale == []
    elsewhere = known(ENTRY.replace("promise:", "vendor: other, promise:"), tmp_path)
    result = a_result(kept=("createCustomer",))
    baseline.apply(elsewhere, result, TODAY)
    assert result.stale == []


def test_a_written_baseline_knows_what_was_found(tmp_path: Path) -> None:
    result = a_result(a_finding(), a_finding("updateCustomer"))
    baseline.apply(known(baseline.show([result], TODAY), tmp_path), result, TODAY)
    assert result.code == CONFORMS
    assert baseline.read(tmp_path / "known.yaml")[0].expires > TODAY
    assert known(baseline.show([a_result()], TODAY), tmp_path) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: b", "is a list"),
        ("- {promise: a}", "entry 1: it needs promise, subject, reason, expires"),
        (ENTRY + "- {promise: a, subject: b, reason: c, expires: soon}", "entry 2: 'soon' is no day"),
        ("- {promise: a, subject: b, reason: '  ', expires: 2026-07-01}", "needs a reason"),
        ("- {promise: a, subject: b, reason: c, expires: 2026-07-01, why: d}", "and may have vendor"),
        ("[", "cannot be read"),
    ],
)
def test_a_baseline_that_makes_no_sense_is_refused_by_its_entry(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(BadTarget, match=said):
        known(text, tmp_path)
