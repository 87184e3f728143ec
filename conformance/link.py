"""How the suite's own client reaches a target: plain calls by the standard library, the others by httpx."""

from __future__ import annotations

import ssl
from collections.abc import Mapping

import httpx

from conformance.lines import Lines


class Link:
    """Open connections to a target; a class, for it holds them, and the cookies that the target gave."""

    def __init__(self, trusted: ssl.SSLContext) -> None:
        self._lines = Lines()
        self._http = httpx.Client(
            trust_env=False,
            verify=trusted,
            limits=httpx.Limits(max_connections=40, max_keepalive_connections=40),
        )
        self._usual = dict(self._http.headers)

    def ask(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, seconds: float
    ) -> httpx.Response:
        """What came back. Raises httpx's errors."""
        given = {name.lower() for name in headers}
        usual = {name: value for name, value in self._usual.items() if name not in given}
        plain = None if self._http.cookies else self._lines.ask(method, url, {**usual, **headers}, content, seconds)
        if plain is None:
            return self._http.request(method, url, headers=headers, content=content, timeout=seconds)
        reply = httpx.Response(plain.status, headers=list(plain.headers), stream=httpx.ByteStream(plain.body))
        reply.read()
        if "set-cookie" in reply.headers:
            reply.request = httpx.Request(method, url)
            self._http.cookies.extract_cookies(reply)
        return reply

    def close(self) -> None:
        """Close the connections."""
        self._lines.close()
        self._http.close()
