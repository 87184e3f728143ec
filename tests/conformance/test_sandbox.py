"""Our own sandbox is told from another server by its health page."""

from __future__ import annotations

import httpx
import pytest

from conformance.limits import UNSAID
from conformance.sandbox import control_beside, worlds_beside, worlds_listed
from conformance.sending import Sending
from conformance.target import serve
from mock_server import create_app


@pytest.mark.parametrize(
    ("base_url", "control"),
    [
        ("http://127.0.0.1:8080/pelcro", "http://127.0.0.1:8080/_mock"),
        ("http://127.0.0.1:8080/w/mine/pelcro", "http://127.0.0.1:8080/w/mine/_mock"),
        ("http://127.0.0.1:8080", ""),
        ("http://127.0.0.1:8080/", ""),
    ],
)
def test_the_control_api_stands_beside_the_vendor(base_url: str, control: str) -> None:
    assert control_beside(base_url) == control


@pytest.mark.parametrize("page", [b"", b"up", b"[]", b'{"status": "up"}', b'{"worlds": 2}', b"[" * 100_000])
def test_another_servers_health_page_lists_no_worlds(page: bytes) -> None:
    assert worlds_listed(httpx.Response(200, content=page)) is None


def test_a_page_that_is_an_error_lists_no_worlds() -> None:
    assert worlds_listed(httpx.Response(404, json={"worlds": []})) is None


def test_our_sandbox_lists_the_worlds_that_were_called() -> None:
    with serve(create_app(["wispgate"])) as url:
        sending = Sending(f"{url}/wispgate", UNSAID)
        assert worlds_beside(sending, f"{url}/wispgate") == ["default"]
        httpx.get(f"{url}/wispgate/subscribers", headers={"X-Mock-World": "mine"})
        assert worlds_beside(sending, f"{url}/wispgate") == ["default", "mine"]
        assert worlds_beside(sending, url) is None


def test_where_nothing_answers_there_is_no_sandbox() -> None:
    assert worlds_beside(Sending("http://127.0.0.1:9/acme", UNSAID), "http://127.0.0.1:9/acme") is None
