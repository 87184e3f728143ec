"""A document becomes a contract: what is read, what follows from it, and what is refused by name and place."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shop import Shop, fresh

from mock_server.contract import (
    Action,
    Contract,
    ContractError,
    Idempotency,
    Operation,
    Pagination,
    Provenance,
    Tenancy,
    View,
    data_root,
    load,
    provenance,
    vendors,
)

CREATE = "/paths/~1things/post"
GET = "/paths/~1things~1{id}/get"
SELL = "/paths/~1things~1{id}~1sale/post"
SCHEMAS = "/components/schemas"


@pytest.fixture
def shop() -> Shop:
    return fresh()


@pytest.fixture(scope="module")
def contract(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    return fresh().load(tmp_path_factory.mktemp("shop"))


def test_a_vendor_is_a_document() -> None:
    assert set(vendors()) == {path.stem for path in (data_root() / "openapi").glob("*.yaml")}
    assert [load(name).name for name in vendors()] == list(vendors())


def test_the_facts_of_the_vendor_are_read(contract: Contract) -> None:
    assert (contract.name, contract.title, contract.error, contract.timestamps) == (
        "shop",
        "Shop",
        "Error",
        "date-time",
    )
    assert contract.tenancy == Tenancy("credential", "")
    assert contract.idempotency == Idempotency("Idempotency-Key", 24 * 3600, 423, 424)
    assert (contract.pagination, contract.filter_parameter) == (None, None)
    assert list(contract.webhooks) == ["thing.created"]


def test_pages_filters_and_tenants_are_read(shop: Shop, tmp_path: Path) -> None:
    shop.document["x-vendor"] |= {
        "pagination": {"parameter": "page", "size": 7, "total": "/meta/total"},
        "filter": {"parameter": "where"},
        "tenancy": {"in": "header", "name": "X-Tenant"},
        "timestamps": "epoch-seconds",
    }
    contract = shop.load(tmp_path)
    assert contract.pagination == Pagination("page", 7, "/meta/total", None)
    assert contract.filter_parameter == "where"
    assert contract.tenancy == Tenancy("header", "X-Tenant")
    assert contract.timestamps == "epoch-seconds"


@given(parts=st.tuples(*[st.integers(0, 999)] * 4))
@settings(max_examples=25, deadline=None)
def test_a_lifetime_is_read_in_seconds(
    tmp_path_factory: pytest.TempPathFactory, parts: tuple[int, int, int, int]
) -> None:
    shop, (days, hours, minutes, seconds) = fresh(), parts
    shop.put("/x-vendor/idempotency/lifetime", f"P{days}DT{hours}H{minutes}M{seconds}S")
    rule = shop.load(tmp_path_factory.mktemp("shop")).idempotency
    assert rule is not None
    assert rule.lifetime == days * 86_400 + hours * 3600 + minutes * 60 + seconds


@pytest.mark.parametrize(("text", "seconds"), [("P2D", 172_800), ("PT5M", 300), ("P1DT1S", 86_401)])
def test_a_lifetime_may_leave_parts_out(shop: Shop, tmp_path: Path, text: str, seconds: int) -> None:
    shop.put("/x-vendor/idempotency/lifetime", text)
    rule = shop.load(tmp_path).idempotency
    assert rule is not None
    assert rule.lifetime == seconds


def test_a_resource_is_read_with_what_its_properties_say(contract: Contract) -> None:
    thing = contract.resources["Thing"]
    assert (thing.key, thing.state, thing.unique, thing.scope) == ("id", "state", (("code",),), "tenant")
    assert list(thing.properties) == ["id", "code", "name", "size", "state", "made", "owner_id"]
    assert thing.properties["name"]["minLength"] == 1
    assert (thing.read_only, thing.write_only) == ({"id", "state", "made"}, frozenset())
    assert thing.references == {"owner_id": "Owner"}
    assert [name for name, facts in contract.resources.items() if facts.known] == ["Owner", "Credential"]


def test_properties_of_composed_schemas_are_those_of_their_parts(shop: Shop, tmp_path: Path) -> None:
    thing = shop.at(f"{SCHEMAS}/Thing")
    id_, *_ = thing["properties"].items()
    shop.put(
        f"{SCHEMAS}/Base", {"type": "object", "properties": {"id": {"type": "string"}, "made": {"type": "string"}}}
    )
    del thing["properties"]["id"]
    thing["allOf"] = [{"$ref": "#/components/schemas/Base"}, {"properties": {"id": id_[1]}}]
    facts = shop.load(tmp_path).resources["Thing"]
    assert set(facts.properties) >= {"id", "made", "name"}
    assert facts.properties["id"] == {"type": "string", "readOnly": True}


def test_an_operation_is_read(contract: Contract) -> None:
    sell = contract.operations["sellThing"]
    assert (sell.method, sell.path, sell.label) == ("post", "/things/{id}/sale", "POST /things/{id}/sale")
    assert sell.action == Action("update", "Thing", ("path", "id"), False, ("new",), {"state": "sold"})
    assert (sell.summary, sell.tag, sell.secured, sell.body) == ("Sell a thing", "Things", True, None)
    assert sell.provenance == Provenance("documented")
    assert sell.success.status == 204
    create = contract.operations["createThing"]
    assert create.body is not None
    assert create.body.references == {"owner_id": "Owner"}
    assert create.body.properties == {"code", "name", "size", "owner_id"}
    assert create.success.examples["application/json"]["one"]["value"] == {"id": "t-1", "name": "Lamp", "state": "new"}


def test_an_operations_statuses_are_the_vendors_with_its_own_over_them(shop: Shop, tmp_path: Path) -> None:
    shop.put(f"{CREATE}/x-statuses", {"missing": 400})
    contract = shop.load(tmp_path)
    assert contract.operations["createThing"].statuses == {**contract.statuses, "missing": 400}
    assert contract.operations["getThing"].statuses == contract.statuses


def test_an_operations_parameters_replace_those_of_its_path(shop: Shop, tmp_path: Path) -> None:
    shop.put(
        f"{SELL}/parameters",
        [{"name": "id", "in": "path", "required": True, "schema": {"type": "string", "x-references": "Thing"}}],
    )
    (parameter,) = shop.load(tmp_path).operations["sellThing"].parameters
    assert (parameter.name, parameter.where, parameter.required, parameter.references) == ("id", "path", True, "Thing")
    assert parameter.pointer == f"{SELL}/parameters/0"


@pytest.mark.parametrize(
    ("where", "style", "explode"), [("query", "form", True), ("header", "simple", False), ("cookie", "form", True)]
)
def test_a_parameters_style_is_openapis_default(
    shop: Shop, tmp_path: Path, where: str, style: str, explode: bool
) -> None:
    shop.put(f"{SELL}/parameters", [{"name": "q", "in": where, "schema": {"type": "string"}}])
    parameter = shop.load(tmp_path).operations["sellThing"].parameters[1]
    assert (parameter.style, parameter.explode) == (style, explode)


@pytest.mark.parametrize(
    ("security", "secured"),
    [(None, True), ([], False), ([{}], False), ([{"bearer": []}], True), ([{"bearer": []}, {}], False)],
)
def test_an_operation_is_secured_where_every_alternative_asks_for_something(
    shop: Shop, tmp_path: Path, security: Any, secured: bool
) -> None:
    if security is not None:
        shop.put(f"{GET}/security", security)
    assert shop.load(tmp_path).operations["getThing"].secured is secured


def test_the_views_of_an_answer_are_where_it_shows_records(shop: Shop, tmp_path: Path) -> None:
    shop.put(
        f"{SCHEMAS}/Short",
        {
            "type": "object",
            "x-view": "Thing",
            "properties": {"id": {"type": "string"}, "key": {"type": "string", "writeOnly": True}},
        },
    )
    things = {"type": "array", "items": {"$ref": "#/components/schemas/Short"}}
    part = {"type": "object", "properties": {"best": {"$ref": "#/components/schemas/Thing"}}}
    shop.put(f"{SCHEMAS}/Shelf", {"allOf": [part, {"properties": {"data": things}}]})
    shop.put(f"{GET}/responses/200/content/application~1json/schema", {"$ref": "#/components/schemas/Shelf"})
    operation = shop.load(tmp_path).operations["getThing"]
    assert operation.success.views == (
        View("Thing", ("best",), ("id", "code", "name", "size", "state", "made", "owner_id")),
        View("Thing", ("data", "-"), ("id",)),
    )
    assert operation.view("Thing") == operation.success.views[0]
    assert operation.view("Owner") is None
    body = {"best": {"id": 1}, "data": [{"id": 2}, "x", {"id": 3}]}
    assert [view.records(body) for view in operation.success.views] == [[{"id": 1}], [{"id": 2}, {"id": 3}]]
    assert [view.records([]) for view in operation.success.views] == [[], []]


def test_a_schema_that_holds_itself_is_entered_once(shop: Shop, tmp_path: Path) -> None:
    shop.put(f"{SCHEMAS}/Thing/properties/part", {"$ref": "#/components/schemas/Thing"})
    assert [view.path for view in shop.load(tmp_path).operations["getThing"].success.views] == [()]


def test_inferred_operations_are_served_when_asked_for(shop: Shop, tmp_path: Path) -> None:
    shop.put(f"{GET}/x-provenance", {"inferred": "for want of a page"})
    contract = shop.load(tmp_path)

    def names(operations: tuple[Operation, ...]) -> list[str]:
        return [operation.id for operation in operations]

    assert names(contract.serves(inferred=False)) == ["createThing", "sellThing"]
    assert names(contract.serves(inferred=True)) == ["createThing", "getThing", "sellThing"]


@pytest.mark.parametrize(
    ("node", "found"),
    [
        ({}, None),
        ({"x-provenance": "documented"}, Provenance("documented")),
        ({"x-provenance": {"published": "a manual"}}, Provenance("published", "a manual")),
    ],
)
def test_provenance_is_a_level_with_its_source(node: Any, found: Provenance | None) -> None:
    assert provenance(node) == found
    assert provenance(node, Provenance("inferred")) == (found or Provenance("inferred"))


def test_provenance_is_shown_with_its_source() -> None:
    assert [str(Provenance("documented")), str(Provenance("published", "a manual"))] == [
        "documented",
        "published (a manual)",
    ]


LOST = "the reference #/components/responses/Lost names nothing"
REFUSED: list[tuple[str, Any, str, str]] = [
    ("/x-vendor", None, "", "x-vendor is missing"),
    (f"{GET}/operationId", None, GET, "GET /things/{id} has no operationId"),
    (f"{GET}/x-action", None, GET, "GET /things/{id} has no x-action"),
    (f"{GET}/x-provenance", None, GET, "GET /things/{id} has no x-provenance"),
    (f"{GET}/operationId", "createThing", GET, "the operationId createThing stands twice"),
    (f"{GET}/x-colour", "blue", f"{GET}/x-colour", "x-colour is not in the vocabulary (openapi/README.md)"),
    (f"{GET}/responses/default", {"description": "Any."}, f"{GET}/responses/default", "default is no status: list them one by one"),
    (f"{SELL}/responses/204", None, SELL, "sellThing documents no success"),
    (f"{GET}/x-action", {"many": True}, f"{GET}/x-action", "this one names none"),
    (f"{GET}/x-action", {"list": "Thing", "search": "Thing"}, f"{GET}/x-action", "this one names ['list', 'search']"),
    (f"{GET}/x-action", {"list": "Desk"}, f"{GET}/x-action", "x-action names Desk, which is no resource"),
    (f"{GET}/x-action/by", "query.id", f"{GET}/x-action", "x-action is by query.id, which is no parameter of the operation"),
    (f"{GET}/x-action/by", "body.id", f"{GET}/x-action", "x-action is by body.id, which is no property of the body"),
    (f"{GET}/x-action/moves", {"id": {"a": "b"}}, f"{GET}/x-action/moves/id", "id is no property of the body"),
    (f"{GET}/x-action", {"retrieve": "Thing"}, f"{GET}/x-action", "x-action retrieve needs `by`: where the key stands"),
    (f"{SCHEMAS}/Thing/x-resource/key", "number", f"{SCHEMAS}/Thing/x-resource", "x-resource of Thing names number, which is no property of it"),
    (f"{SCHEMAS}/Thing/x-resource/unique", [["name", "colour"]], f"{SCHEMAS}/Thing/x-resource", "x-resource of Thing names colour"),
    (f"{SCHEMAS}/Thing/x-resource/mint", {"size": "s{n}"}, f"{SCHEMAS}/Thing/x-resource/mint/size", "size is an integer, s{n} is not"),
    (f"{SCHEMAS}/Thing/properties/owner_id/x-references", "Holder", f"{SCHEMAS}/Thing", "the property owner_id refers to Holder"),
    (f"{SCHEMAS}/Error/x-view", "Desk", f"{SCHEMAS}/Error", "x-view names Desk, which is no resource"),
    (f"{CREATE}/requestBody/content", {}, f"{CREATE}/requestBody", "the body has no media type"),
    ("/components/parameters/Key/x-references", "Holder", "/components/parameters/Key", "the parameter Idempotency-Key refers to Holder"),
    (f"{GET}/responses/404", {"$ref": "#/components/responses/Lost"}, f"{GET}/responses/404", LOST),
    ("/components/responses/Failed", {"$ref": "#/components/responses/Failed"}, "/components/responses/Failed", "names nothing"),
    (f"{GET}/responses", None, GET, "getThing documents no success"),
    ("/paths", [], "/paths", '[] is not of type "object"'),
    (f"{SCHEMAS}/Error/properties/message/type", "text", f"{SCHEMAS}/Error", "is not valid"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("at", "value", "pointer", "reason"), REFUSED, ids=[f"{at} {reason}" for at, _, _, reason in REFUSED]
)
def test_a_document_is_refused_by_name_and_place(
    shop: Shop, tmp_path: Path, at: str, value: Any, pointer: str, reason: str
) -> None:
    if value is None:
        shop.drop(at)
    else:
        shop.put(at, copy.deepcopy(value))
    with pytest.raises(ContractError) as caught:
        shop.load(tmp_path)
    assert reason in caught.value.message
    assert caught.value.pointer == pointer
    file, _, line = caught.value.place.rpartition(":")
    assert file == str(tmp_path / "openapi" / "shop.yaml")
    assert int(line) >= 1


def test_a_vendor_that_is_not_there_is_refused() -> None:
    with pytest.raises(ContractError, match=r"openapi/nobody\.yaml:1: there is no such file"):
        load("nobody")
