"""Rules on the document as a whole: is it valid, does all that it names exist, is all that it declares used?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mock_server.contract import Json, check, escape, invalidities, resolve
from mock_server.contract.operations import VERBS
from mock_server.lint.finding import Finding, in_file
from mock_server.lint.subject import Subject, as_mapping

_VALUES = ("default", "enum", "example", "value")
"""Keys below which a `$ref` would be data."""


def validity(subject: Subject) -> Iterator[Finding]:
    """openapi, reference."""
    for found in invalidities(subject.document):
        yield subject.find(found.pointer, found.rule, found.message)


def vocabulary(subject: Subject) -> Iterator[Finding]:
    """unknown-extension, extension-place, extension-value."""
    for found in check(subject.document):
        yield subject.find(found.pointer, found.rule, found.message)


def siblings(subject: Subject) -> Iterator[Finding]:
    """reference-siblings: a bundled document has them no more, so the files are read."""
    for path, content in subject.documents.items():
        for pointer, names in _beside_references(content, ""):
            yield in_file(path, pointer, "reference-siblings", f"{', '.join(names)} beside $ref is ignored")


def _beside_references(node: Json, pointer: str) -> Iterator[tuple[str, list[str]]]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str) and len(node) > 1:
            yield pointer, sorted(set(node) - {"$ref"})
        for key, value in node.items():
            if key not in _VALUES:
                yield from _beside_references(value, f"{pointer}/{escape(key)}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _beside_references(value, f"{pointer}/{index}")


def targets(subject: Subject) -> Iterator[Finding]:
    """unknown-resource, unknown-event."""
    events = as_mapping(subject.document.get("x-webhooks"))
    for part in subject.parts:
        named = {key: part.node.get(key) for key in ("x-references", "x-view")}
        action = as_mapping(part.node.get("x-action"))
        named |= {f"x-action/{verb}": action.get(verb) for verb in VERBS}
        for key, name in named.items():
            if isinstance(name, str) and name not in subject.resources:
                yield subject.find(f"{part.pointer}/{key}", "unknown-resource", f"{name} is no resource")
        for event in as_mapping(part.node.get("x-emits")):
            if event not in events:
                at = f"{part.pointer}/x-emits/{escape(event)}"
                yield subject.find(at, "unknown-event", f"x-webhooks has no {event}")


def vendor_facts(subject: Subject) -> Iterator[Finding]:
    """vendor-fact: a name that begins with `_` is the sandbox's own, whatever the file."""
    facts = as_mapping(subject.document.get("x-vendor"))
    stem = subject.bundle.path.stem
    if facts and facts.get("name") != stem and not str(facts.get("name")).startswith("_"):
        yield subject.find("/x-vendor/name", "vendor-fact", f"the vendor of {stem}.yaml is {stem}")
    if facts and str(facts.get("error")) not in subject.schemas:
        yield subject.find("/x-vendor/error", "vendor-fact", f"there is no schema {facts.get('error')}")
    there = {
        (part.node.get("in"), str(part.node.get("name")).lower()) for part in subject.parts if part.place == "parameter"
    }
    tenancy = as_mapping(facts.get("tenancy"))
    wanted = {
        "idempotency/header": ("header", as_mapping(facts.get("idempotency")).get("header")),
        "pagination/parameter": ("query", as_mapping(facts.get("pagination")).get("parameter")),
        "filter/parameter": ("query", as_mapping(facts.get("filter")).get("parameter")),
        "tenancy/name": (tenancy.get("in"), tenancy.get("name")),
    }
    for key, (where, name) in wanted.items():
        if name is not None and (where, str(name).lower()) not in there:
            yield subject.find(f"/x-vendor/{key}", "vendor-fact", f"no operation has the {where} parameter {name}")


def links(subject: Subject) -> Iterator[Finding]:
    """link-operation."""
    known = {part.node.get("operationId") for part in subject.parts if part.place == "operation"}
    for part in subject.parts:
        name = part.node.get("operationId")
        if part.place == "link" and name is not None and name not in known:
            yield subject.find(f"{part.pointer}/operationId", "link-operation", f"there is no operation {name}")


def discriminators(subject: Subject) -> Iterator[Finding]:
    """discriminator-mapping."""
    for part in subject.parts:
        discriminator = as_mapping(part.node.get("discriminator")) if part.place == "schema" else {}
        for value, target in as_mapping(discriminator.get("mapping")).items():
            if not _is_schema(subject, target):
                pointer = f"{part.pointer}/discriminator/mapping/{escape(value)}"
                yield subject.find(pointer, "discriminator-mapping", f"{target} is no schema of this document")


def _is_schema(subject: Subject, target: Any) -> bool:
    if not isinstance(target, str):
        return False
    if not target.startswith("#"):
        return target in subject.schemas
    try:
        return isinstance(resolve(subject.document, target[1:]), dict)
    except KeyError:
        return False


def unused(subject: Subject) -> Iterator[Finding]:
    """unused-component: what neither an operation nor a webhook leads to.

    Resources are used by being resources; a security scheme may be there to tell how a credential is got.
    """
    components = as_mapping(subject.document.get("components"))
    used = _used(subject, components)
    for kind, group in components.items():
        for name in as_mapping(group) if kind != "securitySchemes" else ():
            if (kind, name) not in used:
                pointer = f"/components/{kind}/{escape(name)}"
                yield subject.find(pointer, "unused-component", f"nothing refers to {name} of components.{kind}")


def _used(subject: Subject, components: Json) -> set[tuple[str, str]]:
    document = subject.document
    waiting: list[Json] = [document.get("paths"), document.get("x-webhooks")]
    used: set[tuple[str, str]] = set()
    found = {("schemas", name) for name in subject.resources}
    found.add(("schemas", str(as_mapping(document.get("x-vendor")).get("error"))))
    while waiting or found - used:
        while waiting:
            found |= set(_named(waiting.pop(), waiting))
        for kind, name in found - used:
            used.add((kind, name))
            waiting.append(as_mapping(components.get(kind)).get(name))
    return used


def _named(node: Json, waiting: list[Json]) -> Iterator[tuple[str, str]]:
    """The components that a node itself names; what stands in it is left to wait."""
    if isinstance(node, list):
        waiting += node
    if not isinstance(node, dict):
        return
    waiting += node.values()
    mapping = as_mapping(as_mapping(node.get("discriminator")).get("mapping"))
    for target in (node.get("$ref"), *mapping.values()):
        if isinstance(target, str):
            parts = target.split("/")
            yield (parts[2], parts[3]) if target.startswith("#/components/") and len(parts) > 3 else ("schemas", target)
