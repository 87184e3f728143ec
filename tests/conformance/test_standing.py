"""A target that may only be read is judged by the records that are there: wrong ones are caught, and what comes or goes meanwhile is no finding."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import httpx
import living_server
import pytest
from acme import DOCUMENT
from limited_servers import Counted, Proceed, behind
from living_server import HAPPENING, Forgetful
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from conformance.limits import READ_ONLY, Limits
from conformance.preflight import preflight
from conformance.promise import all_promises
from conformance.run import Outcome, Run, rehearse
from conformance.settings import Settings
from conformance.standing import CHANGED, MOST
from conformance.target import serve
from mock_server import create_app
from mock_server.faulty import catalogue

PROMISES = {promise.name: promise for promise in all_promises()}
LISTS = ("pages_partition", "list_holds_each_once", "filters_match_exactly")


def read(app: Any, *names: str) -> list[Outcome]:
    """What comes of some promises, or of all, where the server may only be read."""
    with serve(app) as url:
        run = Run.begin(Settings(DOCUMENT, url, "smoke", limits=Limits(read_only=True)))
        preflight(run)
        rehearse(run, tuple(PROMISES[name] for name in names or PROMISES))
        assert run.doubts == []
        return run.outcomes


def said(outcomes: list[Outcome]) -> dict[str, str]:
    """The subjects, and what came of each: its state, or why it was not tested."""
    return {outcome.subject: outcome.reason or outcome.status for outcome in outcomes}


def broken(outcomes: list[Outcome]) -> set[str]:
    return {outcome.subject for outcome in outcomes if outcome.status == "broken"}


# What is there --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("many", "pages", "once"),
    [
        (1, "only 1 is there: pages cannot be told apart", "only 1 is there: nothing could stand there twice"),
        (7, "only 7 are there: pages cannot be told apart", "kept"),
        (10, "only 10 are there: pages cannot be told apart", "kept"),
        (11, "kept", "kept"),
        (30, "kept", "kept"),
    ],
)
def test_a_list_is_judged_by_what_it_holds_and_not_where_that_is_too_little(many: int, pages: str, once: str) -> None:
    for promise, due in (("pages_partition", pages), ("list_holds_each_once", once)):
        told = due if due == "kept" else f"{READ_ONLY}, and {due}"
        assert said(read(living_server.create_app(many), promise)) == {"listCustomers": told}


def test_an_empty_list_is_neither_kept_nor_broken() -> None:
    async def answering(request: Request, proceed: Proceed) -> Response:
        if request.method == "GET" and request.url.path == "/customers":
            return JSONResponse({"data": [], "total": 0, "next": None})
        return await proceed()

    outcomes = read(behind(answering), *LISTS)
    assert {outcome.status for outcome in outcomes} == {"not tested"}
    assert all(outcome.reason.startswith(f"{READ_ONLY}, and only 0 are there") for outcome in outcomes)


def test_a_long_list_is_read_as_far_as_ten_pages_and_that_is_said() -> None:
    counted = Counted(living_server.create_app(1234))
    told = said(read(counted.app, "pages_partition"))
    assert told["listCustomers"] == "kept"
    assert told["listCustomers to its end"] == f"{READ_ONLY}, and it has more than {MOST} pages"
    assert counted.reading < 3 * MOST


def test_nothing_is_changed_and_what_is_there_is_found_in_every_layer() -> None:
    counted = Counted(living_server.create_app(25))
    outcomes = read(counted.app)
    assert counted.changing == []
    kept = {(outcome.promise, outcome.subject) for outcome in outcomes if outcome.status == "kept"}
    assert {(name, "listCustomers") for name in LISTS} < kept
    assert ("filters_match_exactly", "filterCustomers") in kept


# Wrong servers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("many", [25, 30, 151])
@pytest.mark.parametrize("fault", ["page-skips", "page-repeats", "total-off-by-one"])
def test_wrong_pages_are_found(fault: str, many: int) -> None:
    (outcome, *_) = read(living_server.create_app(many, fault), "pages_partition")
    assert outcome.status == "broken"
    assert all(line.startswith("curl -X GET ") for finding in outcome.findings for line in finding.requests)


@pytest.mark.parametrize("fault", ["page-skips", "page-repeats", "total-off-by-one"])
def test_a_wrong_list_is_found(fault: str) -> None:
    assert broken(read(living_server.create_app(25, fault), "list_holds_each_once")) == {"listCustomers"}


def test_a_list_without_a_record_that_can_be_retrieved_is_found() -> None:
    outcomes = read(living_server.create_app(6, kind=Forgetful), "list_holds_each_once")
    assert [outcome.reason for outcome in outcomes] == ["expected 'cus_000006' once; observed 0 times"]


@pytest.mark.parametrize(
    ("change", "observed"),
    [
        ({"next": "/customers?page=1"}, "a next link to page=2 on page 1; observed '/customers?page=1'"),
        ({"next": None}, "a next link to page=2 on page 1; observed None"),
        ({"total": None}, "a total on page 1; observed None"),
        ({"data": []}, "10 records on page 1, of a total of 25; observed 0"),
    ],
)
def test_a_wrong_first_page_is_found(change: dict[str, Any], observed: str) -> None:
    inner = living_server.create_app(25)

    async def answering(request: Request, proceed: Proceed) -> Response:
        response = await proceed()
        if request.method != "GET" or request.query_params.get("page", "1") != "1" or response.status_code != 200:
            return response
        with_total = httpx.Response(200, content=response.body).json()
        return JSONResponse({**with_total, **change} if "data" in with_total else with_total)

    (outcome, *_) = read(behind(answering, inner), "pages_partition")
    assert outcome.reason == f"expected {observed}"


@pytest.mark.parametrize(
    ("fault", "subject"),
    [
        ("filter-ignored", "listCustomers"),
        ("filters-joined-by-or", "listCustomers"),
        ("operator-wrong", "filterCustomers"),
        ("conditions-joined-by-or", "filterCustomers"),
        ("compared-as-text", "filterCustomers"),
        ("form-ignored", "filterCustomers"),
        ("limit-ignored", "filterCustomers"),
    ],
)
def test_a_wrong_filter_is_found(fault: str, subject: str) -> None:
    assert broken(read(living_server.create_app(25, fault), "filters_match_exactly")) == {subject}


# What comes and goes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("every", [1, 6])
@pytest.mark.parametrize("how", HAPPENING)
def test_what_comes_and_goes_is_no_finding(how: str, every: int) -> None:
    outcomes = read(living_server.create_app(25, how=how, every=every))
    assert [outcome.reason for outcome in outcomes if outcome.findings] == []
    assert {outcome.status for outcome in outcomes} == {"kept", "not tested"}


@pytest.mark.parametrize("fault", ["page-skips", "page-repeats", "filter-ignored", "operator-wrong"])
def test_a_wrong_server_is_found_though_something_comes_now_and_then(fault: str) -> None:
    app = living_server.create_app(25, fault, "one comes, the first goes", 40)
    assert broken(read(app, *LISTS)) != set()


def test_a_list_that_is_never_the_same_is_not_tested() -> None:
    app = living_server.create_app(25, how="one comes at the beginning, the last goes")
    assert said(read(app, "pages_partition")) == {"listCustomers": CHANGED}


def test_a_record_that_is_gone_is_no_finding_and_one_that_is_shown_and_cannot_be_read_is() -> None:
    for hidden, due in ((2, set[str]()), (10**6, {"getCustomer"})):
        asked = count(1)

        async def answering(request: Request, proceed: Proceed, until: int = hidden, asked: Any = asked) -> Response:
            if request.url.path.startswith("/customers/") and next(asked) < until:
                return JSONResponse({"error": {"code": "unknown", "message": "There is no such customer."}}, 404)
            return await proceed()

        app = behind(answering, living_server.create_app(25))
        assert broken(read(app, "answers_match_their_schema")) == due


def test_what_is_not_found_again_is_no_finding() -> None:
    calls = count(1)

    async def answering(request: Request, proceed: Proceed) -> Response:
        response = await proceed()
        if request.method == "GET" and 4 < next(calls) < 13 and b'"total":25' in response.body:
            return Response(response.body.replace(b'"total":25', b'"total":26'), 200, media_type="application/json")
        return response

    assert broken(read(behind(answering, living_server.create_app(25)), "pages_partition")) == set()


# Our own mock ---------------------------------------------------------------------------------------------------------


@contextmanager
def subscriptionflow(fault: str, many: int) -> Iterator[Run]:
    """SubscriptionFlow's sandbox, right or wrong, with customers that were made beforehand, to be read only."""
    app = create_app(["subscriptionflow"])
    with serve(catalogue()[fault].installed(app) if fault else app) as url:
        base = f"{url}/subscriptionflow"
        run = Run.begin(Settings("subscriptionflow", base, "smoke", limits=Limits(read_only=True)))
        with httpx.Client(headers={"Authorization": f"Bearer {run.target.caller.token}"}, trust_env=False) as http:
            for n in range(many):
                name = f"{('Ada', 'Bob', 'Cyd')[n % 3]} Example {n // 2}"
                body = {"name": name, "email": f"c{n}@example.com", "company": f"Company {n % 7}"}
                assert http.post(f"{base}/api/v1/customers", json=body).is_success
                if many < 50:
                    assert http.post(f"{url}/_mock/clock", json={"advance": "PT1M"}).is_success
        preflight(run)
        yield run


