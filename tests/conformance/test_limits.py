"""What a target cannot do: it is given the time it asks for, nothing is held against it, and what it cannot show is not tested."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import acme_server
import living_server
import pytest
from acme import DOCUMENT
from click.testing import CliRunner
from limited_servers import Counted, exhausted, late, limited, refusing, slow, soon
from rich.console import Console

from conformance import lifecycle, responses
from conformance.check import check
from conformance.control import ask
from conformance.finding import NotTested, Unreachable
from conformance.limits import READ_ONLY, UNSAID, Limits
from conformance.matrix import matrix
from conformance.preflight import preflight
from conformance.promise import all_promises
from conformance.report import CONFORMS, UNTOLD
from conformance.responses.configuration import Layer, configuration
from conformance.run import UNTESTED, Run, rehearse
from conformance.sending import IMPATIENT, LIMITED, retry_after
from conformance.settings import Settings
from conformance.target import ALONE, BadTarget, base_url, limits_of, serve
from mock_server import create_app
from mock_server.cli import main

PROMISES = {promise.name: promise for promise in all_promises()}
SEVERAL = (
    "created_is_retrievable",
    "concurrent_retries_make_one",
    "deleted_is_gone",
    "update_changes_only_what_it_names",
)


def begun(url: str, limits: Limits = UNSAID, *, lists: bool = True, file: Path | None = None) -> Run:
    """A run at a server, without the filter, whose operators make as many cases as all the rest; without lists it is quicker still."""
    run = Run.begin(Settings(DOCUMENT, url, "smoke", limits=limits, target_file=file))
    without = ("filter",) if lists else ("filter", "list")
    run.scope.__dict__["operations"] = tuple(o for o in run.scope.operations if o.action.verb not in without)
    return run


def held(run: Run, *names: str) -> set[str]:
    """The states of what came of some promises."""
    rehearse(run, tuple(PROMISES[name] for name in names))
    return {outcome.status for outcome in run.outcomes if outcome.promise in names}


# The rate of calls ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("3", 3.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("Mon, 01 Jun 2026 12:00:10 GMT", 10.0),
        ("Mon, 01 Jun 2026 11:00:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("\u00b2", None),
    ],
)
def test_how_long_to_wait_is_said_in_seconds_or_as_a_date(said: str, seconds: float | None) -> None:
    assert retry_after(said, datetime(2026, 6, 1, 12, tzinfo=UTC)) == seconds


def test_a_limiter_is_waited_for_in_promises_and_lives() -> None:
    with serve(limited(9)) as url:
        run = begun(url)
        preflight(run)
        assert held(run, *SEVERAL) == {"kept"}
        assert lifecycle.execute(run, "Customer").status == "kept"
    assert run.doubts == []


@pytest.mark.parametrize("layer", ["responses", "fuzzing"])
def test_a_limiter_is_waited_for_in_what_schemathesis_sends_too(layer: Layer) -> None:
    with serve(limited(9)) as url:
        run = begun(url, lists=False)
        responses.execute(run, layer)
    assert [outcome.reason for outcome in run.outcomes if outcome.status != "kept"] == []
    assert all(429 not in counts for counts in run.ledger.counts.values())


@pytest.mark.parametrize(("after", "at_least"), [(soon, 0.01), (lambda: "1", 1.0), (lambda: None, 0.5)])
def test_it_is_waited_as_long_as_is_asked(after: Callable[[], str | None], at_least: float) -> None:
    with serve(refusing(2, after)) as url:
        run = begun(url)
        began = time.monotonic()
        assert held(run, "states_are_kept") == {"kept"}
    assert time.monotonic() - began > at_least


def test_a_long_wait_is_told() -> None:
    told: list[str] = []
    with serve(refusing(2, lambda: "1")) as url:
        run = begun(url)
        run.sending.told = told.append
        held(run, "states_are_kept")
    assert told == [f"waiting 1 s, 1 of 300 s in all: {LIMITED}"]


def test_what_is_refused_to_the_end_is_not_tested_in_any_layer_and_leaves_the_verdict_open() -> None:
    with serve(exhausted(30)) as url:
        run = begun(url, Limits(patience=0.2), lists=False)
        preflight(run)
        assert held(run, *PROMISES) == {"kept", "not tested"}
        random = [lifecycle.execute(run, "Customer"), *responses.execute(run), *responses.execute(run, "fuzzing")]
    assert {outcome.status for outcome in random} == {"not tested"}
    assert all(outcome.reason.startswith(LIMITED) for outcome in random)
    assert IMPATIENT in run.doubts


def test_a_wait_that_is_too_long_is_not_begun() -> None:
    with serve(exhausted(0, after="3600")) as url:
        began = time.monotonic()
        assert held(begun(url), "states_are_kept") == {"not tested"}
    assert time.monotonic() - began < 3


def test_thirty_at_once_are_judged_by_those_that_were_answered() -> None:
    for app, state in ((limited(3), "kept"), (limited(3, acme_server.create_app("race-makes-two")), "broken")):
        with serve(app) as url:
            run = begun(url)
            assert held(run, "concurrent_retries_make_one") == {state}
    with serve(exhausted(0)) as url:
        assert held(begun(url), "concurrent_retries_make_one") == {"not tested"}


def test_the_clock_and_the_sink_are_waited_for_too(tmp_path: Path) -> None:
    with serve(limited(2)) as url:
        file = tmp_path / "target.yaml"
        file.write_text("token: acme-sandbox-001\ncontrol: /control\n")
        run = begun(url, file=file)
        with run.client("promises") as client:
            assert [ask(client, "GET", "/clock")[0] for _ in range(4)] == [404] * 4


# Slowness ---------------------------------------------------------------------------------------------------------------


def test_of_thirty_at_once_each_may_take_as_long_as_all_of_them() -> None:
    with serve(slow(0.04)) as url:
        run = begun(url, Limits(timeout=0.7))
        preflight(run)
        assert held(run, "concurrent_retries_make_one") == {"kept"}


def test_the_random_layers_wait_as_long_as_the_promises() -> None:
    run = begun("http://127.0.0.1:9", Limits(timeout=45))
    with run.client("responses") as client:
        assert configuration(run, client, "responses")["request-timeout"] == 45
    with serve(slow(0.02)) as url:
        run = begun(url, Limits(timeout=5), lists=False)
        assert {outcome.status for outcome in responses.execute(run, "fuzzing")} == {"kept"}


def test_a_target_that_is_slower_than_the_timeout_cannot_be_judged_and_it_is_said_how_it_could() -> None:
    with serve(slow(0.5)) as url:
        with pytest.raises(Unreachable, match=r"no answer within 0\.1 s to GET .* \(--timeout allows longer\)"):
            preflight(begun(url, Limits(timeout=0.1)))
        with pytest.raises(Unreachable, match=r"does not answer within 0\.1 s"):
            base_url(url, "acme", Limits(timeout=0.1))


def test_a_call_that_alone_has_no_answer_is_a_finding_and_soon_told() -> None:
    with serve(slow(2, "PATCH")) as url:
        run = begun(url, Limits(timeout=0.25), lists=False)
        assert held(run, "update_changes_only_what_it_names") == {"broken"}
        assert lifecycle.execute(run, "Customer").status == "broken"
    with serve(slow(2, "PATCH")) as url:
        run = begun(url, Limits(timeout=0.25), lists=False)
        broken = [outcome for outcome in responses.execute(run, "fuzzing") if outcome.status == "broken"]
    assert {outcome.subject for outcome in broken} >= {"updateCustomer"}
    assert any("none within 0.25 s to PATCH" in outcome.reason for outcome in broken)


# Consistency ------------------------------------------------------------------------------------------------------------


def test_what_shows_late_is_waited_for_as_long_as_was_said() -> None:
    with serve(late(0.03)) as url:
        run = begun(url, Limits(consistency=0.06))
        assert held(run, *SEVERAL, "list_holds_each_once", "states_are_kept") == {"kept"}
    with serve(late(0.03)) as url:
        assert "broken" in held(begun(url), *SEVERAL)


def test_what_shows_later_than_was_said_is_a_finding() -> None:
    with serve(late(0.3)) as url:
        assert "broken" in held(begun(url, Limits(consistency=0.02)), *SEVERAL)


@pytest.mark.parametrize("layer", ["lifecycle", "fuzzing"])
def test_the_random_layers_wait_for_what_shows_late(layer: Layer) -> None:
    with serve(late(0.02)) as url:
        run = begun(url, Limits(consistency=0.04), lists=False)
        outcomes = [lifecycle.execute(run, "Customer")] if layer == "lifecycle" else responses.execute(run, layer)
    assert [outcome.reason for outcome in outcomes if outcome.status != "kept"] == []


# Read-only --------------------------------------------------------------------------------------------------------------


def test_a_target_that_may_only_be_read_is_changed_by_no_layer() -> None:
    counted = Counted(living_server.create_app(25))
    with serve(counted.app) as url:
        run = Run.begin(Settings(DOCUMENT, url, "smoke", limits=Limits(read_only=True)))
        preflight(run)
        rehearse(run, tuple(PROMISES.values()))
        lifecycle.execute(run, "Customer")
        for layer in ("responses", "fuzzing"):
            responses.execute(run, layer)
        with run.client("promises") as client, pytest.raises(NotTested, match=READ_ONLY):
            client.send("DELETE", "/customers/cus_000001")
    assert counted.changing == []
    assert counted.reading > 100
    kept = {(outcome.layer, outcome.subject) for outcome in run.outcomes if outcome.status == "kept"}
    assert {
        (layer, name)
        for layer in ("responses", "fuzzing")
        for name in ("listCustomers", "getCustomer", "filterCustomers")
    } < kept
    assert ("promises", "getCustomer") in kept
    judged = {(outcome.promise, outcome.subject) for outcome in run.outcomes if outcome.status == "kept"}
    assert ("pages_partition", "listCustomers") in judged
    assert ("filters_match_exactly", "filterCustomers") in judged
    assert not {subject for _, subject in kept} & {
        "createCustomer",
        "updateCustomer",
        "deleteCustomer",
        "archiveCustomer",
    }
    assert run.unreached() + run.doubts == []


def test_what_could_be_read_conforms_and_the_summary_says_what_was_not_tested(tmp_path: Path) -> None:
    stream = io.StringIO()
    counted = Counted()
    file = tmp_path / "target.yaml"
    file.write_text("token: acme-sandbox-001\ntenant: north\nread-only: true\n")
    with serve(counted.app) as url:
        code = check((DOCUMENT,), url, "smoke", target_file=file, console=Console(file=stream, width=200))
    said = stream.getvalue()
    assert code == CONFORMS, said
    assert counted.changing == []
    assert re.search(rf"not tested  \d\d in all, such as \w+ \w+: {READ_ONLY}\n", said)
    assert "in doubt" not in said


def test_a_read_that_breaks_its_promise_is_a_finding_there_too() -> None:
    with serve(acme_server.create_app("wrong-envelope")) as url:
        run = begun(url, Limits(read_only=True))
        assert "broken" in held(run, "errors_wear_the_envelope")


def test_what_takes_time_is_not_tested_there_and_the_world_is_left_as_it_was() -> None:
    with serve(create_app(["pelcro"])) as url:
        run = Run.begin(Settings("pelcro", f"{url}/pelcro", "smoke", world="only-read", limits=Limits(read_only=True)))
        with run.client("promises") as client:
            for name in ("time_moves_states", "tenants_never_meet"):
                for subject in PROMISES[name].subjects(run.scope):
                    run.hold(PROMISES[name], subject, client)
            assert client.world == "only-read-promises"
    time_outcomes = [outcome for outcome in run.outcomes if outcome.promise == "time_moves_states"]
    assert all(outcome.status == "not tested" and READ_ONLY in outcome.reason for outcome in time_outcomes)
    assert {outcome.status for outcome in run.outcomes} == {"kept", "not tested"}


def test_where_nothing_can_be_put_to_the_test_nothing_is_told() -> None:
    counted = Counted()
    with serve(counted.app) as url:
        stream = io.StringIO()
        limits = Limits(read_only=True)
        code = check(("wispgate",), url, "smoke", limits=limits, workers=1, console=Console(file=stream, width=200))
    assert (code, counted.changing) == (UNTOLD, [])
    assert UNTESTED in stream.getvalue()


# How limits are said ----------------------------------------------------------------------------------------------------


def test_an_option_goes_before_a_key_of_the_target_file(tmp_path: Path) -> None:
    file = tmp_path / "target.yaml"
    file.write_text("token: t\ntimeout: 60\npatience: 5\nconsistency: 0.5\nread-only: true\n")
    assert limits_of(file, Limits(timeout=2)) == Limits(2, 5, 0.5, read_only=True)
    assert limits_of(None, Limits(timeout=2)) == Limits(2)


@pytest.mark.parametrize(
    "said",
    [
        "timeout: 0",
        "timeout: soon",
        "patience: -1",
        "consistency: .nan",
        "timeout: .inf",
        "read-only: 3",
        "timeout: true",
    ],
)
def test_what_is_no_limit_is_refused_by_name(said: str, tmp_path: Path) -> None:
    file = tmp_path / "target.yaml"
    file.write_text(f"token: t\n{said}\n")
    with pytest.raises(BadTarget, match=said.partition(":")[0]):
        limits_of(file, UNSAID)


def test_what_was_said_stands_in_the_command_that_does_it_again() -> None:
    limits = Limits(timeout=2.5, consistency=0.5, read_only=True)
    assert (
        Settings(DOCUMENT, "http://127.0.0.1:9", limits=limits)
        .replay()
        .endswith("--mockingbill-timeout 2.5 --mockingbill-consistency 0.5 --mockingbill-read-only")
    )


# What is not there ------------------------------------------------------------------------------------------------------


def test_what_needs_another_tenant_or_a_clock_is_not_tested_and_the_rest_of_a_promise_is(tmp_path: Path) -> None:
    file = tmp_path / "target.yaml"
    file.write_text("token: acme-sandbox-001\ntenant: north\n")
    with serve(acme_server.create_app()) as url:
        run = begun(url, file=file)
        assert held(run, *PROMISES) == {"kept", "not tested"}
    untested = {(o.promise, o.subject): o.reason for o in run.outcomes if o.status == "not tested"}
    kept = {(o.promise, o.subject) for o in run.outcomes if o.status == "kept"}
    for promise, subject, part in [
        ("retry_replays", "createCustomer", " in another tenant"),
        ("unique_is_refused", "createCustomer external_id", " in another tenant"),
        ("tenants_never_meet", "createCustomer", ""),
    ]:
        assert untested[promise, subject + part] == ALONE
        assert ((promise, subject) in kept) == bool(part)
    assert untested["credentials_matter", "listCustomers expired"] == "no expired credential is known"
    assert "no clock to move" in untested["cancelled_stays_cancelled", "Customer archived"]
    assert all(o.calls for o in run.outcomes if o.status == "kept")
    assert run.doubts == []


def test_without_a_deletion_nothing_is_said_about_deletions() -> None:
    with serve(acme_server.create_app("delete-keeps")) as url:
        run = begun(url)
        run.scope.__dict__["operations"] = tuple(o for o in run.scope.operations if o.action.verb != "delete")
        assert held(run, "deleted_is_gone") == set()
        assert held(run, "ids_are_never_reused") == {"kept"}
        assert lifecycle.execute(run, "Customer").status == "kept"
        assert {outcome.status for outcome in responses.execute(run, "fuzzing")} == {"kept"}


@pytest.mark.parametrize(
    "command", [["check", "acme", "--target", "http://127.0.0.1:9"], ["matrix", "acme", "a=http://127.0.0.1:9"]]
)
@pytest.mark.parametrize(("option", "value"), [("--timeout", "0"), ("--patience", "nan"), ("--consistency", "-1")])
def test_an_option_that_is_no_length_of_time_is_a_usage_error(command: list[str], option: str, value: str) -> None:
    result = CliRunner().invoke(main, [*command, option, value])
    assert result.exit_code == 2
    assert f"{option} is a number of seconds" in result.output


def test_the_pytest_plugin_has_the_same_limits(tmp_path: Path) -> None:
    options = ["--mockingbill-vendor", DOCUMENT, "--mockingbill-read-only", "--mockingbill-timeout", "5"]
    counted = Counted()
    with serve(counted.app) as url:
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--pyargs", "conformance.suite"]
        command += [*options, "--mockingbill-target", url, "--mockingbill-profile", "smoke", "-k", "answers_match"]
        run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=120, check=False)
    assert run.returncode == 0, run.stdout
    assert "3 passed, 4 skipped" in run.stdout
    assert counted.changing == []


def test_a_matrix_says_that_it_waits_and_no_more() -> None:
    said = io.StringIO()
    with serve(refusing(30, lambda: "1")) as url:
        matrix(DOCUMENT, {"mine": url}, console=Console(file=said, width=300, highlight=False), workers=1)
    lines = said.getvalue().splitlines()
    assert lines[0] == f"checking {DOCUMENT} of mine at {url}"
    assert [line.partition(": waiting ")[2] for line in lines[1:]] == [f"1 s, 1 of 300 s in all: {LIMITED}"]


def test_the_pytest_plugin_says_that_it_waits(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--pyargs", "conformance.suite"]
    command += ["--mockingbill-vendor", DOCUMENT, "--mockingbill-profile", "smoke", "-k", "states_are_kept"]
    with serve(refusing(4, lambda: "1")) as url:
        command += ["--mockingbill-target", url]
        run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=120, check=False)
    assert f"mockingbill: waiting 1 s, 1 of 300 s in all: {LIMITED}" in run.stdout
    assert run.returncode == 0, run.stdout
