"""The pytest plugin: the fixture `mockingbill`. It reads nothing in and starts nothing before a test asks for it."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mock_server.testing.sandbox import Sandbox
    from mock_server.testing.world import World

_WORLD = pytest.StashKey["World"]()


@pytest.fixture(scope="session")
def mockingbill_options() -> dict[str, Any]:
    """How the sandbox behaves: a project's own fixture of this name returns what `Sandbox` takes, such as `{"inferred": True}`."""
    return {}


@pytest.fixture(scope="session")
def mockingbill_sandbox(mockingbill_options: dict[str, Any]) -> Iterator[Sandbox]:
    """The sandbox of this process, for fixtures that outlive a test: `with mockingbill_sandbox.world("shared") as world:`."""
    from mock_server.testing.sandbox import Sandbox

    with Sandbox(**mockingbill_options) as sandbox:
        yield sandbox


@pytest.fixture
def mockingbill(request: pytest.FixtureRequest, mockingbill_sandbox: Sandbox) -> Iterator[World]:
    """A world of the sandbox, for this test alone: `mockingbill(VENDOR).url` is where its API answers, `.client` calls it without a port."""
    from mock_server.testing.world import name_for

    with mockingbill_sandbox.world(name_for(request.node.nodeid)) as world:
        request.node.stash[_WORLD] = world
        yield world


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Beside a test that failed stands what it called, without secrets."""
    report = yield
    world = item.stash.get(_WORLD, None)
    if world is not None and report.failed and report.when != "teardown":
        from mock_server.testing.telling import told

        report.sections.append((f"calls of the sandbox, world {world.name}", told(world)))
    return report
