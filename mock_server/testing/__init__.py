"""The sandbox for the tests of an application that calls such an API: in this process, on a port, with a world for each test.

The pytest fixture `mockingbill` is a `World`; without pytest, `with Sandbox() as sandbox, sandbox.world("name") as world:` gives one. Each name is
imported when it is asked for: pytest reads this package in every project that has mockingbill installed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mock_server.testing.calls import Call
    from mock_server.testing.mock import Mock
    from mock_server.testing.sandbox import Sandbox
    from mock_server.testing.webhooks import Webhook, Webhooks
    from mock_server.testing.world import Clock, Refused, World

__all__ = ["Call", "Clock", "Mock", "Refused", "Sandbox", "Webhook", "Webhooks", "World"]

_HOMES = {
    "Call": "calls",
    "Mock": "mock",
    "Sandbox": "sandbox",
    **dict.fromkeys(("Webhook", "Webhooks"), "webhooks"),
    **dict.fromkeys(("Clock", "Refused", "World"), "world"),
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
