"""OpenAPI document -> frozen Contract; refuses what it does not know, by name, with file and line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs

from mock_server.contract import extensions
from mock_server.contract.bundle import Bundle, bundle
from mock_server.contract.files import ContractError, Json, data_root, escape, resolve
from mock_server.contract.json_schema import compile_all
from mock_server.contract.model import (
    Action,
    Body,
    Contract,
    Idempotency,
    Operation,
    Pagination,
    Parameter,
    Provenance,
    Resource,
    Response,
    Tenancy,
    View,
)
from mock_server.contract.openapi import BROKEN, invalidities
from mock_server.contract.parts import METHODS

VERBS = ("create", "retrieve", "list", "search", "filter", "related", "update", "delete", "none")
_DURATION = re.compile(r"^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$")
_DIGITS = re.compile(r"^[0-9]*\{n(?::0[0-9]+d)?\}[0-9]*$")


def vendors() -> tuple[str, ...]:
    """The names of the vendors: the documents in `openapi/`."""
    return tuple(sorted(path.stem for path in (data_root() / "openapi").glob("*.yaml")))


def load(name: str | Path) -> Contract:
    """Read a contract by vendor name or by file. Raises ContractError with file and line."""
    path = name if isinstance(name, Path) else data_root() / "openapi" / f"{name}.yaml"
    bundled = bundle(path)
    # Validating takes a while, so it is done only where reading has failed.
    try:
        contract = _Builder(bundled).contract()
        compile_all(bundled.document)
        return contract
    except (*BROKEN, jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as error:
        finding = next(invalidities(bundled.document), None)
        pointer, message = (
            (finding.pointer, finding.message)
            if finding
            else ("", f"not understood: {str(error) or error!r}".partition("\n")[0])
        )
        raise ContractError(message, bundled.place(pointer), bundled.written_at(pointer)[1]) from error


def provenance(node: Mapping[str, Any], otherwise: Provenance | None = None) -> Provenance | None:
    """The `x-provenance` of a node, or what its surroundings say."""
    value = node.get("x-provenance")
    if isinstance(value, str):
        return Provenance(value)  # type: ignore[arg-type]  # the vocabulary has been checked
    if isinstance(value, dict):
        ((level, source),) = value.items()
        return Provenance(level, source)
    return otherwise


class _Builder:
    def __init__(self, bundled: Bundle) -> None:
        self.bundle = bundled
        self.document = bundled.document

    def fail(self, pointer: str, message: str) -> ContractError:
        return ContractError(message, self.bundle.place(pointer), self.bundle.written_at(pointer)[1])

    def deref(self, node: Json, pointer: str) -> tuple[Json, str]:
        """Follow local references: the node they lead to and its pointer."""
        seen: set[str] = set()
        while isinstance(node, dict) and isinstance(node.get("$ref"), str):
            target = node["$ref"].removeprefix("#")
            try:
                if target in seen:
                    raise KeyError
                seen.add(target)
                node, pointer = resolve(self.document, target), target
            except KeyError:
                raise self.fail(pointer, f"the reference {node['$ref']} names nothing") from None
        return node, pointer

    def contract(self) -> Contract:
        for finding in extensions.check(self.document):
            raise self.fail(finding.pointer, finding.message)
        facts = self.document.get("x-vendor")
        if not isinstance(facts, dict):
            raise self.fail("", "x-vendor is missing")
        self.resources = dict(self._resources())
        operations = {operation.id: operation for operation in self._operations(facts)}
        tenancy = facts.get("tenancy", {"in": "credential"})
        pages = facts.get("pagination")
        return Contract(
            name=facts["name"],
            title=self.document.get("info", {}).get("title", facts["name"]),
            bundle=self.bundle,
            error=facts["error"],
            timestamps=facts.get("timestamps", "date-time"),
            tenancy=Tenancy(tenancy["in"], tenancy.get("name", "")),
            statuses=facts["statuses"],
            idempotency=_idempotency(facts.get("idempotency")),
            pagination=Pagination(pages["parameter"], pages["size"], pages.get("total"), pages.get("next"))
            if pages
            else None,
            filter_parameter=facts.get("filter", {}).get("parameter"),
            resources=self.resources,
            operations=operations,
            webhooks=self.document.get("x-webhooks", {}),
        )

    def _resources(self) -> Iterator[tuple[str, Resource]]:
        schemas = self.document.get("components", {}).get("schemas", {})
        names = {name for name, schema in schemas.items() if "x-resource" in schema}
        for name, schema in schemas.items():
            facts = schema.get("x-resource")
            if facts is None:
                continue
            pointer = f"/components/schemas/{escape(name)}"
            properties = self._properties(schema, pointer)
            named = [
                facts["key"],
                *facts.get("mint", {}),
                *(column for group in facts.get("unique", []) for column in group),
            ]
            named += [facts[key] for key in ("state", "created", "updated", "deleted") if key in facts]
            for column in named:
                if column not in properties:
                    raise self.fail(
                        f"{pointer}/x-resource", f"x-resource of {name} names {column}, which is no property of it"
                    )
            for column, template in facts.get("mint", {}).items():
                if properties[column].get("type") == "integer" and not _DIGITS.match(template):
                    raise self.fail(
                        f"{pointer}/x-resource/mint/{escape(column)}", f"{column} is an integer, {template} is not"
                    )
            references = self._references(properties, pointer, names)
            yield (
                name,
                Resource(
                    name=name,
                    schema=schema,
                    pointer=pointer,
                    key=facts["key"],
                    mint=facts.get("mint", {}),
                    unique=tuple(tuple(group) for group in facts.get("unique", [])),
                    scope=facts.get("scope", "tenant"),
                    state=facts.get("state"),
                    created=facts.get("created"),
                    updated=facts.get("updated"),
                    deleted=facts.get("deleted"),
                    known=facts.get("known", False),
                    properties=properties,
                    references=references,
                    provenance=provenance(schema),
                ),
            )

    def _properties(self, schema: Json, pointer: str) -> dict[str, Any]:
        """The properties of a schema and of what it is composed of, references followed; the later one wins."""
        node, pointer = self.deref(schema, pointer)
        found: dict[str, Any] = {}
        for index, part in enumerate(node.get("allOf", [])):
            found.update(self._properties(part, f"{pointer}/allOf/{index}"))
        for name, item in node.get("properties", {}).items():
            resolved, _ = self.deref(item, f"{pointer}/properties/{escape(name)}")
            found[name] = {**found.get(name, {}), **resolved}
        return found

    def _references(self, properties: Mapping[str, Any], pointer: str, names: set[str]) -> dict[str, str]:
        references = {
            name: item["x-references"] for name, item in properties.items() if isinstance(item.get("x-references"), str)
        }
        for name, target in references.items():
            if target not in names:
                raise self.fail(pointer, f"the property {name} refers to {target}, which is no resource")
        return references

    def _operations(self, facts: Mapping[str, Any]) -> Iterator[Operation]:
        seen: set[str] = set()
        for path, item in self.document.get("paths", {}).items():
            for method in METHODS:
                if method not in item:
                    continue
                pointer = f"/paths/{escape(path)}/{method}"
                raw = item[method]
                identifier = raw.get("operationId")
                for required in ("operationId", "x-action", "x-provenance"):
                    if required not in raw:
                        raise self.fail(pointer, f"{method.upper()} {path} has no {required}")
                if identifier in seen:
                    raise self.fail(pointer, f"the operationId {identifier} stands twice")
                seen.add(identifier)
                yield self._operation(path, method, item, raw, pointer, facts)

    def _operation(
        self, path: str, method: str, item: Json, raw: Json, pointer: str, facts: Mapping[str, Any]
    ) -> Operation:
        responses = {}
        for status, node in raw.get("responses", {}).items():
            if not str(status).isdigit():
                raise self.fail(f"{pointer}/responses/{status}", f"{status} is no status: list them one by one")
            responses[int(status)] = self._response(int(status), node, f"{pointer}/responses/{status}")
        if not any(200 <= status < 300 for status in responses):
            raise self.fail(pointer, f"{raw['operationId']} documents no success")
        footing = provenance(raw)
        assert footing is not None, "checked above"
        parameters = tuple(self._parameters(item, raw, pointer))
        body = self._body(raw, pointer)
        return Operation(
            id=raw["operationId"],
            method=method,
            path=path,
            summary=raw.get("summary", ""),
            tag=(raw.get("tags") or [""])[0],
            action=self._action(raw["x-action"], f"{pointer}/x-action", parameters, body),
            provenance=footing,
            statuses={**facts["statuses"], **raw.get("x-statuses", {})},
            parameters=parameters,
            body=body,
            responses=responses,
            secured=_is_secured(raw.get("security", self.document.get("security", []))),
            pointer=pointer,
            raw=raw,
        )

    def _action(self, node: Json, pointer: str, parameters: tuple[Parameter, ...], body: Body | None) -> Action:
        verbs = [verb for verb in VERBS if verb in node]
        if len(verbs) != 1:
            raise self.fail(pointer, f"x-action names one of {', '.join(VERBS)}; this one names {verbs or 'none'}")
        verb = verbs[0]
        if node[verb] not in self.resources:
            raise self.fail(pointer, f"x-action names {node[verb]}, which is no resource")
        by = None
        if "by" in node:
            where, _, name = node["by"].partition(".")
            by = (where, name)
            if where in ("path", "query", "header") and not any((p.where, p.name) == by for p in parameters):
                raise self.fail(pointer, f"x-action is by {node['by']}, which is no parameter of the operation")
            if where == "body" and (body is None or name not in self._properties(body.schema, body.pointer)):
                raise self.fail(pointer, f"x-action is by {node['by']}, which is no property of the body")
        if by is None and verb in ("retrieve", "related", "update", "delete"):
            raise self.fail(pointer, f"x-action {verb} needs `by`: where the key stands")
        return Action(
            verb=verb,  # type: ignore[arg-type]  # one of VERBS
            resource=node[verb],
            by=by,
            many=node.get("many", False),
            states=tuple(node.get("from", ())),
            fixed=node.get("set", {}),
        )

    def _parameters(self, item: Json, raw: Json, pointer: str) -> Iterator[Parameter]:
        found: dict[tuple[str, str], Parameter] = {}
        above = pointer.rpartition("/")[0]
        for node, at in [
            *((node, f"{above}/parameters/{i}") for i, node in enumerate(item.get("parameters", []))),
            *((node, f"{pointer}/parameters/{i}") for i, node in enumerate(raw.get("parameters", []))),
        ]:
            node, at = self.deref(node, at)
            schema, _ = self.deref(node.get("schema", {}), f"{at}/schema")
            style = node.get("style", "form" if node["in"] in ("query", "cookie") else "simple")
            references = node.get("x-references") or schema.get("x-references")
            if references is not None and references not in self.resources:
                raise self.fail(at, f"the parameter {node['name']} refers to {references}, which is no resource")
            found[node["in"], node["name"]] = Parameter(
                name=node["name"],
                where=node["in"],
                required=node.get("required", False),
                schema=node.get("schema", {}),
                style=style,
                explode=node.get("explode", style == "form"),
                references=references,
                pointer=at,
            )
        yield from found.values()

    def _body(self, raw: Json, pointer: str) -> Body | None:
        if "requestBody" not in raw:
            return None
        node, at = self.deref(raw["requestBody"], f"{pointer}/requestBody")
        content = {media: entry.get("schema", {}) for media, entry in node["content"].items()}
        if not content:
            raise self.fail(at, "the body has no media type")
        properties = self._properties(next(iter(content.values())), at)
        return Body(
            required=node.get("required", False),
            content=content,
            properties=frozenset(name for schema in content.values() for name in self._properties(schema, at)),
            references=self._references(properties, at, set(self.resources)),
            pointer=at,
        )

    def _response(self, status: int, node: Json, pointer: str) -> Response:
        node, pointer = self.deref(node, pointer)
        content = node.get("content", {})
        schema = next((entry.get("schema") for entry in content.values()), None)
        headers = {}
        for name, header in node.get("headers", {}).items():
            headers[name], _ = self.deref(header, f"{pointer}/headers/{escape(name)}")
        return Response(
            status=status,
            content={media: entry.get("schema") for media, entry in content.items()},
            examples={
                media: {
                    name: self.deref(example, f"{pointer}/content/{escape(media)}/examples/{escape(name)}")[0]
                    for name, example in entry.get("examples", {}).items()
                }
                for media, entry in content.items()
            },
            headers=headers,
            views=tuple(self._views(schema, pointer, (), frozenset())) if schema else (),
            pointer=pointer,
        )

    def _views(self, schema: Json, pointer: str, path: tuple[str, ...], trail: frozenset[str]) -> Iterator[View]:
        name = schema.get("$ref", "").rpartition("/")[2] if isinstance(schema, dict) else ""
        if name in trail:
            return
        node, at = self.deref(schema, pointer)
        trail = trail | {name} if name else trail
        shows = name if "x-resource" in node else node.get("x-view")
        properties = self._properties(node, at)
        if shows is not None:
            if shows not in self.resources:
                raise self.fail(at, f"x-view names {shows}, which is no resource")
            visible = tuple(key for key, item in properties.items() if not item.get("writeOnly"))
            yield View(shows, path, visible)
        for key in properties:
            yield from self._views(self._raw_property(node, key), at, (*path, key), trail)
        if "items" in node:
            yield from self._views(node["items"], at, (*path, "-"), trail)

    def _raw_property(self, node: Json, key: str) -> Json:
        if key in node.get("properties", {}):
            return node["properties"][key]
        for part in node.get("allOf", []):
            resolved, _ = self.deref(part, "")
            if key in self._properties(resolved, ""):
                return self._raw_property(resolved, key)
        return {}


def _is_secured(requirements: list[dict[str, Any]]) -> bool:
    """Whether a call needs a credential: an empty requirement among the alternatives lets everyone in."""
    return bool(requirements) and all(requirements)


def _idempotency(node: Mapping[str, Any] | None) -> Idempotency | None:
    if node is None:
        return None
    match = _DURATION.match(node["lifetime"])
    assert match is not None, "the vocabulary has been checked"
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    lifetime = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    return Idempotency(node["header"], lifetime, node["conflict"], node["in-use"])
