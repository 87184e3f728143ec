"""What lint says: a finding, by the name of the rule that is broken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mock_server.contract import ContractError
from mock_server.contract.files import line_of, shown

RULES: Mapping[str, str] = {
    "unreadable": "Every file is YAML of the strict kind, every reference to a file leads somewhere, and every fact can be read.",
    "openapi": "The document is valid OpenAPI 3.0.",
    "reference": "Every local reference leads to something.",
    "reference-siblings": "Nothing stands beside `$ref`, as it would be ignored.",
    "unknown-extension": "Every `x-` key is in the vocabulary.",
    "extension-place": "Every `x-` key stands where the vocabulary allows it.",
    "extension-value": "Every `x-` key has a value that the vocabulary allows.",
    "vendor-fact": "What `x-vendor` names is there: the error's schema, the parameters; its own name is the file's.",
    "unknown-resource": "`x-action`, `x-view` and `x-references` name a schema that has `x-resource`.",
    "reference-type": "`x-references` stands on text or an integer.",
    "unknown-event": "`x-emits` names events of `x-webhooks`.",
    "operation-id": "Every operation has an `operationId` in lower camel case.",
    "summary": "Every operation has a summary.",
    "description": "Every operation has a description.",
    "tag": "Every operation has exactly one tag, which the document declares.",
    "provenance": "Every operation has `x-provenance`.",
    "action": "Every operation has `x-action`, which names one thing that it does.",
    "lifecycle-fact": "`x-lifecycle` goes by moments, between values of the state.",
    "emission-fact": "`x-emits` asks for a state where it goes by one, and for values that properties can have.",
    "sum-fact": "`x-sums` adds up amounts.",
    "example-sum": "What `x-sums` adds up is right in every record and every answer.",
    "action-fact": "`x-action.from` and `x-action.to` list values of the state, `x-action.set` gives properties values that they can have, "
    "and `x-action.moves` goes from such values to such states.",
    "default-response": "No operation has a `default` response.",
    "missing-status": "An operation lists every status that its facts can lead to.",
    "unstated-status": "`x-vendor.statuses` has every kind of problem that an operation can meet.",
    "unnamed-example": "Every response with content has a named example.",
    "example-shape": "A named example is an Example Object with a value.",
    "example-invalid": "Every example and default is valid against its schema.",
    "example-duplicate": "No two examples of one list have the same value.",
    "example-reference": "What an example of a request names is among the default caller's records.",
    "unused-example": "Every request and answer among the fixtures is referred to by the document.",
    "fixture-shape": "A fixtures file has groups of Example Objects with a summary and a value.",
    "fixture-invalid": "Every record is valid, its key and unique fields are its own, and what it refers to is there.",
    "unknown-tenant": "`x-tenant` names the tenant of a credential, on a record that belongs to a tenant.",
    "no-credential": "Where an operation is secured there is a credential.",
    "real-address": "Mail addresses are on reserved domains.",
    "real-token": "No token looks as if it had been real.",
    "unbounded-integer": "Integers in requests have a format or bounds.",
    "parameter-type": "Every parameter's schema has a type.",
    "form-type": "Every property of a form has a type.",
    "array-items": "Every array says what its items are.",
    "nullable-place": "`nullable` stands beside `type`, not beside a reference or a composition.",
    "schema-unusable": "Every schema can be used by a validator.",
    "unserved": "Every operation can be served, by the compiled path or by Connexion's.",
    "link-operation": "Every link's `operationId` exists.",
    "discriminator-mapping": "Every mapping of a discriminator leads to a schema.",
    "unused-component": "Every component but resources and security schemes is referred to.",
}
"""What each rule asks for."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Something that breaks a rule: the file as people name it, line, JSON pointer in that file, rule, and what is wrong."""

    file: str
    line: int
    pointer: str
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.pointer or '#'}: {self.rule}: {self.message}"


def in_file(path: Path, pointer: str, rule: str, message: str) -> Finding:
    """A finding at the part of a file that a JSON pointer names."""
    return Finding(shown(path), line_of(path, pointer), pointer, rule, message)


def unreadable(error: ContractError) -> Finding:
    """What the reader of contracts refused."""
    file, _, line = error.place.rpartition(":")
    return Finding(file, int(line), error.pointer, "unreadable", error.message)
