"""Puts Connexion's stock classes in front of a vendor's application, for the operations that are not compiled; for none, nothing stands there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Receive, Scope, Send

from mock_server.app.exchange import raw_path_of
from mock_server.app.understood import fallbacks
from mock_server.engine import Engine

if TYPE_CHECKING:
    from mock_server.app.stock import Stock


def with_fallback(compiled: ASGIApp, engine: Engine) -> ASGIApp:
    """The application itself where every operation is compiled. Raises ContractError for an operation that nothing serves rightly."""
    found = fallbacks(engine.contract)
    if not found:
        return compiled
    from mock_server.app.stock import Stock  # what is seldom needed is not imported at every start

    return _Forked(compiled, Stock(engine, found))


class _Forked:
    """Two applications of one vendor; the stock one says which requests are its own."""

    def __init__(self, compiled: ASGIApp, stock: Stock) -> None:
        self._compiled = compiled
        self._stock = stock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        is_own = scope["type"] == "http" and self._stock.takes(scope["method"], raw_path_of(scope))
        await (self._stock if is_own else self._compiled)(scope, receive, send)
