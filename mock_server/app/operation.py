"""Compiles an operation once: what to take from a request, how to validate it, and how to check what goes back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jsonschema_rs
import orjson

from mock_server.app import bodies, texts
from mock_server.app.violations import LARGE, first_violation, violations, without_choices
from mock_server.contract import Contract, Operation, Parameter, convert, definitions, escape, resolve
from mock_server.contract.json_schema import Direction
from mock_server.problems import Problem, Violation
from mock_server.vendor import Answer, Input, Request


class Schemas:
    """The validators of one document, each compiled once."""

    def __init__(self, contract: Contract) -> None:
        self._document = contract.document
        self._definitions: dict[Direction, dict[str, Any]] = {
            "request": definitions(contract.document, "request"),
            "response": definitions(contract.document, "response"),
        }
        self._compiled: dict[tuple[Direction, bytes], jsonschema_rs.Validator] = {}
        self._brief: dict[bytes, jsonschema_rs.Validator] = {}

    def validator(self, schema: Any, direction: Direction) -> jsonschema_rs.Validator:
        """The validator of a schema of the document, formats on; the same schema gives the same validator."""
        converted = convert(schema, direction, self._document)
        name = (direction, orjson.dumps(converted))
        if name not in self._compiled:
            needed = {key: self._definitions[direction][key] for key in self._reached(converted, direction)}
            self._compiled[name] = jsonschema_rs.Draft202012Validator(
                {**converted, "$defs": needed}, validate_formats=True
            )
        return self._compiled[name]

    def brief(self, schema: Any) -> jsonschema_rs.Validator:
        """A validator of a request's schema that finds a mistake in a large body without explaining every form it might have had."""
        converted = convert(schema, "request", self._document)
        name = orjson.dumps(converted)
        if name not in self._brief:
            needed = {key: self._definitions["request"][key] for key in self._reached(converted, "request")}
            plain = {
                **without_choices(converted),
                "$defs": {key: without_choices(item) for key, item in needed.items()},
            }
            self._brief[name] = jsonschema_rs.Draft202012Validator(plain, validate_formats=True)
        return self._brief[name]

    def _reached(self, schema: Any, direction: Direction) -> set[str]:
        """The named schemas that a schema refers to, directly or by way of others."""
        reached: set[str] = set()
        todo = [schema]
        while todo:
            node = todo.pop()
            if isinstance(node, dict):
                reference = node.get("$ref")
                if isinstance(reference, str):
                    key = reference.removeprefix("#/$defs/")
                    if key not in reached:
                        reached.add(key)
                        todo.append(self._definitions[direction][key])
                todo.extend(node.values())
            elif isinstance(node, list):
                todo.extend(node)
        return reached

    def deref(self, schema: Any) -> Mapping[str, Any]:
        """What a schema says, its reference followed."""
        while isinstance(schema, dict) and "$ref" in schema:
            schema = resolve(self._document, schema["$ref"].removeprefix("#"))
        return schema if isinstance(schema, dict) else {}


