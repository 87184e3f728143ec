"""Imports packages without running them, until something of theirs is asked for.

Connexion's own `__init__` imports web frameworks and HTTP clients: two thirds of what importing it takes, and the mock uses none of them.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
from types import ModuleType

_LOCK = threading.RLock()
_running: set[str] = set()


class _Deferred(ModuleType):
    """A package whose place alone is known: its modules can be imported, and the first name it lacks runs it, in this very object."""

    def __getattr__(self, name: str) -> object:
        own = self.__name__
        if sys.modules.get(own) is not self:
            return getattr(importlib.import_module(own), name)
        with _LOCK:
            if own in _running:
                raise AttributeError(f"module {own!r} has no attribute {name!r} yet")
            if isinstance(self, _Deferred):  # else another thread has run it meanwhile
                _run(self)
        return getattr(self, name)


def _run(module: ModuleType) -> None:
    loader = module.__spec__.loader if module.__spec__ else None
    assert loader is not None, "what can be found has a loader"
    _running.add(module.__name__)
    try:
        loader.exec_module(module)
    finally:
        _running.discard(module.__name__)
    module.__class__ = ModuleType


def defer(*names: str) -> None:
    """Let each package be imported without being run. One that was imported before, or is not there, stays as it is."""
    for name in names:
        spec = None if name in sys.modules else importlib.util.find_spec(name)
        if spec is None:
            continue
        module = importlib.util.module_from_spec(spec)
        module.__class__ = _Deferred
        sys.modules[name] = module
        above, _, last = name.rpartition(".")
        if above:
            setattr(sys.modules[above], last, module)


def release(*names: str) -> None:
    """Let each package that is still deferred be imported as Python does, by whoever asks next; who imported it before gets that one's names.

    A module of a deferred package that is imported before the package itself finds itself half imported. So a package stays deferred for no
    longer than it must where others share the process: the tests of an application import what they like, from any end.
    """
    for name in names:
        if isinstance(sys.modules.get(name), _Deferred):
            del sys.modules[name]
