"""Connections that are kept open for plain calls, which nearly all are, on the standard library's client.

HTTP libraries take longer over a call than many a server takes to answer it, and a check makes ten thousand. What is not plain is left to
them: TLS, HEAD, anything that would have to be encoded.
"""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from email.errors import FirstHeaderLineIsContinuationDefect, MissingHeaderBodySeparatorDefect
from http.client import HTTPConnection, HTTPException, HTTPMessage, HTTPResponse
from typing import Any

import httpx

_CHARACTERS = r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*"
_URL = re.compile(rf"http://([A-Za-z0-9.\-]+)(?::([0-9]{{1,5}}))?(/{_CHARACTERS}(?:\?{_CHARACTERS})?)")
_METHOD = re.compile(r"(?!HEAD$|CONNECT$)[A-Z]+")
_NAME = re.compile(r"(?!(?:host|expect|te|trailer|transfer-encoding|upgrade)$)[a-z0-9_\-]+", re.I)
_NO_HEADER = FirstHeaderLineIsContinuationDefect, MissingHeaderBodySeparatorDefect


@dataclass(frozen=True)
class Received:
    """An answer as it came, its body not decoded."""

    status: int
    version: str
    reason: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


class _Answer(HTTPResponse):
    """An answer that may come after others that only announce it (103 Early Hints)."""

    def begin(self) -> None:
        super().begin()
        while 101 < self.status < 200:
            self.headers: HTTPMessage = None  # type: ignore[assignment]  # it has not begun
            super().begin()


class Lines:
    """Connections that are kept open; a class, for it holds those that nobody uses just now."""

    def __init__(self) -> None:
        self._idle: dict[tuple[str, int], list[HTTPConnection]] = {}

    def ask(
        self, method: str, url: str, headers: Mapping[str, Any], content: bytes | None, seconds: float
    ) -> Received | None:
        """The answer to a plain call; None, with nothing sent, where it is not plain. Raises httpx's errors, as httpx does."""
        place = _URL.fullmatch(url)
        if place is None or "/." in place[3] or not _METHOD.fullmatch(method) or not _are_plain(headers, content):
            return None
        address = place[1], int(place[2] or 80)
        line = self._line(address, seconds)
        kept = False
        try:
            received, kept = _exchange(line, method, place[3], headers, content)
        finally:
            if kept:
                self._idle.setdefault(address, []).append(line)
            else:
                line.close()
        return received

    def close(self) -> None:
        """Close those that are open."""
        for lines in self._idle.values():
            while lines:
                lines.pop().close()

    def _line(self, address: tuple[str, int], seconds: float) -> HTTPConnection:
        """One that is open and silent, else a new one."""
        idle = self._idle.get(address, [])
        with contextlib.suppress(IndexError):
            while True:
                line = idle.pop()
                if _is_silent(line.sock):
                    line.sock.settimeout(seconds)
                    return line
                line.close()
        line = HTTPConnection(*address, timeout=seconds)
        line.response_class = _Answer
        try:
            line.connect()
        except TimeoutError as error:
            raise httpx.ConnectTimeout(str(error)) from error
        except OSError as error:
            raise httpx.ConnectError(str(error)) from error
        return line


def _are_plain(headers: Mapping[str, Any], content: bytes | None) -> bool:
    """Whether headers need no encoding, and say no other length than the body has."""
    length = str(len(content or b""))
    for name, value in headers.items():
        if not isinstance(value, str) or not _NAME.fullmatch(name):
            return False
        if not (value.isascii() and value.isprintable() and value == value.strip()):
            return False
        if {"content-length": length, "connection": "keep-alive"}.get(name.lower(), value) != value:
            return False
    return True


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


def _exchange(
    line: HTTPConnection, method: str, path: str, headers: Mapping[str, str], content: bytes | None
) -> tuple[Received, bool]:
    """The answer on a connection, and whether that can be used again. Raises httpx's errors."""
    try:
        line.request(method, path, content or None, headers)
    except TimeoutError as error:
        raise httpx.WriteTimeout(str(error)) from error
    except OSError:
        pass  # it may have answered before it heard all
    try:
        answer = line.getresponse()
        body = answer.read()
        if wrong := _wrong(answer.headers):
            raise HTTPException(wrong)
    except TimeoutError as error:
        raise httpx.ReadTimeout(str(error)) from error
    except (HTTPException, ConnectionError) as error:  # RemoteDisconnected is both
        kind = httpx.RemoteProtocolError if isinstance(error, HTTPException) else httpx.ReadError
        raise kind(f"{type(error).__name__}: {error}") from error
    except OSError as error:
        raise httpx.ReadError(str(error)) from error
    version = "1.0" if answer.version == 10 else "1.1"
    shown = tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.getheaders())
    return Received(answer.status, version, answer.reason, shown, body), not answer.will_close


def _wrong(headers: HTTPMessage) -> str:
    """Why headers cannot be believed, though they could be read."""
    if len({*headers.get_all("Content-Length", ())}) > 1:
        return "it has two lengths"
    broken = [defect for defect in headers.defects if isinstance(defect, _NO_HEADER)]
    return f"a line among its headers is none: {broken[0]}" if broken else ""
