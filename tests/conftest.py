"""What many tests share: a sandbox in this process, and a real server on a free port. Each test gets a world of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

import httpx
import pytest
from club import club
from sandboxes import MOMENT, InProcess, Sandbox, fresh_world, shop_vendor
from serving import Server, serving

from mock_server import create_app
from mock_server.app.root import RootApp
from mock_server.contract import Contract

pytest_plugins = ["discipline"]


@pytest.fixture(scope="session")
def shop_contract() -> Contract:
    """The contract of the miniature vendor."""
    return shop_vendor()[0]


@pytest.fixture(scope="session")
def applications() -> Iterator[Callable[..., tuple[RootApp, InProcess]]]:
    """Applications by their options, each built once."""
    built: dict[Any, tuple[RootApp, InProcess]] = {}

    def application(*vendors: str, **options: Any) -> tuple[RootApp, InProcess]:
        key = (vendors, tuple(sorted(options.items())))
        if key not in built:
            app = (
                create_app(extra=[shop_vendor()], **options) if vendors == ("shop",) else create_app(vendors, **options)
            )
            assert isinstance(app, RootApp)
            built[key] = (app, InProcess(app))
        return built[key]

    yield application
    for _, transport in built.values():
        transport.close()


@pytest.fixture
def sandbox(applications: Callable[..., tuple[RootApp, InProcess]]) -> Callable[..., Sandbox]:
    """`sandbox("wispgate")`: a vendor in a new world, its clock frozen, inferred operations served unless told otherwise."""

    def open_sandbox(vendor: str, *, world: str | None = None, **options: Any) -> Sandbox:
        app, transport = applications(vendor, **{"frozen": MOMENT, "inferred": True, **options})
        return Sandbox(app, vendor, world or fresh_world(), transport)

    return open_sandbox


@pytest.fixture
def shop(sandbox: Callable[..., Sandbox]) -> Sandbox:
    """The miniature vendor in a new world."""
    return sandbox("shop")


@pytest.fixture
def running() -> Callable[..., AbstractContextManager[Server]]:
    """`with running("wispgate") as server:` a server of one's own, with options of one's own."""
    return serving


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A real server of every vendor, shared by the tests of this process; the clock runs, inferred operations are served."""
    with serving("--include", "inferred") as running:
        yield running


@pytest.fixture
def world() -> str:
    """The name of a new world."""
    return fresh_world()


@pytest.fixture
def live(server: Server, world: str) -> Iterator[httpx.Client]:
    """A client of the real server, over a socket, in a new world."""
    with httpx.Client(base_url=server.url, headers={"X-Mock-World": world}, timeout=10) as client:
        yield client


@pytest.fixture
def clubhouse() -> Iterator[Callable[..., Sandbox]]:
    """`clubhouse()`: the vendor that lives in time, in a sandbox of its own whose clock stands still; functions of it can be replaced."""
    opened: list[InProcess] = []

    def open_club(frozen: datetime | None = MOMENT, **changes: Any) -> Sandbox:
        app = create_app(extra=[club(**changes)], frozen=frozen)
        assert isinstance(app, RootApp)
        opened.append(InProcess(app))
        return Sandbox(app, "club", fresh_world(), opened[-1])

    yield open_club
    for transport in opened:
        transport.close()
