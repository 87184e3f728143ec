"""OpenAPI document -> frozen Contract; refuses what it does not know, by name, with file and line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs

from mock_server.contract import extensions
from mock_server.contract.bundle import bundle
from mock_server.contract.changes import Signature
from mock_server.contract.files import ContractError, data_root
from mock_server.contract.json_schema import compile_all
from mock_server.contract.model import Contract, Idempotency, Pagination, Tenancy
from mock_server.contract.openapi import BROKEN, invalidities
from mock_server.contract.operations import read_operations
from mock_server.contract.parts import Part, walk
from mock_server.contract.resources import read_resources
from mock_server.contract.source import Source
from mock_server.contract.webhooks import read_webhooks

_DURATION = re.compile(r"^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$")


def vendors() -> tuple[str, ...]:
    """The names of the vendors: the documents in `openapi/`."""
    return tuple(sorted(path.stem for path in (data_root() / "openapi").glob("*.yaml")))


def load(name: str | Path) -> Contract:
    """Read a contract by vendor name or by file. Raises ContractError with file and line."""
    path = name if isinstance(name, Path) else data_root() / "openapi" / f"{name}.yaml"
    bundled = bundle(path)
    # Validating takes a while, so it is done only where reading has failed.
    try:
        parts = tuple(walk(bundled.document))
        contract = _contract(Source(bundled), parts)
        compile_all(bundled.document, parts)
        return contract
    except (*BROKEN, jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as error:
        finding = next(invalidities(bundled.document), None)
        pointer, message = (
            (finding.pointer, finding.message)
            if finding
            else ("", f"not understood: {str(error) or error!r}".partition("\n")[0])
        )
        raise ContractError(message, bundled.place(pointer), bundled.written_at(pointer)[1]) from error


def _contract(source: Source, parts: Iterable[Part]) -> Contract:
    for finding in extensions.check(source.document, parts):
        raise source.fail(finding.pointer, finding.message)
    facts = source.document.get("x-vendor")
    if not isinstance(facts, dict):
        raise source.fail("", "x-vendor is missing")
    webhooks = dict(read_webhooks(source))
    resources = dict(read_resources(source, webhooks))
    operations = {operation.id: operation for operation in read_operations(source, resources, facts)}
    tenancy = facts.get("tenancy", {"in": "credential"})
    pages = facts.get("pagination")
    signature = facts.get("webhooks", {}).get("signature")
    return Contract(
        name=facts["name"],
        title=source.document.get("info", {}).get("title", facts["name"]),
        bundle=source.bundle,
        error=facts["error"],
        timestamps=facts.get("timestamps", "date-time"),
        tenancy=Tenancy(tenancy["in"], tenancy.get("name", "")),
        statuses=facts["statuses"],
        idempotency=_idempotency(facts.get("idempotency")),
        pagination=Pagination(pages["parameter"], pages["size"], pages.get("total"), pages.get("next"))
        if pages
        else None,
        filter_parameter=facts.get("filter", {}).get("parameter"),
        resources=resources,
        operations=operations,
        webhooks=webhooks,
        signature=Signature(**signature) if signature else None,
        secret_header=facts.get("webhooks", {}).get("secret", {}).get("header"),
    )


def _idempotency(node: Mapping[str, Any] | None) -> Idempotency | None:
    if node is None:
        return None
    match = _DURATION.match(node["lifetime"])
    assert match is not None, "the vocabulary has been checked"
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    lifetime = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    return Idempotency(node["header"], lifetime, node["conflict"], node["in-use"])
