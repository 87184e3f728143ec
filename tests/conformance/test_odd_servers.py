"""Servers that are no API at all: what is said of them is short and clear."""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from rich.console import Console
from test_parts import DOCUMENT

from conformance.check import check
from conformance.report import BREAKS, UNTOLD
from conformance.target import base_url, serve

App = Callable[[Any, Any, Any], Awaitable[None]]


def always(status: int, body: bytes, **headers: str) -> App:
    """A server that knows one answer."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
            await send({"type": "http.response.start", "status": status, "headers": pairs})
            await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    return app


def judged(app: App) -> tuple[int, str]:
    with serve(app) as url:
        stream = io.StringIO()
        code = check((str(DOCUMENT),), url, "smoke", workers=1, console=Console(file=stream, width=300))
    return code, stream.getvalue()


@pytest.mark.parametrize("place", ["https://api.example.com/v2?key=lovelace", "/login?key=lovelace"])
def test_a_server_that_sends_everybody_elsewhere_is_not_judged(place: str) -> None:
    code, said = judged(always(301, b"", location=place))
    assert code == UNTOLD
    assert (
        f"the target sends every call elsewhere, to {place.partition('?')[0]}: name the URL of the API itself" in said
    )
    assert "lovelace" not in said


def test_a_redirect_among_answers_is_an_answer_and_is_not_followed() -> None:
    inner = always(200, b"{}", content_type="application/json")
    paths: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        paths.append(scope.get("path", ""))
        outer = always(302, b"", location="/landing")
        await (outer if scope.get("method") in ("PUT", "PATCH", "DELETE") else inner)(scope, receive, send)

    assert judged(app)[0] == BREAKS
    assert "/landing" not in paths


def test_answers_nested_without_end_are_judged() -> None:
    body = b"[" * 100_000 + b"]" * 100_000
    app = always(200, body, content_type="application/json")
    with serve(app) as url:
        assert base_url(url, "acme") == url
    assert judged(app)[0] == BREAKS


def test_a_server_that_takes_everything_for_json_is_not_taken_for_ours() -> None:
    with serve(always(200, b'{"status": "up"}', content_type="application/json")) as url:
        assert base_url(url, "acme") == url
