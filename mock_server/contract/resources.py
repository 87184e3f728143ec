"""The resources of a document: the schemas that carry `x-resource`, each the stored shape of a record."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from mock_server.contract.files import Json, escape
from mock_server.contract.model import Resource
from mock_server.contract.source import Source, provenance
from mock_server.contract.sums import Sum, read_term
from mock_server.contract.webhooks import read_emissions, read_lifecycle

_DIGITS = re.compile(r"^[0-9]*\{n(?::0[0-9]+d)?\}[0-9]*$")


def read_resources(source: Source, events: Collection[str] = ()) -> Iterator[tuple[str, Resource]]:
    """Every resource by its name. Raises ContractError for what names no property, no resource or none of the events."""
    schemas = source.document.get("components", {}).get("schemas", {})
    names = {name for name, schema in schemas.items() if "x-resource" in schema}
    for name, schema in schemas.items():
        facts = schema.get("x-resource")
        if facts is None:
            continue
        pointer = f"/components/schemas/{escape(name)}"
        properties = source.properties(schema, pointer)
        named = [
            facts["key"],
            *facts.get("mint", {}),
            *(column for group in facts.get("unique", []) for column in group),
        ]
        named += [facts[key] for key in ("state", "created", "updated", "deleted") if key in facts]
        for column in named:
            if column not in properties:
                raise source.fail(
                    f"{pointer}/x-resource", f"x-resource of {name} names {column}, which is no property of it"
                )
        for column, template in facts.get("mint", {}).items():
            if properties[column].get("type") == "integer" and not _DIGITS.match(template):
                raise source.fail(
                    f"{pointer}/x-resource/mint/{escape(column)}", f"{column} is an integer, {template} is not"
                )
        references = source.references(properties, pointer, names)
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
                lifecycle=tuple(read_lifecycle(source, schema, properties, pointer)),
                emissions=tuple(read_emissions(source, schema, properties, events, pointer)),
                sums=tuple(_sums(source, schema, properties, pointer)),
            ),
        )


def _sums(source: Source, schema: Json, properties: Mapping[str, Any], pointer: str) -> Iterator[Sum]:
    for name, node in schema.get("x-sums", {}).items():
        terms = tuple(read_term(text) for text in (node if isinstance(node, list) else [node]))
        for known in (name, *(term.path[0] for term in terms)):
            if known not in properties:
                raise source.fail(f"{pointer}/x-sums/{escape(name)}", f"x-sums names {known}, which is no property")
        yield Sum(name, terms)
