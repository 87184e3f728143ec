"""Rules on fixtures: files in shape, records that fit together, nothing left over, nothing real."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from mock_server.contract import (
    Contract,
    ContractError,
    Fixtures,
    Json,
    Part,
    check_keys,
    escape,
    load_fixtures,
    named_records,
)
from mock_server.contract.fixtures import GROUPS
from mock_server.lint.finding import Finding, in_file, unreadable
from mock_server.lint.subject import Subject, as_mapping, strings
from mock_server.seeds import flaws

_MAIL = re.compile(r"[\w.+%-]+@((?:[\w-]+\.)+[\w-]+)")
_RESERVED = re.compile(r"(?:.+\.)?(?:example\.(?:com|net|org)|[\w-]+\.(?:test|example))", re.IGNORECASE)
_TOKEN = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*")


def shaped(subject: Subject) -> Iterator[Finding]:
    """fixture-shape, and the vocabulary's rules on an Example Object."""
    for path, content in subject.fixtures.items():
        if not isinstance(content, dict):
            yield in_file(path, "", "fixture-shape", f"a fixtures file has the groups {', '.join(GROUPS)}")
            continue
        for group, examples in content.items():
            pointer = f"/{escape(group)}"
            if group not in GROUPS or not isinstance(examples, dict):
                yield in_file(path, pointer, "fixture-shape", f"{group} is no group of examples")
                continue
            for name, example in examples.items():
                yield from _example(path, f"{pointer}/{escape(name)}", name, example)


def _example(path: Path, pointer: str, name: str, example: Json) -> Iterator[Finding]:
    if not isinstance(example, dict) or "value" not in example or not example.get("summary"):
        yield in_file(path, pointer, "fixture-shape", f"{name} needs a summary and a value")
        return
    for key in example:
        if key not in ("summary", "description", "value") and not key.startswith("x-"):
            yield in_file(path, f"{pointer}/{escape(key)}", "fixture-shape", f"{key} has no meaning here")
    for found in check_keys(example, "example", pointer):
        yield in_file(path, found.pointer, found.rule, found.message)


def harmless(subject: Subject) -> Iterator[Finding]:
    """real-address, real-token: in the documents too."""
    for path, content in (*subject.documents.items(), *subject.fixtures.items()):
        for pointer, text in strings(content):
            for domain in _MAIL.findall(text):
                if not _RESERVED.fullmatch(domain):
                    yield in_file(path, pointer, "real-address", f"a mail address on {domain}, which is not reserved")
            if _TOKEN.search(text):
                yield in_file(path, pointer, "real-token", "this looks like a real JSON Web Token")


def needed(subject: Subject) -> Iterator[Finding]:
    """unused-example."""
    used = set(subject.bundle.origins.values())
    for path, content in subject.fixtures.items():
        for group in ("requests", "answers"):
            for name in as_mapping(as_mapping(content).get(group)):
                pointer = f"/{group}/{escape(name)}"
                if (path, pointer) not in used:
                    yield in_file(path, pointer, "unused-example", f"the document does not refer to {name}")


def consistent(subject: Subject, contract: Contract) -> Iterator[Finding]:
    """fixture-invalid, unknown-tenant, no-credential, example-reference."""
    try:
        fixtures = load_fixtures(contract)
        for record, pointer, message in flaws(contract, fixtures):
            yield in_file(
                record.path, f"{record.pointer}/value{pointer}", "fixture-invalid", f"{record.name}: {message}"
            )
    except ContractError as error:
        if not any(finding.rule == "fixture-shape" for finding in shaped(subject)):
            yield unreadable(error)
        return
    credentials = fixtures.records.get("Credential", ())
    secured = next((operation.id for operation in contract.operations.values() if operation.secured), None)
    if secured and not credentials:
        yield subject.find("", "no-credential", f"{secured} is secured, and no fixture says who may call")
    yield from _tenants(subject, fixtures)
    yield from _dangling(subject, contract, fixtures)


def _tenants(subject: Subject, fixtures: Fixtures) -> Iterator[Finding]:
    tenants = [record.value.get("tenant") for record in fixtures.records.get("Credential", ())]
    for record in (record for records in fixtures.records.values() for record in records):
        example = subject.fixtures[record.path]["records"][record.name]
        pointer = f"{record.pointer}/x-tenant"
        if "x-tenant" in example and record.tenant is None:
            yield in_file(
                record.path, pointer, "unknown-tenant", f"every tenant shares the records of {record.resource}"
            )
        elif "x-tenant" in example and record.tenant not in tenants:
            yield in_file(record.path, pointer, "unknown-tenant", f"no credential has the tenant {record.tenant}")


def _dangling(subject: Subject, contract: Contract, fixtures: Fixtures) -> Iterator[Finding]:
    keys = {
        name: [record.value.get(facts.key) for record in fixtures.of(name)]
        for name, facts in contract.resources.items()
    }
    for part in subject.parts:
        for pointer, schema, value in _sent(subject, part) if "webhook" not in part.within else ():
            for below, target, key in named_records(subject.document, schema, value):
                if isinstance(key, str | int) and key not in keys.get(target, ()):
                    message = f"{key} names no {target} of the default caller"
                    yield subject.find(pointer + below, "example-reference", message)


def _sent(subject: Subject, part: Part) -> Iterator[tuple[str, Json, Json]]:
    """The examples of what a client sends: pointer, schema, value."""
    schema = part.node.get("schema")
    if part.place == "parameter" and "x-references" in part.node:
        schema = {"x-references": part.node["x-references"]}
    if part.place == "parameter" or (part.place == "media type" and part.within[-1] == "request body"):
        for name, example in as_mapping(part.node.get("examples")).items():
            node, pointer = subject.follow(example, f"{part.pointer}/examples/{escape(name)}")
            if "value" in node:
                yield f"{pointer}/value", schema, node["value"]
        if "example" in part.node:
            yield f"{part.pointer}/example", schema, part.node["example"]
