"""mockingbill's mock server: subscription and billing APIs, served from their contracts, with memory.

`create_app` gives an ASGI application; `Vendor`, `Call` and `Problem` are what a vendor module is written with. Each is imported when it is asked
for, so that reading a contract does not wait for a server.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mock_server.app import create_app
    from mock_server.contract import ContractError
    from mock_server.problems import Problem, Violation
    from mock_server.vendor import Answer, Call, Page, Vendor

__all__ = ["Answer", "Call", "ContractError", "Page", "Problem", "Vendor", "Violation", "create_app"]

_HOMES = {
    "create_app": "mock_server.app",
    "ContractError": "mock_server.contract",
    **dict.fromkeys(("Problem", "Violation"), "mock_server.problems"),
    **dict.fromkeys(("Answer", "Call", "Page", "Vendor"), "mock_server.vendor"),
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(_HOMES[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
