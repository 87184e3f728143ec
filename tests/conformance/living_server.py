"""The miniature vendor with records that are there already, and with others who make, change and delete some while it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from unittest.mock import patch

import acme_server
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

FEWEST = 12


class Living(acme_server.Acme):
    """Its records, of which something becomes at each so-manieth call."""

    def __init__(self, fault: str | None, many: int, how: str, every: int) -> None:
        super().__init__(fault)
        self.how, self.every = how, every
        self.calls = count(1)
        for _ in range(many - 1):
            self.add()

    def add(self, *, first: bool = False) -> None:
        """One more, at the end of the list or at its beginning."""
        n = self.minted
        name = f"{('Ada', 'Bob', 'Cyd', 'Dan')[n % 4]} {('Example', 'Sample', 'Instance')[n % 3]} {n // 6}"
        made = self.store("north", {"name": name, "currency": ("USD", "EUR")[n % 3 % 2], "credit_cents": n % 9 * 7})
        if first:
            self.customers = {made["id"]: made, **self.customers}

    def drop(self, which: int) -> None:
        """One less, as long as some are there."""
        ours = [key for key, record in self.customers.items() if record["tenant"] == "north"]
        if len(ours) > FEWEST:
            del self.customers[ours[which]]

    def change(self, n: int) -> None:
        """Another name and another credit."""
        key = list(self.customers)[n % FEWEST]
        self.customers[key] = {**self.customers[key], "name": f"Renamed Example {n % 5}", "credit_cents": n % 11}

    def caller(self, request: Request) -> str:
        tenant = super().caller(request)
        n = next(self.calls)
        if self.how and n % self.every == 0:
            HAPPENING[self.how](self, n // self.every)
        return tenant


class Forgetful(Living):
    """After the first look, its list leaves out a record that can be retrieved."""

    async def list(self, request: Request) -> Response:
        whole = self.customers
        if next(self.calls) > 4:
            self.customers = {key: record for key, record in whole.items() if key != "cus_000006"}
        answer = await super().list(request)
        self.customers = whole
        return answer


def _and(*steps: Callable[[Living, int], None]) -> Callable[[Living, int], None]:
    def both(living: Living, n: int) -> None:
        for step in steps:
            step(living, n)

    return both


def _append(living: Living, n: int) -> None:
    living.add()


def _prepend(living: Living, n: int) -> None:
    living.add(first=True)


def _drop_first(living: Living, n: int) -> None:
    living.drop(0)


HAPPENING: Mapping[str, Callable[[Living, int], None]] = {
    "one more at the end": _append,
    "one more at the beginning": _prepend,
    "the first goes": _drop_first,
    "one comes, the first goes": _and(_append, _drop_first),
    "one comes at the beginning, the last goes": _and(_prepend, lambda living, n: living.drop(-1)),
    "one comes at the beginning, and goes again": lambda living, n: _prepend(living, n) if n % 2 else living.drop(0),
    "one comes, one in the middle goes": lambda living, n: living.add() if n % 2 else living.drop(5),
    "one changes": Living.change,
}
"""What becomes of the records, by how often something has."""


def create_app(
    many: int, fault: str | None = None, how: str = "", every: int = 1, kind: type[Living] = Living
) -> Starlette:
    """The server, right or wrong, with so many records of the caller's."""
    with patch.object(acme_server, "Acme", lambda fault: kind(fault, many, how, every)):
        return acme_server.create_app(fault)
