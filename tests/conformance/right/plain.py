"""What two of the right servers have in common: JSON over the standard library's http.server, HTTP/1.0, a connection for each call.

Answers say nothing of their length: they end where the connection does. Names of headers and of media types come in capitals.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

LARGEST = 1_000_000


@dataclass(frozen=True)
class Asked:
    """A request: its path in decoded segments, its query as pairs, its headers by names in lower case."""

    method: str
    path: tuple[str, ...]
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """The body as an object of JSON that names nothing twice."""
        if self.media != "application/json":
            raise Refused(415, "JSON is wanted")
        try:
            read = json.loads(
                self.body.decode("utf-8"), object_pairs_hook=_once, parse_constant=_never, parse_float=_finite
            )
            json.dumps(read, ensure_ascii=False).encode("utf-8")
        except (ValueError, RecursionError) as error:
            raise Refused(400, f"not JSON: {str(error)[:80]}") from None
        if not isinstance(read, dict):
            raise Refused(400, "an object is wanted")
        return read

    @property
    def media(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def token(self) -> str:
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""


@dataclass(frozen=True)
class Told:
    """An answer: None is no body at all."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Refused(Exception):
    def __init__(self, status: int, message: str, **headers: str) -> None:
        self.status, self.message, self.headers = status, message, headers


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(made := dict(pairs)) < len(pairs):
        raise ValueError("a name comes twice")
    return made


def _never(text: str) -> Any:
    raise ValueError(text)


def _finite(text: str) -> float:
    if abs(number := float(text)) == float("inf"):
        raise ValueError(text)
    return number


def create_server(handle: Callable[[Asked], Told], envelope: Callable[[int, str], Any]) -> ThreadingHTTPServer:
    """A server on a free port, a thread for each call."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def __getattr__(self, name: str) -> Any:
            if name.startswith("do_"):
                return self.answer
            raise AttributeError(name)

        def answer(self) -> None:
            try:
                told = handle(self.asked())
            except Refused as refused:
                told = Told(refused.status, envelope(refused.status, refused.message), refused.headers)
            self.tell(told)

        def asked(self) -> Asked:
            length = self.headers.get("Content-Length", "0")
            if not length.isdecimal():
                raise Refused(400, "a length is a number")
            body = self.rfile.read(min(int(length), LARGEST))
            if int(length) > LARGEST:
                raise Refused(413, "too much")
            url = urlsplit(self.path)
            path = tuple(unquote(part) for part in url.path.split("/")[1:])
            pairs = tuple(parse_qsl(url.query, keep_blank_values=True))
            return Asked(self.command, path, pairs, {k.lower(): v for k, v in self.headers.items()}, body)

        def tell(self, told: Told) -> None:
            self.send_response(told.status)
            for name, value in told.headers.items():
                self.send_header(name.upper(), value)
            if told.body is not None:
                self.send_header("CONTENT-TYPE", "Application/JSON; Charset=UTF-8")
            self.end_headers()
            if told.body is not None and self.command != "HEAD":
                self.wfile.write(f"\n{json.dumps(told.body, ensure_ascii=False, separators=(' , ', ' : '))}\n".encode())

        def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
            self.tell(Told(code, envelope(code, message or "no")))

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 128
        daemon_threads = True

    return Server(("127.0.0.1", 0), Handler)
