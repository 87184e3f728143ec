"""What a start waits for: nothing that a server does not use, and nothing that grows faster than the document."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import jsonschema_rs
import orjson
import pytest

from bench.rows.operations import document
from mock_server.app import create_app
from mock_server.contract import Contract, Fixtures, load, load_fixtures
from mock_server.vendor import Vendor

UNUSED = (
    "conformance",
    "flask",
    "httpx",
    "hypothesis",
    "jinja2.environment",
    "mock_server.lint",
    "openapi_spec_validator",
    "pytest",
    "requests.api",
    "rich",
    "schemathesis",
    "starlette.testclient",
    "urllib3",
    "werkzeug",
)


def test_a_server_imports_nothing_that_it_does_not_use() -> None:
    code = (
        "import sys, mock_server.cli, mock_server.app.serving\n"
        "mock_server.create_app()\n"
        f"print(*(name for name in {UNUSED} if name in sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert (ran.stdout.strip(), ran.returncode) == ("", 0), ran.stderr


def test_a_contract_is_read_without_a_server() -> None:
    code = "import sys, mock_server.contract; print(*(n for n in ('connexion', 'starlette', 'uvicorn') if n in sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert (ran.stdout.strip(), ran.returncode) == ("", 0), ran.stderr


def served(path: Path) -> tuple[Contract, Fixtures, Vendor]:
    contract = load(path)
    return contract, load_fixtures(contract), Vendor(contract.name)


def calls(path: Path) -> int:
    """The calls of Python and C functions that it takes to make a server of a document whose files have been read."""
    create_app(extra=[served(path)])
    count: Counter[str] = Counter()
    sys.setprofile(lambda _frame, event, _argument: count.update((event,)))
    try:
        create_app(extra=[served(path)])
    finally:
        sys.setprofile(None)
    return count["call"] + count["c_call"]


def compiled(path: Path) -> int:
    """The bytes of the schemas that validators are made of for it."""
    sizes: list[int] = []
    make = jsonschema_rs.Draft202012Validator

    def measured(schema: Any, **options: Any) -> jsonschema_rs.Draft202012Validator:
        sizes.append(len(orjson.dumps(schema)))
        return make(schema, **options)

    with patch.object(jsonschema_rs, "Draft202012Validator", measured):
        create_app(extra=[served(path)])
    return sum(sizes)


@pytest.mark.parametrize("cost", [calls, compiled])
def test_each_further_operation_costs_the_start_the_same(cost: Callable[[Path], int]) -> None:
    few, some, many = 10, 30, 90
    least, low, high = (cost(document(size)) for size in (few, some, many))
    assert (high - low) / (many - some) < 1.05 * (low - least) / (some - few)
