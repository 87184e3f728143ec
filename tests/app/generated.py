"""Makes requests of a contract: valid ones, and the same with one thing wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlencode

from hypothesis import strategies as st

from mock_server.contract import Contract, Fixtures, Operation, Parameter, resolve

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
_FORMATS: Mapping[str, st.SearchStrategy[str]] = {
    "date": st.dates().map(str),
    "date-time": st.datetimes().map(lambda moment: moment.isoformat(timespec="seconds") + "Z"),
    "email": st.from_regex(r"[a-z]{1,8}@example\.com", fullmatch=True),
    "uuid": st.uuids().map(str),
    "uri": st.from_regex(r"https://example\.com/[a-z]{0,8}", fullmatch=True),
}
_PLAIN = st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | TEXT | st.just([]) | st.just({})


@dataclass(frozen=True)
class Sent:
    """A request as it goes over the wire, its path below the vendor."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def but(self, **headers: str | None) -> Sent:
        """The same with other headers; None takes one away."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        merged = {**self.headers, **named}
        return replace(self, headers={name: value for name, value in merged.items() if value is not None})


@dataclass(frozen=True)
class Maker:
    """Makes requests to the operations of one contract."""

    contract: Contract
    fixtures: Fixtures

    def valid(self, operation: Operation) -> st.SearchStrategy[Sent]:
        """Requests that keep the contract, as far as the schemas say."""
        made = [(p.required, f"{p.where} {p.name}", self._parameter(operation, p)) for p in operation.parameters]
        places = st.fixed_dictionaries(
            {place: values for required, place, values in made if required},
            optional={place: values for required, place, values in made if not required},
        )
        return st.builds(lambda given, body: self._sent(operation, given, body), places, self._body(operation))

    def spoilt(self, operation: Operation, sent: Sent, text: str) -> list[Sent]:
        """The same request with one thing wrong, or odd; `text` is any at all."""
        queries = [p.name for p in operation.parameters if p.where == "query"]
        headers = [p.name.lower() for p in operation.parameters if p.where == "header"]
        above = sent.path.split("/")[:-1]
        return [
            sent.but(authorization=None),
            sent.but(authorization="Bearer nobody"),
            sent.but(authorization="Basic bm9ib2R5OnNlY3JldA=="),
            sent.but(accept="text/html"),
            sent.but(accept="text/html;q=0.5, application/*"),
            sent.but(prefer="code=404"),
            sent.but(prefer="example=nothing"),
            replace(sent, method="HEAD" if sent.method == "GET" else "PURGE"),
            replace(sent, path=sent.path + "/"),
            *(
                replace(sent, path="/".join([*above, last]))
                for last in ("no-such%2Fthing", "12345678", quote(f"x{text}"))
            ),
            replace(sent, query=""),
            replace(sent, query=sent.query + "&a=1&a[b]=2"),
            replace(sent, query="&".join([sent.query, sent.query])),
            *(replace(sent, query=urlencode({name: text})) for name in queries),
            *(replace(sent, query=urlencode({f"{name}[x][]": text})) for name in queries),
            *(sent.but(**{name: text}) for name in headers for text in ("", "x", "-1", "007")),
            *self._bodies(operation, sent),
        ]

    def _bodies(self, operation: Operation, sent: Sent) -> list[Sent]:
        if operation.body is None:
            return [replace(sent.but(content_type=JSON), body=b'{"a": 1}')]
        bodies = [
            b"",
            b"{",
            b"[]",
            b"null",
            b'"text"',
            b'{"a": NaN}',
            b'{"a": 1, "a": 2}',
            b"\xff",
            b'{"a": 1e999}',
            b"a=1&a[b]=2",
        ]
        return [
            *(replace(sent, body=body) for body in bodies),
            *(replace(sent.but(content_type=FORM), body=body) for body in bodies),
            sent.but(content_type=None),
            sent.but(content_type="text/csv"),
            sent.but(content_type="Application/JSON; charset=UTF-8"),
            sent.but(content_type="application/json; charset=utf-16"),
            sent.but(content_type="application/vnd.any+json"),
            *self._spoilt_fields(sent),
        ]

    def _spoilt_fields(self, sent: Sent) -> list[Sent]:
        """A JSON body that lacks each field in turn, or has something else in its place."""
        if sent.headers.get("content-type") != JSON:
            return []
        whole = json.loads(sent.body)
        if isinstance(whole, list):
            return (
                [replace(sent, body=json.dumps([each, *whole[1:]]).encode()) for each in _spoilt(whole[0])]
                if whole
                else []
            )
        return [replace(sent, body=json.dumps(each).encode()) for each in _spoilt(whole)]

    # Values -----------------------------------------------------------------------------------------------------------

    def _sent(self, operation: Operation, given: Mapping[str, Any], body: tuple[str, bytes] | None) -> Sent:
        path, query = operation.path, []
        token = self.fixtures.of("Credential")[0].value["token"] if operation.secured else None
        headers = {"authorization": f"Bearer {token}"} if token else {}
        for place, value in given.items():
            where, _, name = place.partition(" ")
            if where == "path":
                path = path.replace(f"{{{name}}}", quote(_written(value), safe=""))
            elif where == "header":
                headers[name.lower()] = _written(value)
            else:
                query += _pairs(name, value)
        if body is not None:
            headers["content-type"] = body[0]
        return Sent(operation.method.upper(), path, urlencode(query), headers, body[1] if body else b"")

    def _parameter(self, operation: Operation, parameter: Parameter) -> st.SearchStrategy[Any]:
        tenancy = self.contract.tenancy
        if (parameter.where, parameter.name) == (tenancy.where, tenancy.name):
            tenant = self.fixtures.tenant
            return st.just(int(tenant) if self._follow(parameter.schema).get("type") == "integer" else tenant)
        by = operation.action.by == (parameter.where, parameter.name)
        resource = parameter.references or (operation.action.resource if by else None)
        schema = self._follow(parameter.schema)
        plain = self.fitting(schema)
        if parameter.where in ("path", "header"):
            plain = plain.filter(lambda value: _is_sendable(_written(value)))
        known = self._keys(resource)
        listed = st.lists(st.sampled_from(known), min_size=1, max_size=3) if known else st.nothing()
        if schema.get("type") == "array" and resource:
            return listed | plain
        return st.one_of(*[st.sampled_from(known)] * 3, plain) if known else plain

    def _keys(self, resource: str | None) -> list[Any]:
        if resource is None:
            return []
        return [record.value[self.contract.resources[resource].key] for record in self.fixtures.of(resource)]

    def _body(self, operation: Operation) -> st.SearchStrategy[tuple[str, bytes] | None]:
        body = operation.body
        if body is None:
            return st.none()
        choices = []
        for media, schema in body.content.items():
            node = resolve(self.contract.document, body.pointer)["content"][media]
            examples = [self._follow(each).get("value") for each in node.get("examples", {}).values()]
            values = st.sampled_from(examples) | self.fitting(schema) if examples else self.fitting(schema)
            choices.append(values.map(lambda value, m=media: (m, _encoded(m, value))))
        return st.one_of(*choices) if body.required else st.none() | st.one_of(*choices)

    def _follow(self, node: Any) -> Any:
        while isinstance(node, dict) and "$ref" in node:
            node = resolve(self.contract.document, node["$ref"].removeprefix("#"))
        return node

    def fitting(self, schema: Any, depth: int = 0) -> st.SearchStrategy[Any]:
        """Values that fit a schema, or nearly so."""
        node = self._follow(schema)
        if "enum" in node:
            return st.sampled_from(node["enum"])
        values = self._fitting(node, depth)
        return st.none() | values if node.get("nullable") else values

    def _fitting(self, node: Mapping[str, Any], depth: int) -> st.SearchStrategy[Any]:
        for key in ("anyOf", "oneOf"):
            if key in node and "properties" not in node:
                return st.one_of([self.fitting(choice, depth + 1) for choice in node[key]])
        kind = node.get("type")
        if kind == "object" or "properties" in node or "allOf" in node:
            return self._objects(node, depth)
        if kind == "array":
            least = node.get("minItems", 0)
            return st.lists(self.fitting(node.get("items", {}), depth + 1), min_size=least, max_size=least + 2)
        if kind == "string":
            return self._texts(node)
        if kind == "integer":
            return st.integers(node.get("minimum", -(2**31)), node.get("maximum", 2**31 - 1))
        if kind == "number":
            return st.floats(node.get("minimum", -1e6), node.get("maximum", 1e6), allow_subnormal=False)
        return st.booleans() if kind == "boolean" else _PLAIN

    def _texts(self, node: Mapping[str, Any]) -> st.SearchStrategy[str]:
        known = self._keys(node.get("x-references"))
        if known:
            return st.sampled_from(known)
        if "pattern" in node:
            return st.from_regex(node["pattern"])
        if node.get("format") in _FORMATS:
            return _FORMATS[node["format"]]
        least = node.get("minLength", 0)
        return st.text(max_size=min(node.get("maxLength", 20), least + 20), min_size=least)

    def _objects(self, node: Mapping[str, Any], depth: int) -> st.SearchStrategy[dict[str, Any]]:
        properties, required = self._properties(node)
        makers = {name: self.fitting(item, depth + 1) for name, item in properties.items()} if depth < 4 else {}
        return st.fixed_dictionaries(
            {name: makers[name] for name in required if name in makers},
            optional={name: maker for name, maker in makers.items() if name not in required},
        )

    def _properties(self, schema: Any) -> tuple[dict[str, Any], set[str]]:
        node = self._follow(schema)
        found, required = dict(node.get("properties", {})), set(node.get("required", ()))
        for part in node.get("allOf", ()):
            below = self._properties(part)
            found.update(below[0])
            required |= below[1]
        return {name: item for name, item in found.items() if not self._follow(item).get("readOnly")}, required


def _spoilt(whole: Any) -> list[Any]:
    """An object without each of its fields in turn, and with something else in its place."""
    fields = whole if isinstance(whole, dict) else {}
    found = [{key: value for key, value in fields.items() if key != name} for name in fields]
    wrong = (None, [], {"a": [1.5]}, "no such thing", 10**20, True)
    return [*found, *({**fields, name: value} for name in fields for value in wrong), {**fields, "unheard of": 1}]


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _is_sendable(text: str) -> bool:
    return text.isascii() and text.isprintable() and text.strip() == text and text != ""


def _pairs(name: str, value: Any) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [pair for key, item in value.items() for pair in _pairs(f"{name}[{key}]", item)]
    if isinstance(value, list):
        return [pair for item in value for pair in _pairs(f"{name}[]" if isinstance(item, dict) else name, item)]
    return [(name, _written(value))]


def _encoded(media: str, value: Any) -> bytes:
    if media != FORM:
        return json.dumps(value).encode("utf-8", "replace")
    pairs = [pair for name, item in value.items() for pair in _pairs(name, item)] if isinstance(value, dict) else []
    return urlencode(pairs, errors="replace").encode()
