"""The peers that we wrote for the benchmarks do what is claimed of them, and what is found is told as it was found."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from bench import report
from bench.__main__ import main
from bench.machine import CannotMeasure, Cores
from bench.results import Figure, Ratio, Row, quotient
from bench.rows import operations
from bench.rows.customers import HEADERS, new
from bench.servers import bare, bare_filter, mockoon, stock
from bench.servers.customers import DOCUMENT, Customers
from mock_server.contract import load, load_fixtures
from mock_server.seeds import flaws


def asked(app: Any, method: str, path: str, body: Any = None, headers: dict[str, str] = HEADERS) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            return await client.request(method, path, json=body, headers=headers)

    return asyncio.run(ask())


@pytest.fixture(params=[bare, stock], ids=["bare", "stock"])
def peer(request: pytest.FixtureRequest) -> tuple[Any, Customers]:
    customers = Customers()
    return request.param.build(customers), customers


def test_a_peer_creates_and_shows_a_customer(peer: tuple[Any, Customers]) -> None:
    app, _ = peer
    made = asked(app, "POST", "/customers", new("1"))
    assert made.status_code == 201
    assert made.json().items() >= new("1").items()
    assert asked(app, "GET", f"/customers/{made.json()['id']}").json() == made.json()
    assert asked(app, "GET", "/customers").json()[1] == made.json()
    assert asked(app, "GET", "/customers/search?email=grace-1@example.com").json() == [made.json()]
    assert asked(app, "GET", "/customers/search?external_id=ext-1").json() == [made.json()]
    assert asked(app, "GET", "/customers/search?external_id=ext-2").json() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"currency": "XXX"},
        {"email": "nobody"},
        {"address": {"line1": "1 Example Street"}},
        {"credit_cents": -1},
    ],
)
def test_a_peer_validates_requests(peer: tuple[Any, Customers], wrong: dict[str, Any]) -> None:
    app, customers = peer
    assert asked(app, "POST", "/customers", {**new("1"), **wrong}).status_code in (400, 422)
    assert len(customers.records) == 1


def test_the_bare_peer_checks_formats_that_stock_connexion_may_not() -> None:
    assert (
        asked(bare.build(Customers()), "POST", "/customers", {**new("1"), "starts_on": "tomorrow"}).status_code == 422
    )


def test_a_peer_validates_parameters_and_credentials(peer: tuple[Any, Customers]) -> None:
    app, _ = peer
    assert asked(app, "GET", "/customers?page=0").status_code == 400
    assert asked(app, "GET", "/customers/search?external_id=no%20blank").status_code == 400
    assert asked(app, "GET", "/customers", headers={}).status_code == 401
    assert asked(app, "GET", "/customers", headers={"Authorization": "Bearer someone-else"}).status_code == 401
    assert asked(app, "GET", "/customers/nobody").status_code == 404


def test_a_peer_keeps_external_ids_unique(peer: tuple[Any, Customers]) -> None:
    app, _ = peer
    assert [asked(app, "POST", "/customers", new("1")).status_code for _ in range(2)] == [201, 409]


def test_a_peer_validates_responses(peer: tuple[Any, Customers]) -> None:
    app, customers = peer
    customers.records["cus_0000001"]["credit_cents"] = "a lot"
    assert asked(app, "GET", "/customers/cus_0000001").status_code == 500
    assert asked(app, "GET", "/customers").status_code == 500


def test_the_bare_filter_finds_by_mail_and_validates() -> None:
    from bench.rows.subscriptionflow import PATH, body, credentials

    app, headers = bare_filter.build(), dict(credentials())
    asked(app, "POST", PATH, body("complete"), headers)
    condition = {"filter": {"email": {"$equals": body("complete")["email"]}}}
    found = asked(app, "POST", f"{PATH}/filter", condition, headers)
    assert found.status_code == 201
    assert [record["name"] for record in found.json()["data"]] == [body("complete")["name"]]
    assert asked(app, "POST", f"{PATH}/filter", {"filter": {"email": {"$like": "x"}}}, headers).status_code == 400
    assert asked(app, "POST", f"{PATH}/filter", condition, {}).status_code == 401


def test_the_small_document_and_its_fixtures_are_right() -> None:
    contract = load(DOCUMENT)
    assert list(flaws(contract, load_fixtures(contract))) == []
    fields = contract.document["components"]["schemas"]["NewCustomer"]["properties"]
    assert len(fields) == 12
    assert set(new("1")) == set(fields)


@pytest.mark.parametrize("size", [10, 1000])
def test_a_generated_document_has_as_many_operations_as_it_says(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "CACHE", tmp_path)
    contract = load(operations.document(size))
    assert len(contract.operations) == size


def test_mockoon_gets_one_bucket() -> None:
    environment = mockoon.environment()
    assert environment["routes"][0]["responses"][0]["databucketID"] == environment["data"][0]["id"]


def test_a_ratio_is_reached_by_its_median() -> None:
    faster = Ratio("get", "them", "requests a second", quotient([9.0, 2.0, 6.0], [2.0, 2.0, 2.0]), 3.0)
    assert faster.values == (4.5, 1.0, 3.0)
    assert faster.reached
    assert not Ratio("get", "them", "time", (1.0, 1.31, 2.0), 1.3, "most").reached
    assert Ratio("get", "them", "time", (1.0,)).reached is None


def test_a_row_is_kept_whole(tmp_path: Path) -> None:
    row = a_row()
    path = row.write(tmp_path)
    assert Row.read(path) == row
    assert json.loads(path.read_text())["ratios"][0]["summary"] == {
        "min": 1.0,
        "median": 2.0,
        "max": 4.0,
        "reached": False,
    }


def test_the_tables_stand_between_the_marks_and_the_rest_stays(tmp_path: Path) -> None:
    path = tmp_path / "performance.md"
    path.write_text(f"# Performance\n\nWhy.\n\n{report.BEGIN}\nold\n{report.END}\n\nAfter.\n")
    report.write(path, report.markdown([a_row()]))
    text = path.read_text()
    assert text.startswith("# Performance\n\nWhy.\n")
    assert text.endswith("\n\nAfter.\n")
    assert "old" not in text
    assert "| get | them | CPU time | at least 3 | 1.00x | 2.00x | 4.00x | no |" in text
    assert "| get | us | 1,234 |" in text
    report.write(path, report.markdown([a_row()]))
    assert path.read_text() == text


def test_the_summary_has_a_line_for_all_that_was_asked() -> None:
    asked = [
        Ratio("get", "them", by, values, 3.0) for by, values in (("requests a second", (4.0,)), ("CPU time", (2.0,)))
    ]
    row = replace(
        a_row(),
        ratios=(*asked, Ratio("list", "them", "time", (9.0,)), Ratio("start", "them", "time", (2.0,), 1.0, "most")),
    )
    text = report.summary([row])
    assert (
        "| get | them | at least 3 | 4.00x | 2.00x |\n| start | them | at most 1 | 2.00x, missed |  |\n\n2026-01-01; "
        in text
    )
    assert "list" not in text


def test_what_is_missing_is_said_and_ends_with_2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.peers.shutil.which", lambda name: None)
    monkeypatch.setattr("bench.load.os.geteuid", lambda: 1000)
    found = CliRunner().invoke(main, ["small"])
    assert found.exit_code == 2
    for name in ("wrk", "taskset", "node", "npm"):
        assert f"{name}" in found.stderr


def test_a_row_that_cannot_be_measured_does_not_stop_the_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(_: Any) -> Row:
        raise CannotMeasure("the peer answers wrongly")

    monkeypatch.setattr("bench.peers.prepare", lambda say, npm: Cores(0, 0))
    monkeypatch.setattr("bench.rows.records.measure", fail)
    monkeypatch.setattr("bench.rows.operations.measure", lambda _: a_row("operations"))
    found = CliRunner().invoke(main, ["records", "operations", "--no-docs", "--reports", str(tmp_path)])
    assert found.exit_code == 2
    assert "records could not be measured: the peer answers wrongly" in found.stderr
    assert Row.read(tmp_path / "operations.json").ratios == a_row().ratios


def a_row(name: str = "row") -> Row:
    ratio = Ratio("get", "them", "CPU time", (1.0, 2.0, 4.0), 3.0)
    return Row(
        name, "A row", "Somehow.", (ratio,), (Figure("get", "us", "requests/s", (1234.0,)),), "2026-01-01", "abc"
    )
