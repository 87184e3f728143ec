"""The pytest plugin: options that name an implementation, and fixtures that the packaged suite runs on. Inert without them."""

from __future__ import annotations

import pytest

from conformance.plugin.cases import pytest_collection_finish, pytest_deselected, pytest_generate_tests
from conformance.plugin.distribution import pytest_testnodedown, pytest_xdist_make_scheduler
from conformance.plugin.fixtures import (
    mockingbill_client,
    mockingbill_fuzzing,
    mockingbill_responses,
    mockingbill_run,
)
from conformance.plugin.options import pytest_addoption
from conformance.plugin.session import NO_TARGET, begin
from conformance.plugin.verdict import (
    pytest_sessionfinish,
    pytest_terminal_summary,
    pytest_unconfigure,
    settle,
)

__all__ = [
    "NO_TARGET",
    "mockingbill_client",
    "mockingbill_fuzzing",
    "mockingbill_responses",
    "mockingbill_run",
    "pytest_addoption",
    "pytest_collection_finish",
    "pytest_configure",
    "pytest_deselected",
    "pytest_generate_tests",
    "pytest_sessionfinish",
    "pytest_terminal_summary",
    "pytest_testnodedown",
    "pytest_unconfigure",
    "pytest_xdist_make_scheduler",
    "settle",
]


def pytest_configure(config: pytest.Config) -> None:
    """Read the contract, where the command line names an implementation; one that an ini file names waits until the suite is collected."""
    if config.getoption("--mockingbill-target"):
        begin(config)