def of_customers(run: Run, *names: str) -> list[Outcome]:
    with run.client("promises") as client:
        for name in names:
            for subject in PROMISES[name].subjects(run.scope):
                if "Customers" in subject.name:
                    run.hold(PROMISES[name], subject, client)
    return run.outcomes


def test_our_mock_with_records_made_beforehand_keeps_what_can_be_read() -> None:
    with subscriptionflow("", 205) as run:
        outcomes = of_customers(run, *LISTS)
    assert len(outcomes) == 6
    assert {outcome.status for outcome in outcomes} == {"kept"}


@pytest.mark.parametrize("fault", ["page-skips", "pages-too-small", "next-for-ever", "page-after-the-last"])
def test_wrong_pages_of_our_mock_are_found(fault: str) -> None:
    with subscriptionflow(fault, 203) as run:
        assert broken(of_customers(run, "pages_partition")) == {"listCustomers", "listCustomersWithRelations"}


@pytest.mark.parametrize(
    ("fault", "subject"),
    [
        ("starts-ignored", "filterCustomers"),
        ("starts-is-contains", "filterCustomers"),
        ("in-the-first", "filterCustomers"),
        ("is-null-finds-the-rest", "filterCustomers"),
        ("conditions-by-or", "filterCustomers"),
        ("offset-ignored", "filterCustomers"),
        ("order-ignored", "filterCustomers"),
        ("search-by-the-first", "searchCustomers"),
        ("search-finds-one", "searchCustomers"),
    ],
)
def test_wrong_filters_of_our_mock_are_found(fault: str, subject: str) -> None:
    with subscriptionflow(fault, 30) as run:
        assert broken(of_customers(run, "filters_match_exactly")) == {subject}