class CompiledOperation:
    """One operation, ready: `read` makes an Input of a request, `check` holds an answer to the document."""

    def __init__(self, operation: Operation, schemas: Schemas) -> None:
        self.operation = operation
        self._schemas = schemas
        self._deref = schemas.deref
        self._parameters = [
            (parameter, schemas.validator(parameter.schema, "request"), self._is_text(parameter))
            for parameter in operation.parameters
        ]
        body = operation.body
        self._bodies = (
            {media: schemas.validator(schema, "request") for media, schema in body.content.items()} if body else {}
        )
        self._answers = {
            status: {
                media: schemas.validator(schema, "response") if schema is not None else None
                for media, schema in response.content.items()
            }
            for status, response in operation.responses.items()
        }

    def read(self, request: Request) -> Input:
        """The values of a request. Raises Problem with every violation, or `malformed`, or `media-type`."""
        self._accept(request)
        found: list[Violation] = []
        values: dict[str, dict[str, Any]] = {"path": {}, "query": {}, "header": {}, "cookie": {}}
        nested = self._nested(request) if request.query else {}
        for parameter, validator, is_text in self._parameters:
            value = self._value(parameter, request, nested, is_text)
            if value is None:
                if parameter.required:
                    found.append(
                        Violation(parameter.where, f"/{escape(parameter.name)}", "required", "is required")
                    )  # fmt: skip
                continue
            if not validator.is_valid(value):
                found.extend(violations(validator, value, parameter.where, f"/{escape(parameter.name)}"))
            values[parameter.where][parameter.name] = value
        body = self._body(request, found)
        if found:
            raise Problem(_kind(found), violations=tuple(found))
        return Input(values["path"], values["query"], values["header"], body)

    def _is_text(self, parameter: Parameter) -> bool:
        """Whether the parameter's text is its value, with nothing to make of it."""
        return parameter.where in ("path", "header") and self._deref(parameter.schema).get("type") == "string"

    def _nested(self, request: Request) -> dict[str, Any]:
        """The query as a tree, where the operation has a query parameter at all."""
        if not any(parameter.where == "query" for parameter, _, _ in self._parameters):
            return {}
        try:
            return texts.nest(request.query)
        except texts.Tangled as error:
            raise Problem("parameter", f"The query string cannot be read: {error}.") from None

    def _accept(self, request: Request) -> None:
        """Raise Problem `not-acceptable` where the success answer's media types are none that the caller takes."""
        accept = request.headers.get("accept")
        if accept is None or accept == "*/*":
            return
        offered = self.operation.success.content
        if accept and offered and not any(acceptable(accept, media) for media in offered):
            raise Problem("not-acceptable", f"An answer can be: {', '.join(offered)}.")

    def _value(self, parameter: Parameter, request: Request, nested: Mapping[str, Any], is_text: bool) -> Any:
        if parameter.where == "path":
            text: Any = request.path_values.get(parameter.name)
        elif parameter.where == "header":
            text = request.headers.get(parameter.name.lower())
        elif parameter.where == "cookie":
            text = _cookie(request, parameter.name)
        else:
            return self._query_value(parameter, nested)
        return text if text is None or is_text else texts.cast(text, parameter.schema, self._deref)

    def _query_value(self, parameter: Parameter, nested: Mapping[str, Any]) -> Any:
        schema = self._deref(parameter.schema)
        if schema.get("type") == "object" and parameter.style == "form" and parameter.explode:
            names = schema.get("properties", {})
            value: Any = {name: nested[name] for name in names if name in nested}
            return texts.cast(value, schema, self._deref) if value else None
        value = nested.get(parameter.name)
        if value is None:
            return None
        if schema.get("type") == "array" and not parameter.explode and isinstance(value, str):
            value = value.split(",")
        return texts.cast(value, schema, self._deref)

    def _body(self, request: Request, found: list[Violation]) -> Any:
        body = self.operation.body
        if body is None:
            return None
        if not request.body and not bodies.is_empty_form(request.headers.get("content-type"), body.content):
            if body.required:
                raise Problem("malformed", "A body is required.")
            return None
        media = bodies.choose(request.headers.get("content-type"), body.content)
        value = bodies.decode(request.body, media, body.content[media], self._deref)
        validator = self._bodies[media]
        if validator.is_valid(value):
            return value
        if len(request.body) > LARGE:
            found.extend(first_violation(self._schemas.brief(body.content[media]), value, "body"))
        else:
            found.extend(violations(validator, value, "body"))
        return value

    def check(self, answer: Answer) -> None:
        """Raise AssertionError for an answer that the document does not allow: a defect of ours, never of the caller."""
        content = self._answers.get(answer.status)
        if content:
            validator = content.get("application/json") or next(iter(content.values()))
            if validator is None or validator.is_valid(answer.body):
                return
            first = next(iter(validator.iter_errors(answer.body)))
            why = f"/{'/'.join(map(str, first.instance_path))}: {first.message}"
        elif content is None:
            why = "the status is not documented"
        elif answer.body is None:
            return
        else:
            why = "the document has no content here"
        raise AssertionError(f"{self.operation.id} {answer.status}: {why}")


def _kind(found: list[Violation]) -> Any:
    """The kind of problem that several violations together are: the gravest first."""
    if any(violation.where == "body" and violation.pointer == "" and violation.rule == "type" for violation in found):
        return "malformed"
    if any(violation.where == "body" and violation.rule == "required" for violation in found):
        return "missing"
    if any(violation.where != "body" for violation in found):
        return "parameter"
    return "invalid"


def _cookie(request: Request, name: str) -> str | None:
    for part in request.headers.get("cookie", "").split(";"):
        key, _, value = part.strip().partition("=")
        if key == name:
            return value
    return None


def acceptable(accept: str, media: str) -> bool:
    """Whether an `Accept` header takes a media type; the most specific range decides."""
    best, taken = -1, False
    for part in accept.split(","):
        essence, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = next((piece[2:] for piece in parameters if piece.startswith("q=")), "1")
        if essence == media:
            rank = 2
        elif essence == media.partition("/")[0] + "/*":
            rank = 1
        elif essence in ("*/*", "*"):
            rank = 0
        else:
            continue
        if rank > best:
            best, taken = rank, quality.strip("0.") != ""
    return taken
