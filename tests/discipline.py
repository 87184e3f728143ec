"""How the tests run: the quick ones first, and in CI (the variable `CI` is set) none may be skipped."""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Any

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the slow tests last; otherwise the order stays."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is not None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Make a failure of a skipped test."""
    return forbid((yield), item.config)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Make a failure of a skipped module."""
    return forbid((yield), collector.config)


def forbid(report: Any, config: pytest.Config) -> Any:
    """The report, a skip made a failure; packaged tests (`--pyargs`) run from here are not ours to judge."""
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail") and not config.option.pyargs:
        report.outcome = "failed"
        report.longrepr = f"skipped, and in CI nothing may be: {report.longrepr[2]}"
    return report
