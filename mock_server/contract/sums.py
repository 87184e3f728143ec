"""Sums that a document states of a record (`x-sums`): a property is what others come to, exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any


@dataclass(frozen=True, slots=True)
class Term:
    """One summand: the steps to it from the record, `-` standing for each item of an array; taken off where `sign` is -1."""

    path: tuple[str, ...]
    sign: int = 1

    def amounts(self, record: Mapping[str, Any]) -> list[Decimal] | None:
        """The amounts at its place, null being none; None where the record does not show it, or shows what is no amount."""
        found: list[Any] = [record]
        for step in self.path:
            found = [value for value in found if value is not None]
            if step == "-":
                if not all(isinstance(value, list) for value in found):
                    return None
                found = [item for value in found for item in value]
            else:
                if not all(isinstance(value, Mapping) and step in value for value in found):
                    return None
                found = [value[step] for value in found]
        amounts = [amount(value) for value in found if value is not None]
        return None if None in amounts else [self.sign * value for value in amounts if value is not None]


@dataclass(frozen=True, slots=True)
class Sum:
    """A property, and the terms that it is the sum of."""

    name: str
    terms: tuple[Term, ...]

    def due(self, record: Mapping[str, Any]) -> Decimal | None:
        """What the terms of a record come to; None where it does not show them all."""
        found = [term.amounts(record) for term in self.terms]
        return None if None in found else sum((part for amounts in found for part in amounts or ()), Decimal(0))

    def fault(self, record: Mapping[str, Any]) -> str:
        """What is wrong with a record; nothing, where the sum is right or cannot be reckoned."""
        due, shown = self.due(record), amount(record.get(self.name))
        return (
            "" if due is None or shown is None or due == shown else f"{self.name} is {shown}, its terms come to {due}"
        )


def amount(value: Any) -> Decimal | None:
    """A number, or text that is one, exactly as it is written; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = Decimal(value if isinstance(value, str) else repr(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def read_term(text: str) -> Term:
    """A term as it is written: `tax`, `-discount`, `items[].amount`."""
    steps = [
        step
        for part in text.removeprefix("-").split(".")
        for step in ([part[:-2], "-"] if part.endswith("[]") else [part])
    ]
    return Term(tuple(steps), -1 if text.startswith("-") else 1)
