"""Holds a document to OpenAPI 3.0 itself, by openapi-spec-validator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mock_server.contract.extensions import Finding
from mock_server.contract.files import Json, escape, resolve
from mock_server.contract.parts import walk
from mock_server.contract.references import follow

BROKEN = (AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What code that expects an OpenAPI document may fail with on one that is not."""

_LONGEST = 200
"""Characters of a message, which may begin with all that is wrong; what is wrong with it stands at the end."""


def invalidities(document: Json) -> Iterator[Finding]:
    """Yield what makes a bundled document no OpenAPI 3.0 document: references that name nothing first, then the rest."""
    dangling = [
        Finding(part.pointer, "reference", f"the reference {part.node['$ref']} names nothing")
        for part in walk(document)
        if isinstance(part.node.get("$ref"), str) and not follow(document, part.node)
    ]
    yield from dangling
    if dangling:
        return
    for finding in _invalid(_with_webhooks_as_paths(document)):
        yield Finding(finding.pointer.replace(_AS_POINTER, "/x-webhooks/"), finding.rule, finding.message)


_AS_PATH = "/x-webhooks "
_AS_POINTER = f"/paths/{escape(_AS_PATH)}"


def _with_webhooks_as_paths(document: Json) -> Json:
    """OpenAPI 3.0 does not know webhooks: their path items are held to its rules among the paths."""
    paths, webhooks = document.get("paths"), document.get("x-webhooks")
    if not isinstance(paths, dict) or not isinstance(webhooks, dict):
        return document
    return {**document, "paths": {**paths, **{f"{_AS_PATH}{name}": item for name, item in webhooks.items()}}}


def _invalid(document: Json) -> Iterator[Finding]:
    # Imported where it is needed: a server that starts from a valid document does not wait for it.
    from openapi_spec_validator import OpenAPIV30SpecValidator

    found: set[tuple[str, str]] = set()
    try:
        for error in OpenAPIV30SpecValidator(document).iter_errors():
            finding = _explain(error, document)
            if (finding.pointer, finding.message) not in found:
                found.add((finding.pointer, finding.message))
                yield finding
    except BROKEN as error:
        if not found:
            yield Finding("", "openapi", f"the document is not valid ({type(error).__name__} while it was validated)")


def _explain(error: Any, document: Json) -> Finding:
    """The error that says most: of several alternatives that all fail, the one that came furthest."""
    path = list(error.absolute_path)
    while error.context:
        error = max(error.context, key=lambda inner: len(inner.absolute_path))
        path = list(error.absolute_path)
    pointer = "".join(f"/{escape(str(step))}" for step in path)
    try:
        resolve(document, pointer)
    except KeyError:
        pointer = ""  # below a schema the validator counts from that schema, and does not say from which
    message = error.message.partition("\n")[0]
    return Finding(pointer, "openapi", message if len(message) <= _LONGEST else "…" + message[-_LONGEST:])
