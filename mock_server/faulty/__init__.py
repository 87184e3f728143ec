"""A catalogue of servers that are wrong in one way each, so that anyone can see what the conformance suite catches.

Each fault is a change on the wire, or a switch of one server's engine; documents and vendors' modules, which servers share, stay as they are.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache

from starlette.types import ASGIApp

from mock_server.app.root import RootApp
from mock_server.faulty.fault import KINDS, Fault, Kind


@cache
def catalogue() -> Mapping[str, Fault]:
    """Every fault by its name, those of a vendor in the module of its name."""
    # The folder is the list; importing it at the top would import every caller's faults.
    from mock_server.faulty import vendors

    found: dict[str, Fault] = {}
    for module in pkgutil.iter_modules(vendors.__path__):
        for fault in importlib.import_module(f"{vendors.__name__}.{module.name}").FAULTS:
            assert fault.name not in found, f"two faults are named {fault.name}"
            found[fault.name] = fault
    return found


def faulty(app: ASGIApp, fault: Fault) -> ASGIApp:
    """The server, wrong from now on. It must serve the fault's vendor."""
    assert isinstance(app, RootApp), "create_app gives a RootApp"
    return fault.installed(app)


__all__ = ["KINDS", "Fault", "Kind", "catalogue", "faulty"]
