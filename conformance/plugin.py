"""The pytest plugin: options that name an implementation, and fixtures that the packaged suite runs on. Inert without them."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the `--mockingbill-` options."""
    group = parser.getgroup("mockingbill", "conformance of an API to its contract")
    group.addoption("--mockingbill-target", metavar="URL|module:factory", help="the implementation")
