"""Imports packages without running them, until something of theirs is asked for.

Connexion's own `__init__` imports web frameworks and HTTP clients: two thirds of what importing it takes, and the mock uses none of them.
"""

from __future__ import annotations

import importlib.util
import sys
import threading
from types import ModuleType

_LOCK = threading.RLock()
_running: set[str] = set()


class _Deferred(ModuleType):
    """A package whose place alone is known: its modules can be imported, and the first name it lacks runs it, in this very object."""

    def __getattr__(self, name: str) -> object:
        with _LOCK:
            own = self.__name__
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
