"""Connections of our own for plain calls, which nearly all are.

HTTP libraries take longer over a call than many a server takes to answer it, and a check makes ten thousand. What is not plain is left to
them: TLS, HEAD, anything that would have to be encoded. How an answer is framed is told by the parser that servers are built on.
"""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

try:
    import httptools
except ImportError:  # there is none for this interpreter: the libraries make every call
    httptools = None  # type: ignore[assignment,unused-ignore]

_CHARACTERS = r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*"
_URL = re.compile(rf"http://([A-Za-z0-9.\-]+)(?::([0-9]{{1,5}}))?(/{_CHARACTERS}(?:\?{_CHARACTERS})?)")
_METHOD = re.compile(r"(?!HEAD$|CONNECT$)[A-Z]+")
_NAME = re.compile(r"(?!(?:host|expect|te|trailer|transfer-encoding|upgrade)$)[a-z0-9_\-]+", re.I)
_WITH_BODY = ("POST", "PUT", "PATCH")
_AT_ONCE = 262_144
"""How many bytes are read at once."""


@dataclass(frozen=True)
class Received:
    """An answer as it came, its body not decoded."""

    status: int
    version: str
    reason: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


@dataclass
class _Reading:
    """An answer that is being read; the parser calls it."""

    parser: Any = None
    status: int = 0
    reason: bytes = b""
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    chunks: list[bytes] = field(default_factory=list)
    begun: bool = False
    ended: bool = False
    lasts: bool = False

    def on_message_begin(self) -> None:
        if self.ended:
            self.lasts = False  # nobody asked for more
        else:
            self.reason, self.headers, self.chunks, self.begun = b"", [], [], False

    def on_status(self, status: bytes) -> None:
        self.reason += status if not self.ended else b""

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.ended and not self.begun:  # else it is a trailer
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        if not self.ended:
            self.status, self.begun = self.parser.get_status_code(), True

    def on_body(self, body: bytes) -> None:
        if not self.ended:
            self.chunks.append(body)

    def on_message_complete(self) -> None:
        if not self.ended and (self.status >= 200 or self.status == 101):
            self.ended, self.lasts = True, self.parser.should_keep_alive()

    def ends_with_the_connection(self) -> bool:
        """Whether nothing says how long its body is."""
        return self.begun and not any(n.lower() in (b"content-length", b"transfer-encoding") for n, _ in self.headers)


class Lines:
    """Connections that are kept open; a class, for it holds those that nobody uses just now."""

    def __init__(self) -> None:
        self._idle: dict[tuple[str, int], list[socket.socket]] = {}

    def ask(
        self, method: str, url: str, headers: Mapping[str, Any], content: bytes | None, seconds: float
    ) -> Received | None:
        """The answer to a plain call; None, with nothing sent, where it is not plain. Raises httpx's errors, as httpx does."""
        place = _URL.fullmatch(url)
        if httptools is None or place is None or "/." in place[3] or not _METHOD.fullmatch(method):
            return None
        lines = _lines(method, headers, content)
        if lines is None:
            return None
        host, port = place[1], int(place[2] or 80)
        named = host if port == 80 else f"{host}:{port}"
        head = "\r\n".join((f"{method} {place[3]} HTTP/1.1", f"Host: {named}", *lines, "\r\n"))
        return self._exchange((host, port), head.encode("ascii") + (content or b""), seconds)

    def close(self) -> None:
        """Close those that are open."""
        for sockets in self._idle.values():
            while sockets:
                sockets.pop().close()

    def _exchange(self, address: tuple[str, int], request: bytes, seconds: float) -> Received:
        line = self._line(address, seconds)
        kept = False
        try:
            line.settimeout(seconds)
            try:
                line.sendall(request)
            except TimeoutError as error:
                raise httpx.WriteTimeout(str(error)) from error
            except OSError:
                pass  # it may have answered before it heard all
            received, kept = _read(line)
        finally:
            if kept:
                self._idle.setdefault(address, []).append(line)
            else:
                line.close()
        return received

    def _line(self, address: tuple[str, int], seconds: float) -> socket.socket:
        """One that is open and silent, else a new one."""
        idle = self._idle.get(address, [])
        with contextlib.suppress(IndexError):
            while True:
                line = idle.pop()
                if _is_silent(line):
                    return line
                line.close()
        try:
            line = socket.create_connection(address, seconds)
        except TimeoutError as error:
            raise httpx.ConnectTimeout(str(error)) from error
        except OSError as error:
            raise httpx.ConnectError(str(error)) from error
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return line


def _lines(method: str, headers: Mapping[str, Any], content: bytes | None) -> list[str] | None:
    """The lines of the headers; None where one is not plain, or says another length than the body has."""
    length = str(len(content or b""))
    lines, said = [], False
    for name, value in headers.items():
        if not isinstance(value, str) or not _NAME.fullmatch(name):
            return None
        if not (value.isascii() and value.isprintable() and value == value.strip()):
            return None
        if {"content-length": length, "connection": "keep-alive"}.get(name.lower(), value) != value:
            return None
        said = said or name.lower() == "content-length"
        lines.append(f"{name}: {value}")
    if not said and (content or method in _WITH_BODY):
        lines.append(f"Content-Length: {length}")
    return lines


def _is_silent(line: socket.socket) -> bool:
    """Whether an idle connection is still open, and nothing came that nobody asked for."""
    try:
        line.settimeout(0.0)
        line.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _read(line: socket.socket) -> tuple[Received, bool]:
    """The answer on a connection, and whether that can be used again. Raises httpx's errors."""
    reading = _Reading()
    reading.parser = parser = httptools.HttpResponseParser(reading)
    try:
        while not reading.ended:
            data = line.recv(_AT_ONCE)
            if not data:
                if not reading.ends_with_the_connection():
                    told = "an answer that is not complete" if reading.begun else "no answer"
                    raise httpx.RemoteProtocolError(f"the server closed the connection with {told}")
                break
            parser.feed_data(data)
    except TimeoutError as error:
        raise httpx.ReadTimeout(str(error)) from error
    except OSError as error:
        raise httpx.ReadError(str(error)) from error
    except httptools.HttpParserError as error:
        if not reading.ended:
            raise httpx.RemoteProtocolError(f"the answer is no HTTP: {error}") from error
        reading.lasts = False
    finally:
        reading.parser = None  # each holds the other
    reason = reading.reason.decode("ascii", "replace")
    version = parser.get_http_version()
    return Received(reading.status, version, reason, tuple(reading.headers), b"".join(reading.chunks)), reading.lasts
