"""What Connexion's stock classes answer, the compiled path answers: to the byte, for generated requests to every operation."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from generated import TEXT, Maker, Sent
from hypothesis import HealthCheck, given, settings
from sandboxes import MOMENT, InProcess, shop_vendor

from mock_server import Call, Page, Vendor, create_app
from mock_server.actions import writable
from mock_server.app.stock import Stock
from mock_server.contract import Contract, Fixtures, Operation, load, load_fixtures, vendors

EXAMPLES = 10
"""Valid requests for each operation; each takes its share of the ways to spoil one."""
ACME = Path(__file__).parent.parent / "data" / "acme" / "openapi" / "acme.yaml"


def acme_vendor() -> tuple[Contract, Fixtures, Vendor]:
    """The miniature vendor of the conformance suite, served by our engine."""

    def answer(call: Call, result: Any) -> Any:
        if isinstance(result, Page):
            return {"data": [call.shown(record) for record in result.records], "total": result.total, "next": None}
        return call.shown(result) if isinstance(result, dict) else {"data": [call.shown(each) for each in result]}

    contract = load(ACME)
    vendor = Vendor("acme", answer=answer)
    vendor.action("createCustomer")(
        lambda call, proceed: call.create("Customer", {**writable(call), "status": "active"})
    )
    vendor.action("filterCustomers")(lambda call, proceed: list(call.scan("Customer")))
    return contract, load_fixtures(contract), vendor


def extras() -> list[tuple[Contract, Fixtures, Vendor]]:
    return [shop_vendor(), acme_vendor()]


class Pair:
    """Every vendor twice, with a store each: compiled, and by the stock classes."""

    def __init__(self) -> None:
        self.compiled, self.stock = (
            create_app(vendors(), extra=extras(), frozen=MOMENT, inferred=True, seed=7) for _ in range(2)
        )
        self._stock = {name: Stock(engine) for name, engine in self.stock.engines.items()}
        self.transports = (InProcess(self.compiled), InProcess(self._by_stock))
        self.makers = {name: Maker(engine.contract, engine.fixtures) for name, engine in self.compiled.engines.items()}
        self._worlds = 0

    async def _by_stock(self, scope: Any, receive: Any, send: Any) -> None:
        _, name, path = scope["raw_path"].decode("latin-1").split("/", 2)
        await self._stock[name].serve(scope, receive, send, f"/{path}", f"/{name}")

    @contextlib.contextmanager
    def world(self) -> Iterator[str]:
        """The name of a world that neither has seen, and will not see again."""
        self._worlds += 1
        name = f"w{self._worlds}"
        try:
            yield name
        finally:
            for app in (self.compiled, self.stock):
                next(iter(app.engines.values())).store.clear(name)

    def answers(self, vendor: str, sent: Sent, world: str) -> tuple[Any, Any]:
        """What both answer to a request in a world: status, headers, body."""
        headers = [(name.encode(), text.encode("latin-1")) for name, text in sent.headers.items()]
        headers += [(b"host", b"sandbox.example.com"), (b"x-mock-world", world.encode())]
        found = [
            transport.exchange(sent.method, f"/{vendor}{sent.path}".encode(), sent.query.encode(), headers, sent.body)
            for transport in self.transports
        ]
        return tuple((each.status_code, sorted(each.headers.multi_items()), each.content) for each in found)


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    made = Pair()
    yield made
    for transport in made.transports:
        transport.close()


def operations() -> list[Any]:
    contracts = [*map(load, vendors()), *(contract for contract, _, _ in extras())]
    return [
        pytest.param(contract.name, operation, id=f"{contract.name} {operation.id}")
        for contract in contracts
        for operation in contract.operations.values()
    ]


@pytest.mark.parametrize(("vendor", "operation"), operations())
def test_compiled_and_stock_answers_are_equal(pair: Pair, vendor: str, operation: Operation) -> None:
    maker = pair.makers[vendor]

    @settings(
        max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(maker.valid(operation), TEXT)
    def hold(sent: Sent, text: str) -> None:
        share = crc32(repr(sent).encode()) % EXAMPLES
        requests = [sent, sent, *maker.spoilt(operation, sent, text)[share::EXAMPLES]]  # the second is a retry
        with pair.world() as world:
            for request in requests:
                compiled, stock = pair.answers(vendor, request, world)
                assert compiled == stock, request
                assert compiled[0] < 500

    hold()
