"""What a process of the precision benchmark does: one right server, one seed."""

from __future__ import annotations

import importlib
import sys
import time
from dataclasses import replace
from pathlib import Path

from bench.precision.judging import Judged, Right, judge
from bench.precision.mock import right
from conformance.settings import Profile

_TESTS = Path(__file__).parent.parent.parent / "tests"
Task = tuple[str, int, Profile, tuple[str, ...]]
"""A server's name, a seed, a profile, and the layers."""


def miniatures() -> dict[str, Right]:
    """The right servers of the tests, which are no part of what is installed."""
    for folder in (_TESTS, _TESTS / "conformance"):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    found: dict[str, Right] = importlib.import_module("right.catalogue").RIGHT
    return found


def do(task: Task) -> Judged:
    """Hold one of them to its contract; whatever is raised is a doubt."""
    name, seed, profile, layers = task
    began = time.process_time()
    try:
        chosen = miniatures().get(name) or right(*name.split())
        found = judge(chosen, seed, profile, layers)
    except Exception as error:  # a suite that stumbles over a right server is as wrong as one that blames it
        found = Judged(name, seed, doubts=(f"{type(error).__name__}: {error}",))
    return replace(found, seconds=time.process_time() - began)
