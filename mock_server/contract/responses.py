"""The documented answers of an operation, and where they show records."""

from __future__ import annotations

from collections.abc import Container, Iterator

from mock_server.contract.calls import Response, View
from mock_server.contract.files import Json, escape
from mock_server.contract.source import Source


def read_response(source: Source, resources: Container[str], status: int, node: Json, pointer: str) -> Response:
    """One answer; `resources` are the names that a view may have. Raises ContractError."""
    node, pointer = source.deref(node, pointer)
    if (status, pointer) not in source.answers:
        source.answers[status, pointer] = _response(source, resources, status, node, pointer)
    return source.answers[status, pointer]


def _response(source: Source, resources: Container[str], status: int, node: Json, pointer: str) -> Response:
    content = node.get("content", {})
    schema = next((entry.get("schema") for entry in content.values()), None)
    headers = {}
    for name, header in node.get("headers", {}).items():
        headers[name], _ = source.deref(header, f"{pointer}/headers/{escape(name)}")
    return Response(
        status=status,
        content={media: entry.get("schema") for media, entry in content.items()},
        examples={
            media: {
                name: source.deref(example, f"{pointer}/content/{escape(media)}/examples/{escape(name)}")[0]
                for name, example in entry.get("examples", {}).items()
            }
            for media, entry in content.items()
        },
        headers=headers,
        views=tuple(_views(source, resources, schema, pointer, (), frozenset())) if schema else (),
        pointer=pointer,
    )


def _views(
    source: Source, resources: Container[str], schema: Json, pointer: str, path: tuple[str, ...], trail: frozenset[str]
) -> Iterator[View]:
    name = schema.get("$ref", "").rpartition("/")[2] if isinstance(schema, dict) else ""
    if name in trail:
        return
    node, at = source.deref(schema, pointer)
    trail = trail | {name} if name else trail
    shows = name if "x-resource" in node else node.get("x-view")
    properties = source.properties(node, at)
    if shows is not None:
        if shows not in resources:
            raise source.fail(at, f"x-view names {shows}, which is no resource")
        visible = tuple(key for key, item in properties.items() if not item.get("writeOnly"))
        yield View(shows, path, visible)
    for key in properties:
        yield from _views(source, resources, source.raw_property(node, key), at, (*path, key), trail)
    if "items" in node:
        yield from _views(source, resources, node["items"], at, (*path, "-"), trail)
