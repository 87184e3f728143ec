"""Local references followed, and the keys of records that stand in a value."""

from __future__ import annotations

from typing import Any

import pytest

from mock_server.contract import follow, named_records

OWNER = {"type": "string", "x-references": "Owner"}
DOCUMENT = {
    "components": {
        "schemas": {
            "OwnerId": OWNER,
            "Alias": {"$ref": "#/components/schemas/OwnerId"},
            "Loop": {"$ref": "#/components/schemas/Loop"},
            "Node": {
                "properties": {
                    "owner": {"$ref": "#/components/schemas/Alias"},
                    "next": {"$ref": "#/components/schemas/Node"},
                }
            },
            "Self": {"allOf": [{"$ref": "#/components/schemas/Self"}, OWNER]},
        }
    }
}


def ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


@pytest.mark.parametrize(
    ("node", "found"),
    [
        (OWNER, OWNER),
        (ref("OwnerId"), OWNER),
        (ref("Alias"), OWNER),
        (ref("Loop"), {}),
        (ref("Absent"), {}),
        ({"$ref": "other.yaml#/x"}, {}),
        ({"$ref": "#/components/schemas/OwnerId/type"}, {}),
        (None, {}),
        ([OWNER], {}),
    ],
)
def test_a_node_is_followed_to_what_it_says(node: Any, found: Any) -> None:
    assert follow(DOCUMENT, node) == found


@pytest.mark.parametrize(
    ("schema", "value", "named"),
    [
        (OWNER, "o-1", [("", "Owner", "o-1")]),
        (OWNER, None, []),
        (ref("Alias"), "o-1", [("", "Owner", "o-1")]),
        ({"properties": {"a/b": OWNER}}, {"a/b": "o-1", "c": "o-2"}, [("/a~1b", "Owner", "o-1")]),
        ({"items": OWNER}, ["o-1", None, "o-2"], [("/0", "Owner", "o-1"), ("/2", "Owner", "o-2")]),
        ({"additionalProperties": OWNER, "properties": {"x": {}}}, {"x": "1", "y": "2"}, [("/y", "Owner", "2")]),
        ({"additionalProperties": True}, {"x": "1"}, []),
        ({"allOf": [{"properties": {"a": OWNER}}, {"properties": {"b": OWNER}}]}, {"b": "2"}, [("/b", "Owner", "2")]),
        ({"oneOf": [OWNER, {"type": "string", "x-references": "Thing"}]}, "1", []),
        (ref("Node"), {"next": {"next": {"owner": "o-1"}}}, [("/next/next/owner", "Owner", "o-1")]),
        (ref("Self"), "o-1", [("", "Owner", "o-1")]),
        (ref("Loop"), "o-1", []),
        ({"properties": {"a": OWNER}}, "text", []),
        ({"items": OWNER}, {"0": "o-1"}, []),
    ],
)
def test_the_records_that_a_value_names_are_found(schema: Any, value: Any, named: Any) -> None:
    assert list(named_records(DOCUMENT, schema, value)) == named
