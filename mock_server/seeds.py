"""Fixtures -> validated records -> store: what every new world holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

import jsonschema_rs

from mock_server.contract import (
    Contract,
    ContractError,
    Definitions,
    Fixtures,
    Record,
    Resource,
    convert,
    escape,
    named_records,
)
from mock_server.store import Transaction
from mock_server.vendor import COUNTERS, SHARED, counter

CREDENTIAL = {
    "properties": {
        "expires_at": {
            "type": ["string", "null"],
            "format": "date-time",
            "pattern": r"^(?!0000)[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9](\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$",
        },
        "revoked": {"type": "boolean"},
        "rate_limit": {
            "type": ["object", "null"],
            "required": ["requests", "seconds"],
            "additionalProperties": False,
            "properties": {
                "requests": {"type": "integer", "minimum": 1, "maximum": 1_000_000},
                "seconds": {"type": "integer", "minimum": 1, "maximum": 86_400},
            },
        },
    },
}
"""What the engine reads of a credential, whether or not the vendor's document declares it."""


def stored_validators(contract: Contract, names: Iterable[str] | None = None) -> Mapping[str, jsonschema_rs.Validator]:
    """For each resource, or each of those named, the validator of its stored shape."""
    definitions = Definitions(contract.document, "stored")
    found = {}
    for name in contract.resources if names is None else names:
        stored = convert(contract.resources[name].schema, "stored")
        whole = {"allOf": [stored, CREDENTIAL if name == "Credential" else True], "$defs": definitions.reached(stored)}
        found[name] = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
    return found


def undeclared(facts: Resource, record: Mapping[str, object]) -> list[str]:
    """The properties of a record that nobody would know: an answer shows a record as it is where it may show everything declared."""
    known = CREDENTIAL["properties"] if facts.name == "Credential" else ()
    return [name for name in record if name not in facts.properties and name not in known]


def flaws(contract: Contract, fixtures: Fixtures) -> Iterator[tuple[Record, str, str]]:
    """What is wrong with the records: (record, JSON pointer inside it, message)."""
    validators = stored_validators(contract, [name for name, records in fixtures.records.items() if records])
    taken: dict[tuple[str, str | None], dict[tuple[object, ...], str]] = {}
    for resource, records in fixtures.records.items():
        facts = contract.resources[resource] if records else None
        for record in records if facts else ():
            assert facts is not None
            for name in undeclared(facts, record.value):
                yield record, f"/{escape(name)}", "the schema does not declare it"
            validator = validators[resource]
            for error in () if validator.is_valid(record.value) else validator.iter_errors(record.value):
                yield record, "".join(f"/{escape(str(step))}" for step in error.instance_path), error.message
            if not _is_key(record.value.get(facts.key)):
                yield record, f"/{facts.key}", "the key is no text and no integer"
            held = taken.setdefault((resource, record.tenant), {})
            for group in ((facts.key,), *facts.unique):
                values = tuple(record.value.get(column) for column in group)
                if not all(map(_is_key, values)):
                    continue
                other = held.setdefault((group, values), record.name)
                if other != record.name:
                    yield record, f"/{group[0]}", f"{' and '.join(group)} may be used once, and {other} has the same"
    for record in (record for records in fixtures.records.values() for record in records):
        schema = contract.resources[record.resource].schema
        for pointer, target, key in named_records(contract.document, schema, record.value):
            facts = contract.resources.get(target)
            named = ((facts.key,), (key,)) if facts and _is_key(key) else None
            if named is None or not any(named in taken.get((target, tenant), ()) for tenant in (record.tenant, None)):
                yield record, pointer, f"{key} names no {target} of its tenant"


def _is_key(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def check(contract: Contract, fixtures: Fixtures) -> None:
    """Raise ContractError, with file and line, for the first record that is not valid."""
    for record, pointer, message in flaws(contract, fixtures):
        raise ContractError(f"{record.name}{pointer}: {message}", record.place, f"{record.pointer}/value{pointer}")


def sow(transaction: Transaction, contract: Contract, fixtures: Fixtures) -> None:
    """Write every record into a world."""
    for resource, records in fixtures.records.items():
        for record in records:
            key = record.value[contract.resources[resource].key]
            table = (SHARED if record.tenant is None else record.tenant, resource)
            deleted = contract.resources[resource].deleted
            value = {**record.value, deleted: record.value.get(deleted)} if deleted else record.value
            transaction.put(table, key, value)
        for column, template in contract.resources[resource].mint.items() if records else ():
            highest = max(_number(template, str(record.value.get(column))) for record in records)
            transaction.put(COUNTERS, counter(resource, column), {"n": highest})


def _number(template: str, value: str) -> int:
    """The number a template was given to make this value; 0 where there is none. Numbers go on after the highest of any tenant."""
    if "{n" not in template:
        return 0
    parts = [r"(\d{1,18})" if part.startswith("{n") else re.escape(part) for part in re.split(r"(\{[^}]*\})", template)]
    found = re.fullmatch("".join(parts), value)
    return int(found.group(1)) if found else 0
