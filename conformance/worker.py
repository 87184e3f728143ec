"""A worker of `mockingbill check`: reads the suite in once, then does each part that it is given in a fork of itself.

Reading it in takes longer than many a part does. A fork leaves nothing behind for the next part, so each is the same whoever does it, after whatever.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from _pytest.config import default_plugins

_BEFOREHAND = (
    *(f"_pytest.{name}" for name in default_plugins),
    "conformance.plugin",
    "conformance.responses",
    "conformance.suite.test_fuzzing",
    "conformance.suite.test_lifecycle",
    "conformance.suite.test_promises",
    "conformance.suite.test_responses",
    "hypothesis.internal.conjecture.optimiser",
    "hypothesis.strategies._internal.random",
    "hypothesis.strategies._internal.regex",
    "httpcore",
    "schemathesis.engine.run.analysis",
    "schemathesis.engine.run.auth_bootstrap",
    "schemathesis.engine.run.probes",
    "schemathesis.engine.run.stateful._executor",
    "schemathesis.engine.run.unit._hypothesis_executor",
    "schemathesis.openapi.loaders",
    "schemathesis.specs.openapi._ordering",
    "schemathesis.specs.openapi.auth_inference",
    "schemathesis.specs.openapi.coverage._operation",
    "schemathesis.specs.openapi.object_authorization",
    "schemathesis.specs.openapi.schemas",
    "schemathesis.specs.openapi.stateful",
    "schemathesis.transport.asgi",
    "pyrate_limiter",
)
"""What a part would import while it runs. A name that is gone costs time, nothing else: the part imports what it needs."""
_PYTEST = (
    *("-q", "--assert=plain", "--noconftest", "-p", "conformance.plugin"),
    *("-p", "no:cacheprovider", "-p", "no:unraisableexception"),
)
"""Rewriting the asserts of every installed plugin would take longer than a smoke run, and so would two full garbage collections at the end of
each part; and tests of whoever calls are not to take part."""


def main() -> None:
    """Do the jobs that stand on standard input, one JSON object a line; the end of each stands last among its events."""
    os.environ |= {"PYTEST_ADDOPTS": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    sys.dont_write_bytecode = True
    from conformance.beginnings import begin, warm
    from conformance.promise import all_promises

    begin(
        Path(os.environ["TMPDIR"])
    )  # before anything asks Hypothesis for characters: it would keep them in the current folder
    warm()
    for name in _BEFOREHAND:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    all_promises()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    for line in sys.stdin:
        job = json.loads(line)
        code = _fork(job) if hasattr(os, "fork") else _spawn(job)
        with Path(job["events"]).open("a", encoding="utf-8") as events:
            events.write(json.dumps({"kind": "ended", "code": code}) + "\n")


def _fork(job: Mapping[str, Any]) -> int:
    child = os.fork()
    if child == 0:
        _do(job)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _spawn(job: Mapping[str, Any]) -> int:
    """Where there is no fork: a process that reads everything in again."""
    with Path(job["output"]).open("wb") as output:
        command = [sys.executable, "-m", "pytest", *_PYTEST, *job["arguments"]]
        return subprocess.run(  # noqa: S603  # our own interpreter, our own arguments
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, check=False
        ).returncode


def _do(job: Mapping[str, Any]) -> NoReturn:
    """A part, in the forked process: pytest, with what it says in a file."""
    code = 1
    try:
        nowhere, output = os.open(os.devnull, os.O_RDONLY), os.open(job["output"], os.O_WRONLY | os.O_CREAT, 0o600)
        os.dup2(nowhere, 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        import pytest

        code = int(pytest.main([*_PYTEST, *job["arguments"]]))
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
