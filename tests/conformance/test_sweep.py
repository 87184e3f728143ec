"""`mockingbill sweep`: deletes what carries the mark, says what it cannot delete, and touches nothing else."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import acme_server
import httpx
import pytest
from acme import DOCUMENT
from click.testing import CliRunner
from rich.console import Console
from test_cleaning import Refusing

from conformance import cleaning
from conformance.client import Client
from conformance.records import make
from conformance.run import Run
from conformance.scope import Scope, read
from conformance.settings import Settings
from conformance.sweep import _dependent_first, sweep
from conformance.target import serve
from conformance.traces import Trace
from conformance.values import MARK
from mock_server import create_app
from mock_server.cli import main


@pytest.fixture
def url() -> Iterator[str]:
    with serve(create_app()) as url:
        yield url


def swept(vendor: str, target: str, **options: Any) -> tuple[int, str]:
    stream = io.StringIO()
    code = sweep(vendor, target, console=Console(file=stream, width=200, highlight=False), **options)
    return code, stream.getvalue()


def litter(vendor: str, url: str, *resources: str, inferred: bool = False) -> list[Any]:
    """Records as a check leaves them, in the world that everybody uses."""
    run = Run.begin(Settings(vendor, f"{url}/{vendor}", inferred=inferred, keep=True))
    with run.client("promises") as client:
        return [make(client, resource).key for resource in resources]


def listed(url: str, path: str) -> dict[str, Any]:
    run = Run.begin(Settings("subscriptionflow", f"{url}/subscriptionflow"))
    headers = {"Authorization": f"Bearer {run.target.caller.token}"}
    told = httpx.get(f"{url}/subscriptionflow/api/v1/{path}", headers=headers).json()
    return {record["id"]: record for record in told["data"]}


def test_what_carries_the_mark_goes_and_nothing_else(url: str) -> None:
    before = listed(url, "customers"), listed(url, "subscriptions"), listed(url, "products")
    keys = litter("subscriptionflow", url, "Customer", "Product", "Subscription", "Customer")
    code, said = swept("subscriptionflow", f"{url}/subscriptionflow")
    assert code == 0, said
    assert (listed(url, "customers"), listed(url, "subscriptions"), listed(url, "products")) == before
    for key in keys:
        assert f" {key} (" in said
    assert re.search(r"subscriptionflow: (\d+) with the mark, \1 deleted", said)
    assert said.endswith("exit 0: nothing left\n")
    assert said.index("deleted       Subscription") < said.index("deleted       Customer"), "dependent records go first"


def test_a_dry_run_only_says_so(url: str) -> None:
    (key,) = litter("subscriptionflow", url, "Customer")
    code, said = swept("subscriptionflow", url, dry_run=True)
    assert (code, f"would delete  Customer {key} (" in said) == (1, True)
    assert key in listed(url, "customers")
    assert re.search(r"subscriptionflow: (\d+) with the mark, 0 deleted\nexit 1: \1 left$", said)
    assert "EmailAddress" in said, "what came with it was made too"


def test_another_tenants_are_found_too() -> None:
    app = acme_server.create_app()
    with serve(app) as url:
        run = Run.begin(Settings(DOCUMENT, url, keep=True))
        with run.client("promises") as client:
            made = [make(client, "Customer", caller=c).key for c in (client.caller, *client.target.others)]
        code, said = swept(DOCUMENT, url)
    assert code == 0
    assert all(f"Customer {key} (" in said for key in made)
    assert "2 with the mark, 2 deleted" in said


def test_a_name_that_only_mentions_the_mark_is_somebody_elses() -> None:
    with serve(acme_server.create_app()) as url:
        with httpx.Client(base_url=url, headers={"Authorization": "Bearer acme-sandbox-001"}) as http:
            for name in (f"our {MARK}test", "mockingbill", "Mockingbill-1", f" {MARK}1"):
                body = {"name": name, "currency": "USD", "metadata": {MARK: "theirs"}}
                assert http.post("/customers", json=body).status_code == 201
        assert "acme: 0 with the mark, 0 deleted" in swept(DOCUMENT, url)[1]


def test_what_cannot_be_deleted_is_said() -> None:
    with serve(Refusing(acme_server.create_app(), 409)) as url:
        run = Run.begin(Settings(DOCUMENT, url, keep=True))
        with run.client("promises") as client:
            key = make(client, "Customer").key
        code, said = swept(DOCUMENT, url)
    assert code == 1
    assert f"cannot delete Customer {key} (" in said
    assert ": deleteCustomer was answered 409" in said


def test_what_is_refused_is_tried_once_more_when_the_rest_is_gone(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    litter("subscriptionflow", url, "Customer", "Product")
    asked: list[str] = []

    def delete(client: Client, trace: Trace) -> str:
        asked.append(trace.resource)
        return cleaning.delete(client, trace) if asked.count(trace.resource) > 1 else "not yet"

    monkeypatch.setattr("conformance.sweep.delete", delete)
    code, said = swept("subscriptionflow", url)
    assert (code, "not yet" in said) == (0, False)
    assert asked.count("Product") == 2


def test_ctrl_c_is_130_and_what_was_deleted_was_said(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    litter("subscriptionflow", url, "Customer", "Product")

    def delete(client: Client, trace: Trace) -> str:
        if trace.resource == "Customer":
            raise KeyboardInterrupt
        return cleaning.delete(client, trace)

    monkeypatch.setattr("conformance.sweep.delete", delete)
    code, said = swept("subscriptionflow", url)
    assert (code, "deleted       EmailAddress" in said) == (130, True)
    assert "exit 130: stopped" in said.splitlines()[-1]


def test_a_contract_without_deletions_leaves_all_of_it() -> None:
    with serve(create_app(["wispgate"], inferred=True)) as url:
        (key,) = litter("wispgate", url, "Subscriber")
        code, said = swept("wispgate", url, include_inferred=True)
    assert code == 1
    assert f"cannot delete Subscriber {key} (" in said
    assert "no operation of the contract deletes one" in said


def test_a_list_that_fails_leaves_it_open_and_the_rest_is_swept(url: str) -> None:
    code, said = swept("wispgate", url, include_inferred=True)
    assert (code, "not looked at Subscriber: expected 200 for GET" in said) == (2, True)


@pytest.mark.parametrize("vendor", ["wispgate", "pelcro", "stykite"])
def test_where_no_list_shows_what_checks_make_nobody_can_tell(url: str, vendor: str) -> None:
    code, said = swept(vendor, url)
    assert (code, "no operation in scope lists them" in said) == (2, True)


@pytest.mark.parametrize(
    ("vendor", "target", "said"),
    [
        ("acme", "http://127.0.0.1:9", "there is no vendor"),
        ("wispgate", "http://127.0.0.1:9", "does not answer"),
        ("wispgate", "nowhere", "neither a URL"),
    ],
)
def test_bad_arguments_are_exit_2(vendor: str, target: str, said: str) -> None:
    done = CliRunner().invoke(main, ["sweep", vendor, "--target", target])
    assert done.exit_code == 2
    assert said in done.output


def test_refused_credentials_are_exit_2(url: str, tmp_path: Path) -> None:
    (tmp_path / "target.yaml").write_text("token: nobody\n")
    file = str(tmp_path / "target.yaml")
    done = CliRunner().invoke(main, ["sweep", "subscriptionflow", "--target", url, "--target-file", file])
    assert (done.exit_code, "could not tell" in done.output) == (2, True)


def test_what_refers_to_others_comes_before_them() -> None:
    scope = Scope(read("subscriptionflow"))
    names = list(dict.fromkeys(operation.action.resource for operation in scope.acting("create")))
    order = _dependent_first(scope, names)
    assert sorted(order) == sorted(names)
    assert order.index("Subscription") < order.index("Customer")
    assert order.index("Usage") < order.index("Subscription")
