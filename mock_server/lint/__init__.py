"""Holds a document and its fixtures to the rules of `openapi/README.md`: everything that is wrong, each with its place.

A rule is a function that yields findings. Those on the document read it as it stands, so that they have something to say of a broken one; those on
facts need a contract, which only a document that can be understood gives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from mock_server.contract import Contract, ContractError, data_root, load
from mock_server.contract.bundle import bundle
from mock_server.contract.openapi import BROKEN
from mock_server.lint import document, examples, fixtures, lifecycle, operations, schemas, serving, statuses, sums
from mock_server.lint.finding import RULES, Finding, unreadable
from mock_server.lint.subject import Subject

DOCUMENT_RULES: tuple[Callable[[Subject], Iterator[Finding]], ...] = (
    document.siblings,
    document.targets,
    document.vendor_facts,
    document.links,
    document.discriminators,
    document.unused,
    operations.described,
    schemas.usable,
    schemas.requests,
    examples.named,
    examples.valid,
    examples.distinct,
    fixtures.shaped,
    fixtures.harmless,
    fixtures.needed,
)
CONTRACT_RULES: tuple[Callable[[Subject, Contract], Iterator[Finding]], ...] = (
    operations.facts,
    lifecycle.transitions,
    lifecycle.emissions,
    sums.stated,
    sums.shown,
    statuses.complete,
    serving.served,
    fixtures.consistent,
)

STOPPING = frozenset(
    {
        "openapi",
        "reference",
        "unknown-extension",
        "extension-place",
        "extension-value",
        "unknown-resource",
        "unknown-event",
    }
    | {"operation-id", "provenance", "action", "default-response", "schema-unusable"}
)
"""Rules without which a document cannot be read at all."""

__all__ = ["RULES", "Finding", "lint"]


def lint(name: str | Path) -> Iterator[Finding]:
    """Every finding in a vendor's document, or in one given by its path, and in its fixtures, by file and line."""
    path = name if isinstance(name, Path) else data_root() / "openapi" / f"{name}.yaml"
    try:
        subject = Subject(bundle(path))
    except ContractError as error:
        yield unreadable(error)
        return
    found = {*document.validity(subject), *document.vocabulary(subject)}
    valid = not found
    for rule in DOCUMENT_RULES:
        found.update(_tried(rule(subject), valid))
    try:
        contract = load(path)
    except ContractError as error:
        if not any(finding.rule in STOPPING for finding in found):
            found.add(unreadable(error))
    else:
        for judge in CONTRACT_RULES:
            found.update(_tried(judge(subject, contract), valid))
    yield from sorted(found)


def _tried(findings: Iterable[Finding], valid: bool) -> Iterator[Finding]:
    """The findings of a rule; one that stumbles over a document known to be invalid ends there, as that has been said."""
    try:
        yield from findings
    except BROKEN:
        if valid:
            raise
