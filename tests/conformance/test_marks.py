"""Whatever the suite makes can be told at sight: every create operation of every vendor and of the miniatures makes records that carry the mark."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import acme_server
import pytest
from club import club
from sandboxes import shop_vendor

from conformance.client import Client, Ledger
from conformance.finding import NotTested
from conformance.lifecycle.model import Model
from conformance.marks import is_marked, mark, marked_field, stamp
from conformance.records import base_body, make
from conformance.scope import Scope, read
from conformance.sights import see
from conformance.target import base_url, describe, serve
from conformance.values import MARK
from mock_server import create_app
from mock_server.contract import Operation, vendors

DATA = Path(__file__).parent.parent / "data"
MINIATURES = tuple(str(DATA / name / "openapi" / f"{name}.yaml") for name in ("acme", "club", "shop"))
DOCUMENTS = (*vendors(), *MINIATURES)

UNMARKED = {
    "stykite createPayment": "each of its fields names something that is there, or is one of a few words",
}
"""The create operations whose records have no field with room for the mark, and why; docs/conformance.md names them too."""


def scope_of(document: str) -> Scope:
    return Scope(read(document), inferred=True)


def creations() -> list[tuple[str, str, str | None]]:
    found = []
    for document in DOCUMENTS:
        scope = scope_of(document)
        for operation in scope.acting("create"):
            names = dict.fromkeys(name for name, _, _ in scope.examples(operation))
            found += [(document, operation.id, name) for name in names or [None]]
    return found


def named(case: Any) -> str:
    return Path(case).stem if isinstance(case, str) else str(case)


@pytest.fixture(scope="module")
def everything() -> Iterator[dict[str, str]]:
    with (
        serve(create_app(inferred=True)) as vendor,
        serve(create_app(extra=[shop_vendor(), club()])) as miniature,
        serve(acme_server.create_app()) as by_hand,
    ):
        yield {**dict.fromkeys(vendors(), vendor), "shop": miniature, "club": miniature, "acme": by_hand}


Clients = Callable[..., Client]


@pytest.fixture
def a_client(request: pytest.FixtureRequest) -> Iterator[Clients]:
    world = f"marks-{zlib.crc32(request.node.name.encode()):x}"
    with contextlib.ExitStack() as stack:

        def client(document: str, layer: str = "promises", url: str = "") -> Client:
            scope = scope_of(document)
            name = scope.contract.name
            at = url or base_url(request.getfixturevalue("everything")[name], name)
            made = Client(scope, describe(scope.contract, at, world), Ledger(), layer=layer)
            stack.callback(made.close)
            return made

        yield client


@pytest.mark.parametrize(("document", "name", "example"), creations(), ids=named)
def test_a_made_record_carries_the_mark(a_client: Clients, document: str, name: str, example: str | None) -> None:
    client = a_client(document)
    operation = client.scope.contract.operations[name]
    media, body = base_body(client, operation, example)
    sent = marked_field(client.scope, operation.action.resource, client.scope.fields(operation), body)
    reason = UNMARKED.get(f"{client.scope.contract.name} {name}")
    assert bool(sent) is (reason is None), "the list of exceptions is true both ways"
    if reason is None:
        assert is_shown(client, operation, body, media) in (True, None)


def is_shown(client: Client, operation: Operation, body: Any, media: str) -> bool | None:
    """Whether the record that comes of a body shows the mark: in its creation's answer, or read again; None where nothing shows it."""
    resource, view = operation.action.resource, operation.view(operation.action.resource)
    try:
        made = make(client, resource, body=body, media=media, operation=operation)
    except NotTested:
        assert client.scope.contract.name == "pelcro", "a gift and a payment that is not confirmed stand elsewhere"
        return None
    records = [(client.scope.shown(operation, view), made.record)] if view else []
    with contextlib.suppress(NotTested):
        sight, record = see(client, made)
        records += [(client.scope.shown(sight.operation, sight.view), record)] if record else []
    assert records
    return any(marked_field(client.scope, resource, fields, record) for fields, record in records)


