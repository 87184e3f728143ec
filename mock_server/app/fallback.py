"""Puts Connexion's stock classes beside a vendor's compiled operations, for those that are not compiled; for none, nothing stands there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from starlette.types import Receive, Scope, Send

from mock_server.app.understood import fallbacks
from mock_server.engine import Engine

if TYPE_CHECKING:
    from mock_server.app.stock import Stock


class Served(Protocol):
    """One vendor, ready to be served."""

    engine: Engine

    async def serve(
        self, scope: Scope, receive: Receive, send: Send, path: str, mount: str, world: str | None = None
    ) -> None:
        """Serve one request to the path below the mount."""


def with_fallback(compiled: Served) -> Served:
    """The application itself where every operation is compiled. Raises ContractError for an operation that nothing serves rightly."""
    found = fallbacks(compiled.engine.contract)
    if not found:
        return compiled
    from mock_server.app.stock import Stock  # what is seldom needed is not imported at every start

    return _Forked(compiled, Stock(compiled.engine, found))


class _Forked:
    """Two applications of one vendor; the stock one says which requests are its own."""

    def __init__(self, compiled: Served, stock: Stock) -> None:
        self.engine = compiled.engine
        self._compiled = compiled
        self._stock = stock

    async def serve(
        self, scope: Scope, receive: Receive, send: Send, path: str, mount: str, world: str | None = None
    ) -> None:
        """Serve one request."""
        chosen = self._stock if self._stock.takes(scope["method"], path) else self._compiled
        await chosen.serve(scope, receive, send, path, mount, world)
