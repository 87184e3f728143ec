"""The operations of a document: what each takes, does and answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mock_server.contract.calls import Action, Body, Operation, Parameter
from mock_server.contract.files import Json, escape
from mock_server.contract.model import Resource
from mock_server.contract.parts import METHODS
from mock_server.contract.responses import read_response
from mock_server.contract.source import Source, provenance

VERBS = ("create", "retrieve", "list", "search", "filter", "related", "update", "delete", "none")
Resources = Mapping[str, Resource]


def read_operations(source: Source, resources: Resources, facts: Mapping[str, Any]) -> Iterator[Operation]:
    """Every operation, in the order of the document. Raises ContractError."""
    seen: set[str] = set()
    for path, item in source.document.get("paths", {}).items():
        for method in METHODS:
            if method not in item:
                continue
            pointer = f"/paths/{escape(path)}/{method}"
            raw = item[method]
            identifier = raw.get("operationId")
            for required in ("operationId", "x-action", "x-provenance"):
                if required not in raw:
                    raise source.fail(pointer, f"{method.upper()} {path} has no {required}")
            if identifier in seen:
                raise source.fail(pointer, f"the operationId {identifier} stands twice")
            seen.add(identifier)
            yield _operation(source, resources, path, method, item, raw, pointer, facts)


def _operation(
    source: Source,
    resources: Resources,
    path: str,
    method: str,
    item: Json,
    raw: Json,
    pointer: str,
    facts: Mapping[str, Any],
) -> Operation:
    responses = {}
    for status, node in raw.get("responses", {}).items():
        if not str(status).isdigit():
            raise source.fail(f"{pointer}/responses/{status}", f"{status} is no status: list them one by one")
        responses[int(status)] = read_response(source, resources, int(status), node, f"{pointer}/responses/{status}")
    if not any(200 <= status < 300 for status in responses):
        raise source.fail(pointer, f"{raw['operationId']} documents no success")
    footing = provenance(raw)
    assert footing is not None, "checked above"
    parameters = tuple(_parameters(source, resources, item, raw, pointer))
    body = _body(source, resources, raw, pointer)
    return Operation(
        id=raw["operationId"],
        method=method,
        path=path,
        summary=raw.get("summary", ""),
        tag=(raw.get("tags") or [""])[0],
        action=_action(source, resources, raw["x-action"], f"{pointer}/x-action", parameters, body),
        provenance=footing,
        statuses={**facts["statuses"], **raw.get("x-statuses", {})},
        parameters=parameters,
        body=body,
        responses=responses,
        secured=_is_secured(raw.get("security", source.document.get("security", []))),
        pointer=pointer,
        raw=raw,
    )


def _action(
    source: Source, resources: Resources, node: Json, pointer: str, parameters: tuple[Parameter, ...], body: Body | None
) -> Action:
    verbs = [verb for verb in VERBS if verb in node]
    if len(verbs) != 1:
        raise source.fail(pointer, f"x-action names one of {', '.join(VERBS)}; this one names {verbs or 'none'}")
    verb = verbs[0]
    if node[verb] not in resources:
        raise source.fail(pointer, f"x-action names {node[verb]}, which is no resource")
    by = None
    if "by" in node:
        where, _, name = node["by"].partition(".")
        by = (where, name)
        if where in ("path", "query", "header") and not any((p.where, p.name) == by for p in parameters):
            raise source.fail(pointer, f"x-action is by {node['by']}, which is no parameter of the operation")
        if where == "body" and (body is None or name not in source.properties(body.schema, body.pointer)):
            raise source.fail(pointer, f"x-action is by {node['by']}, which is no property of the body")
    for name in node.get("moves", ()):
        if body is None or name not in source.properties(body.schema, body.pointer):
            raise source.fail(f"{pointer}/moves/{escape(name)}", f"{name} is no property of the body")
    if by is None and verb in ("retrieve", "related", "update", "delete"):
        raise source.fail(pointer, f"x-action {verb} needs `by`: where the key stands")
    return Action(
        verb=verb,  # type: ignore[arg-type]  # one of VERBS
        resource=node[verb],
        by=by,
        many=node.get("many", False),
        states=tuple(node.get("from", ())),
        fixed=node.get("set", {}),
        to=tuple(node.get("to", ())),
        moves=node.get("moves", {}),
    )


def _parameters(source: Source, resources: Resources, item: Json, raw: Json, pointer: str) -> Iterator[Parameter]:
    found: dict[tuple[str, str], Parameter] = {}
    above = pointer.rpartition("/")[0]
    for node, at in [
        *((node, f"{above}/parameters/{i}") for i, node in enumerate(item.get("parameters", []))),
        *((node, f"{pointer}/parameters/{i}") for i, node in enumerate(raw.get("parameters", []))),
    ]:
        node, at = source.deref(node, at)
        schema, _ = source.deref(node.get("schema", {}), f"{at}/schema")
        style = node.get("style", "form" if node["in"] in ("query", "cookie") else "simple")
        references = node.get("x-references") or schema.get("x-references")
        if references is not None and references not in resources:
            raise source.fail(at, f"the parameter {node['name']} refers to {references}, which is no resource")
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


def _body(source: Source, resources: Resources, raw: Json, pointer: str) -> Body | None:
    if "requestBody" not in raw:
        return None
    node, at = source.deref(raw["requestBody"], f"{pointer}/requestBody")
    content = {media: entry.get("schema", {}) for media, entry in node["content"].items()}
    if not content:
        raise source.fail(at, "the body has no media type")
    properties = source.properties(next(iter(content.values())), at)
    return Body(
        required=node.get("required", False),
        content=content,
        properties=frozenset(name for schema in content.values() for name in source.properties(schema, at)),
        references=source.references(properties, at, set(resources)),
        pointer=at,
    )


def _is_secured(requirements: list[dict[str, Any]]) -> bool:
    """Whether a call needs a credential: an empty requirement among the alternatives lets everyone in."""
    return bool(requirements) and all(requirements)