def test_a_mark_is_a_word_of_the_records_own() -> None:
    scope = scope_of("subscriptionflow")
    fields = scope.fields(scope.contract.operations["createSubscription"])
    about = (scope, "Subscription", fields)
    assert marked_field(*about, {"name": f"{MARK}a"}) == "name"
    assert marked_field(*about, {"name": f"A {MARK}a", "customer_id": f"{MARK}1", "id": f"{MARK}2"}) == ""
    assert marked_field(*about, {"customer": {"name": f"{MARK}a"}}) == "customer", (
        "of what the schema says nothing, all is its own"
    )


def test_the_same_run_marks_in_the_same_way(a_client: Clients) -> None:
    bodies = []
    for _ in range(2):
        client = a_client(MINIATURES[0])
        bodies.append([base_body(client, o) for o in client.scope.acting("create") for _ in range(3)])
    assert bodies[0] == bodies[1]


class TestWhatIsMadeUp:
    """Bodies of the layers that draw them at random keep what was drawn, behind the mark."""

    @pytest.fixture
    def client(self, a_client: Clients) -> Client:
        return a_client(MINIATURES[0], "responses", "http://127.0.0.1:9")

    @pytest.fixture
    def create(self, client: Client) -> Operation:
        return client.scope.contract.operations["createCustomer"]

    def test_a_text_that_is_there_gets_the_mark_before_it(self, client: Client, create: Operation) -> None:
        assert stamp(client, create, {"name": "x", "currency": "USD"})["name"] == f"{client.fresh.mark} x"
        assert stamp(client, create, {"email": "x@example.com"})["email"] == f"{client.fresh.mark}-x@example.com"

    def test_a_text_at_its_greatest_length_stays_there(self, client: Client, create: Operation) -> None:
        longest = stamp(client, create, {"name": "x" * 200})["name"]
        assert (len(longest), is_marked(longest)) == (200, True)

    def test_what_does_not_fit_its_schema_stays_what_it_is(self, client: Client, create: Operation) -> None:
        for body in ({"name": ""}, {"name": 7}, {"name": "x" * 201}, {"currency": "USD"}, ["x"], "x", None):
            assert stamp(client, create, body) == body

    def test_a_valid_body_without_any_text_gets_one(self, client: Client, create: Operation) -> None:
        body = stamp(client, create, {"currency": "USD"}, add=True)
        assert is_marked(body["description"])

    def test_what_carries_the_mark_already_is_left_alone(self, client: Client, create: Operation) -> None:
        body = {"name": "x", "external_id": f"{MARK}1"}
        assert stamp(client, create, body) == body
        assert mark(client, create, {"name": f"{MARK}2"}) == {"name": f"{MARK}2"}
        update = client.scope.contract.operations["updateCustomer"]
        assert stamp(client, update, {"name": "x"}, {"external_id": f"{MARK}1"}) == {"name": "x"}
        assert is_marked(stamp(client, update, {"name": "x"}, {"name": f"{MARK}1"})["name"])

    def test_a_free_structure_takes_it_where_no_text_does(self, client: Client, create: Operation) -> None:
        client.scope.__dict__["fields"] = lambda operation: {
            "metadata": {"type": "object", "additionalProperties": True}
        }
        body = stamp(client, create, {"metadata": {"a": 1}}, add=True)
        assert body == {"metadata": {"a": 1, "mockingbill": client.fresh.mark}}


def test_random_lives_begin_with_a_mark(a_client: Clients) -> None:
    client = a_client(MINIATURES[0], "lifecycle")
    model = Model(client, "Customer", client.scope.creates("Customer")[0])
    life = model.born("full", {"name": "x", "email": "y", "external_id": "z", "description": ""})
    assert life is not None
    assert any(map(is_marked, life.told.values()))
