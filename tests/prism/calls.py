"""Makes a valid request for any operation of a contract, from the document's own examples and the records known beforehand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

import httpx

from mock_server.contract import Contract, Fixtures, Operation, Parameter, resolve

JSON = "application/json"


@dataclass(frozen=True)
class Request:
    """What to send to one operation."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    media: str = JSON

    def with_headers(self, **headers: str) -> Request:
        """The same with further headers; `_` in a name stands for `-`."""
        return replace(
            self, headers={**self.headers, **{name.replace("_", "-"): text for name, text in headers.items()}}
        )

    def without_credentials(self) -> Request:
        """The same from nobody."""
        return replace(self, headers={name: text for name, text in self.headers.items() if name != "Authorization"})

    def send(self, client: httpx.Client, base_url: str) -> httpx.Response:
        """Send it below a base URL."""
        content: dict[str, Any] = {}
        if self.body is not None:
            content = {"json": self.body} if self.media == JSON else {"content": self.body}
        headers = {"Content-Type": self.media, **self.headers} if content else dict(self.headers)
        return client.request(self.method, base_url + self.path, params=self.query or None, headers=headers, **content)


def bodies(contract: Contract, operation: Operation) -> dict[str, Any]:
    """The named JSON examples of an operation's request body."""
    content = _followed(contract, operation.raw.get("requestBody", {})).get("content", {})
    return {
        name: _followed(contract, example)["value"]
        for name, example in content.get(JSON, {}).get("examples", {}).items()
    }


def requests(contract: Contract, fixtures: Fixtures, operation: Operation) -> Iterator[tuple[str, Request]]:
    """A valid request for each named example of the body, or one without a body; with its name."""
    path, query, headers = operation.path, {}, {}
    for parameter in operation.parameters:
        value = _value(contract, fixtures, operation, parameter)
        if parameter.where == "path":
            path = path.replace(f"{{{parameter.name}}}", quote(str(value), safe=""))
        elif parameter.required and parameter.where == "query":
            query[parameter.name] = str(value)
        elif parameter.required and parameter.where == "header":
            headers[parameter.name] = str(value)
    if operation.secured:
        headers["Authorization"] = f"Bearer {fixtures.of('Credential')[0].value['token']}"
    plain = Request(operation.method.upper(), path, query, headers)
    examples = bodies(contract, operation)
    assert examples or not operation.body, f"{operation.id} has a body without an example"
    yield from ((name, replace(plain, body=value)) for name, value in (examples or {"": None}).items())


def request(contract: Contract, fixtures: Fixtures, operation: Operation) -> Request:
    """A valid request for an operation, its body the first example's."""
    return next(requests(contract, fixtures, operation))[1]


def _value(contract: Contract, fixtures: Fixtures, operation: Operation, parameter: Parameter) -> Any:
    written = resolve(contract.document, parameter.pointer)
    for place in (written, written.get("schema", {})):
        if "example" in place:
            return place["example"]
    resource = parameter.references or operation.action.resource
    return fixtures.of(resource)[0].value[contract.resources[resource].key]


def _followed(contract: Contract, node: Any) -> Any:
    while "$ref" in node:
        node = resolve(contract.document, node["$ref"].removeprefix("#"))
    return node
