"""The large vendor's sandbox, which many modules here ask for."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from sandboxes import Sandbox


@pytest.fixture
def flow(sandbox: Callable[..., Sandbox]) -> Sandbox:
    """SubscriptionFlow in a world of its own."""
    return sandbox("subscriptionflow")


@pytest.fixture
def api(flow: Sandbox) -> httpx.Client:
    """Its API, called as the first tenant."""
    return flow.api
