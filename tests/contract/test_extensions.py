"""The closed vocabulary: each word where it belongs, and none beside it; and what a walk over a document finds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.contract import Finding, check, check_keys, data_root, resolve, vendors, walk
from mock_server.contract.bundle import bundle
from mock_server.contract.files import read

VOCABULARY = read(data_root() / "openapi" / "extensions.schema.json")["properties"]
GOOD: dict[str, Any] = {
    "x-vendor": {"name": "shop", "error": "Error", "statuses": {"missing": 422}},
    "x-resource": {"key": "id", "mint": {"id": "t-{n:04d}"}, "unique": [["a", "b"]]},
    "x-view": "Thing",
    "x-references": "Thing",
    "x-action": {"delete": "Thing", "by": "query.ids", "many": True},
    "x-statuses": {"missing": 400},
    "x-emits": {
        "thing.created": {"on": "created"},
        "thing.gone": {"on": ["moved", "deleted"], "fields": ["a"], "where": {"a": [1, 2]}},
    },
    "x-lifecycle": {"trial-end": {"at": "trial_end", "from": ["trial"], "to": ["active"]}},
    "x-sums": {"total": ["subtotal", "-discount", "lines[].tax.amount"], "subtotal": "lines[].amount"},
    "x-webhooks": {"thing.created": {}},
    "x-tenant": "second",
    "x-provenance": {"inferred": "for want of a source"},
}
BAD: list[tuple[str, str, Any]] = [
    ("x-vendor", "", {"name": "shop", "error": "Error"}),
    ("x-vendor", "/name", {**GOOD["x-vendor"], "name": "Shop"}),
    ("x-vendor", "/statuses/missing", {**GOOD["x-vendor"], "statuses": {"missing": 200}}),
    ("x-vendor", "/statuses", {**GOOD["x-vendor"], "statuses": {"lost": 404}}),
    ("x-vendor", "/idempotency/lifetime", {**GOOD["x-vendor"], "idempotency": {"header": "K", "lifetime": "P", "conflict": 422, "in-use": 409}}),
    ("x-vendor", "/pagination/total", {**GOOD["x-vendor"], "pagination": {"parameter": "page", "size": 10, "total": "total"}}),
    ("x-resource", "", {"mint": {}}),
    ("x-resource", "/mint/id", {"key": "id", "mint": {"id": "constant"}}),
    ("x-resource", "/mint/id", {"key": "id", "mint": {"id": "{nn}"}}),
    ("x-resource", "/mint/id", {"key": "id", "mint": {"id": "{hex:2}"}}),
    ("x-resource", "/scope", {"key": "id", "scope": "world"}),
    ("x-view", "", 7),
    ("x-references", "", ["Thing"]),
    ("x-action", "", {"buy": "Thing"}),
    ("x-action", "/by", {"retrieve": "Thing", "by": "cookie.id"}),
    ("x-statuses", "", {"lost": 404}),
    ("x-emits", "", {}),
    ("x-emits", "/thing.created", {"thing.created": {}}),
    ("x-emits", "/thing.created/on", {"thing.created": {"on": "touched"}}),
    ("x-lifecycle", "", {}),
    ("x-lifecycle", "/trial-end", {"trial-end": {"from": ["trial"]}}),
    ("x-lifecycle", "/trial-end/to", {"trial-end": {"at": "trial_end", "to": []}}),
    ("x-vendor", "/webhooks", {**GOOD["x-vendor"], "webhooks": {}}),
    ("x-vendor", "/webhooks/signature/digest", {**GOOD["x-vendor"], "webhooks": {"signature": {"header": "S", "digest": "md5", "encoding": "hex"}}}),
    ("x-sums", "", {}),
    ("x-sums", "/total", {"total": ["a", "a + b"]}),
    ("x-sums", "/total", {"total": []}),
    ("x-webhooks", "", {}),
    ("x-tenant", "", None),
    ("x-provenance", "", "guessed"),
    ("x-provenance", "", {"documented": "here", "inferred": "there"}),
    ("x-provenance", "", {"inferred": ""}),
]  # fmt: skip
PLACES: dict[str, str] = {
    "document": "",
    "info": "/info",
    "server": "/servers/0",
    "path item": "/paths/~1things",
    "operation": "/paths/~1things/get",
    "parameter": "/paths/~1things/get/parameters/0",
    "request body": "/paths/~1things/get/requestBody",
    "media type": "/paths/~1things/get/requestBody/content/application~1json",
    "response": "/paths/~1things/get/responses/200",
    "header": "/paths/~1things/get/responses/200/headers/Age",
    "link": "/paths/~1things/get/responses/200/links/read",
    "example": "/components/examples/one",
    "schema": "/components/schemas/Thing/properties/parts/items",
    "callback": "/paths/~1things/get/callbacks/done",
    "webhook": "/x-webhooks/thing.created",
    "plain": "/tags/0",
    "components": "/components",
}


def skeleton() -> dict[str, Any]:
    """A document with one object of each kind."""
    content = {"application/json": {}}
    operation = {
        "parameters": [{}],
        "requestBody": {"content": content},
        "responses": {"200": {"headers": {"Age": {}}, "links": {"read": {}}}},
        "callbacks": {"done": {"{$request.body#/url}": {"post": {}}}},
    }
    thing = {"properties": {"parts": {"items": {}}}}
    return {
        "info": {},
        "servers": [{}],
        "tags": [{}],
        "paths": {"/things": {"get": operation}},
        "components": {"examples": {"one": {}}, "schemas": {"Thing": thing}},
        "x-webhooks": {"thing.created": {"post": {}}},
    }


def checked(pointer: str, key: str, value: Any) -> list[Finding]:
    document = skeleton()
    resolve(document, pointer)[key] = value
    return list(check(document))


def test_the_examples_here_cover_the_vocabulary() -> None:
    assert set(GOOD) == set(VOCABULARY) == {key for key, _, _ in BAD}
    assert {place for entry in VOCABULARY.values() for place in entry["places"]} <= set(PLACES)


def test_a_document_without_extensions_has_no_findings() -> None:
    assert list(check(skeleton())) == []


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("key", GOOD)
def test_a_word_stands_where_it_belongs_and_nowhere_else(key: str, place: str) -> None:
    rules = [(finding.pointer, finding.rule) for finding in checked(PLACES[place], key, GOOD[key])]
    assert rules == ([] if place in VOCABULARY[key]["places"] else [(f"{PLACES[place]}/{key}", "extension-place")])


@pytest.mark.parametrize("place", PLACES)
def test_an_unknown_word_is_named_wherever_it_stands(place: str) -> None:
    (finding,) = checked(PLACES[place], "x-colour", "blue")
    assert (finding.pointer, finding.rule) == (f"{PLACES[place]}/x-colour", "unknown-extension")
    assert "x-colour" in finding.message


@pytest.mark.parametrize(("key", "below", "value"), BAD)
def test_a_value_outside_the_vocabulary_is_named(key: str, below: str, value: Any) -> None:
    findings = list(check_keys({key: value}, VOCABULARY[key]["places"][0], "/here"))
    assert ("extension-value", f"/here/{key}{below}") in [(finding.rule, finding.pointer) for finding in findings]
    assert {finding.rule for finding in findings} == {"extension-value"}


@pytest.mark.parametrize(
    "pointer",
    ["/components/examples/one/value", "/components/schemas/Thing/example", "/components/schemas/Thing/default"],
)
def test_values_are_not_entered(pointer: str) -> None:
    holder, _, name = pointer.rpartition("/")
    document = skeleton()
    resolve(document, holder)[name] = {"x-colour": "blue", "properties": {"x-size": {}}}
    assert list(check(document)) == []


@pytest.mark.parametrize("name", ["x-colour", "$ref", "properties", "items"])
def test_a_property_may_have_any_name(name: str) -> None:
    document = skeleton()
    document["components"]["schemas"]["Thing"]["properties"][name] = {"type": "string"}
    assert list(check(document)) == []


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["paths", "/a", "get", "components", "schemas", "properties", "items", "allOf", "x-view", "x-y"]
                ),
                inner,
            )
        ),
    )
)
@settings(deadline=None)
def test_whatever_a_document_is_each_foreign_word_is_found_once(document: Any) -> None:
    found = [finding.pointer for finding in check(document) if finding.rule == "unknown-extension"]
    assert len(found) == len(set(found))
    for pointer in found:
        holder, _, name = pointer.rpartition("/")
        assert name in resolve(document, holder)


@pytest.mark.parametrize("vendor", vendors())
def test_a_walk_finds_every_object_once_and_says_what_it_stands_in(vendor: str) -> None:
    document = bundle(data_root() / "openapi" / f"{vendor}.yaml").document
    parts = list(walk(document))
    assert len({part.pointer for part in parts}) == len(parts)
    kinds = {part.pointer: part.place for part in parts}
    for part in parts:
        assert resolve(document, part.pointer) is part.node
        above = [pointer for pointer in kinds if part.pointer.startswith(f"{pointer}/") and pointer != part.pointer]
        assert part.within == tuple(kinds[pointer] for pointer in sorted(above, key=len))
