"""Every construct that the compiled path would get wrong is named as the reason; what it takes is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from test_fallback import write

from mock_server.app.understood import reasons
from mock_server.contract import load

ANY: dict[str, Any] = {}
INTEGERS = {"type": "array", "items": {"type": "integer"}}
POINT = {"type": "object", "properties": {"x": {"type": "integer"}}}
CHOICE = {"anyOf": [{"type": "integer"}, {"type": "boolean"}]}


def why(folder: Path, *parameters: Any, path: str = "/things", **facts: Any) -> list[tuple[str, bool]]:
    """The reasons of an operation with these parts."""

    def change(document: Any) -> None:
        operation = {"operationId": "tried", "x-action": {"none": "Note"}, "x-provenance": "documented", **facts}
        operation.setdefault("responses", {"200": {"description": "It."}})
        document["paths"] = {path: {"post": {**operation, "parameters": list(parameters)}}}

    contract = load(write(folder, change))
    return [(reason.message, reason.served) for reason in reasons(contract, contract.operations["tried"])]


def query(schema: Any, name: str = "q", **facts: Any) -> Any:
    return {"name": name, "in": "query", "schema": schema, **facts}


@pytest.mark.parametrize(
    "parameter",
    [
        query({"type": "integer"}),
        query({"enum": ["a", "b"]}),
        query(ANY),
        query(INTEGERS),
        query(INTEGERS, explode=False),
        query(POINT),
        query(POINT, style="deepObject", explode=True),
        query({"allOf": [POINT]}, style="deepObject", explode=True),
        query({"type": "string"}, allowEmptyValue=True),
        {"name": "c", "in": "cookie", "schema": {"type": "integer"}},
        {"name": "X-H", "in": "header", "schema": {"type": "integer"}},
    ],
)
def test_the_usual_parameters_are_understood(tmp_path: Path, parameter: Any) -> None:
    assert why(tmp_path, parameter) == []


@pytest.mark.parametrize(
    ("parameter", "message", "served"),
    [
        (query(CHOICE), "has a schema without a type", False),
        (query({"enum": [1, 2]}), "has a schema without a type", False),
        (query({"type": "integer"}, allowEmptyValue=True), "may be empty", True),
        (query({"type": "string"}, allowReserved=True), "may have reserved characters", True),
        (query({"type": "string"}, name="q[a]"), "has brackets in its name", True),
        (query(INTEGERS, style="pipeDelimited"), "is in the style pipeDelimited", True),
        (query(INTEGERS, style="spaceDelimited"), "is in the style spaceDelimited", True),
        (query(INTEGERS, style="deepObject"), "is no object, which deepObject is for", False),
        (query(POINT, explode=False), "is an object that is not exploded", True),
        (query({**POINT, "additionalProperties": True}), "is an exploded object of any names", True),
        (query({"allOf": [POINT]}), "is an object by composition", True),
        ({"name": "q", "in": "query", "content": {"application/json": {}}}, "has content, as application/json", True),
        ({"name": "q", "in": "query", "content": {"text/csv": {}}}, "has content, as text/csv", False),
        ({"name": "q", "in": "header", "schema": INTEGERS}, "is an array", True),
        ({"name": "q", "in": "cookie", "schema": INTEGERS}, "is an array", False),
        ({"name": "q", "in": "cookie", "schema": INTEGERS, "explode": False}, "is an array", True),
    ],
)
def test_an_unusual_parameter_is_the_reason(tmp_path: Path, parameter: Any, message: str, served: bool) -> None:
    assert why(tmp_path, parameter) == [(f"the {parameter['in']} parameter {parameter['name']} {message}", served)]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/a/{user.id}", []),
        ("/a/{id}:stop", [("{id}:stop is a template of a part of a segment", True)]),
        ("/a/{user.id}.pdf", [("{user.id}.pdf is a template of a part of a segment", True),
                              ("beside that, Connexion does not route by the names in its path", False)]),
    ],
)  # fmt: skip
def test_a_template_is_a_whole_segment(tmp_path: Path, path: str, found: Any) -> None:
    names = [name.partition("}")[0] for name in path.split("{")[1:]]
    values = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]

    assert why(tmp_path, *values, path=path) == found


@pytest.mark.parametrize(
    ("media", "entry", "found"),
    [
        ("application/json", {"schema": POINT}, []),
        ("application/vnd.example+json", {"schema": POINT}, []),
        ("application/x-www-form-urlencoded", {"schema": POINT}, []),
        ("application/x-www-form-urlencoded", {"schema": POINT, "encoding": {"x": {"style": "deepObject", "explode": True}}}, []),
        ("application/x-www-form-urlencoded", {"schema": POINT, "encoding": {"x": {"explode": False}}},
         [("the form's x is encoded in a way of its own", True)]),
        ("application/x-www-form-urlencoded", {"schema": CHOICE}, [("the form's schema is not one object", False)]),
        ("application/x-www-form-urlencoded", {"schema": {"type": "object", "properties": {"x": CHOICE}}},
         [("the form's property x has a schema without a type", False)]),
        ("multipart/form-data", {"schema": POINT}, [("its body may be multipart/form-data", True)]),
        ("multipart/form-data", {"schema": POINT, "encoding": {"x": {"headers": {}}}},
         [("its body may be multipart/form-data", True), ("the form's encoding asks for headers", False)]),
        ("Application/JSON", {"schema": POINT}, [("Application/JSON is a range, or has capitals or parameters", True)]),
        ("application/*", {"schema": POINT}, [("application/* is a range, or has capitals or parameters", True)]),
        ("text/plain", {"schema": {"type": "string"}}, [("its body may be text/plain", True)]),
        ("text/xml", {"schema": POINT}, [("its body may be text/xml, which is held to a schema of type string alone", False)]),
    ],
)  # fmt: skip
def test_a_body_is_json_or_a_form(tmp_path: Path, media: str, entry: Any, found: Any) -> None:
    assert why(tmp_path, requestBody={"content": {media: entry}}) == found


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ({"application/json": {"schema": POINT}}, []),
        ({"application/problem+json": {"schema": POINT}}, [("its answer 200 is application/problem+json", True)]),
        ({"text/csv": {"schema": {"type": "string"}}}, [("its answer 200 is text/csv", True)]),
        ({"text/csv": {"schema": INTEGERS}}, [("its answer 200 is text/csv, but not of type string: a record is JSON", False)]),
    ],
)  # fmt: skip
def test_an_answer_is_json(tmp_path: Path, content: Any, found: Any) -> None:
    assert why(tmp_path, responses={"200": {"description": "It.", "content": content}}) == found
