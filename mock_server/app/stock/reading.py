"""What Connexion has read of one request so far, and the engine's view of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mock_server.app.accept import acceptable
from mock_server.app.compiled import kind_of
from mock_server.app.schemas import Schemas
from mock_server.app.understood import essence_of, is_json
from mock_server.app.violations import LARGE, first_violation, violations
from mock_server.contract import Contract, Operation, Response, escape, resolve
from mock_server.problems import Problem, Violation
from mock_server.vendor import Answer, Call, Input, Request

KEY = "mock.reading"
"""Where a request's reading stands in its scope, for Connexion's validators to find."""


@dataclass(slots=True)
class Reading:
    """One request on its way through Connexion: what it holds, and everything that is wrong with it."""

    call: Call
    schemas: Schemas
    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    body: Any = None
    found: list[Violation] = field(default_factory=list)
    answer: Answer | None = None

    @property
    def contract(self) -> Contract:
        """The vendor's."""
        return self.call.contract

    @property
    def operation(self) -> Operation:
        """What is called."""
        return self.call.operation

    @property
    def request(self) -> Request:
        """What came in, its body too."""
        return self.call.request

    def take(self, values: Mapping[str, Mapping[str, Any]]) -> None:
        """Keep the values of the parameters, and hold each to its schema."""
        self.values = values
        for parameter in self.operation.parameters:
            pointer = f"/{escape(parameter.name)}"
            given = values[parameter.where]
            if given.get(parameter.name) is None:
                if parameter.required:
                    self.found.append(Violation(parameter.where, pointer, "required", "is required"))
                continue
            node = resolve(self.contract.document, parameter.pointer)
            value = given[parameter.name]
            if value == "" and node.get("allowEmptyValue"):
                continue
            content: Any = next(iter(node.get("content", {}).values()), {})
            validator = self.schemas.validator(content.get("schema", parameter.schema), "request")
            if not validator.is_valid(value):
                self.found.extend(violations(validator, value, parameter.where, pointer))

    def take_body(self, value: Any, schema: Any) -> None:
        """Keep the value of the body, and hold it to its schema."""
        self.body = value
        validator = self.schemas.validator(schema, "request")
        if validator.is_valid(value):
            return
        if len(self.request.body) > LARGE:
            self.found.extend(first_violation(self.schemas.brief(schema), value, "body"))
        else:
            self.found.extend(violations(validator, value, "body"))

    def input(self) -> Input:
        """What the engine is given. Raises Problem with all that is wrong."""
        if self.found:
            raise Problem(kind_of(self.found), violations=tuple(self.found))
        present = {
            where: {name: value for name, value in given.items() if value is not None}
            for where, given in self.values.items()
        }
        return Input(present["path"], present["query"], present["header"], self.body)

    def accept(self) -> None:
        """Raise Problem `not-acceptable` where the caller takes nothing that the success answer can be."""
        accept = self.request.headers.get("accept")
        offered = self.operation.success.content
        if accept and offered:
            media = produced(self.operation.success)
            if not acceptable(accept, essence_of(media)):
                raise Problem("not-acceptable", f"An answer can be: {', '.join(offered)}.")

    def check(self, answer: Answer) -> None:
        """Raise AssertionError for an answer that the document does not allow."""
        response = self.operation.responses.get(answer.status)
        assert response is not None, f"{self.operation.id} {answer.status}: the status is not documented"
        if not response.content:
            assert answer.body is None, f"{self.operation.id} {answer.status}: the document has no content here"
            return
        media = produced(response)
        schema = response.content[media]
        assert is_json(media) or isinstance(answer.body, str), f"{self.operation.id} {answer.status}: {media} is a text"
        for error in self.schemas.validator(schema, "response").iter_errors(answer.body) if schema is not None else ():
            path = "/".join(map(str, error.instance_path))
            raise AssertionError(f"{self.operation.id} {answer.status}: /{path}: {error.message}")


def produced(response: Response | None) -> str:
    """The media type of an answer: of several the first that is JSON."""
    content = response.content if response else {}
    return next(filter(is_json, content), next(iter(content), "application/json"))
