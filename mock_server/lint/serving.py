"""How the operations of a document are served: compiled, by the fallback, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mock_server.app.understood import reasons, unserved
from mock_server.contract import Contract, load
from mock_server.lint.finding import Finding
from mock_server.lint.subject import Subject


def served(subject: Subject, contract: Contract) -> Iterator[Finding]:
    """What nothing serves rightly: unserved."""
    for operation in contract.operations.values():
        for reason in reasons(contract, operation):
            if not reason.served:
                yield subject.find(reason.pointer, "unserved", unserved(operation, reason))


@dataclass(frozen=True, slots=True)
class Serving:
    """Of one document: how many operations there are, and why some are not compiled, by id, each line with its place."""

    vendor: str
    operations: int
    fallbacks: dict[str, tuple[str, ...]]

    def __str__(self) -> str:
        compiled = self.operations - len(self.fallbacks)
        told = (f"\n  {line}" for lines in self.fallbacks.values() for line in lines)
        return f"{self.vendor}: {compiled} of {self.operations} operations are compiled{''.join(told)}"


def serving(name: str | Path) -> Serving:
    """How a document is served. Raises ContractError for one that cannot be read."""
    contract = load(name)
    found = {
        operation.id: tuple(
            f"{contract.place(reason.pointer)}: {operation.id} is not compiled: {reason.message}" for reason in why
        )
        for operation in contract.operations.values()
        if (why := reasons(contract, operation))
    }
    return Serving(contract.name, len(contract.operations), found)
