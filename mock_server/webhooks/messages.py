"""A webhook on the wire: its bytes, and the headers that sign them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import orjson

from mock_server.contract import Contract

FORM = "application/x-www-form-urlencoded"
HIDDEN = "***"
"""Stands in the log for a secret that a header carries."""


def encode(media: str, body: Any) -> bytes:
    """A body in its media type. Objects and arrays in a form are written in brackets: `a[b]=c`, `a[0]=c`; null is left empty."""
    if media == FORM:
        return urlencode(list(_pairs(body))).encode()
    try:
        return orjson.dumps(body)
    except TypeError:
        return json.dumps(body, separators=(",", ":")).encode()


def _pairs(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _pairs(item, f"{name}[{key}]" if name else str(key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _pairs(item, f"{name}[{index}]")
    else:
        yield name, value if isinstance(value, str) else "" if value is None else json.dumps(value)


def headers(contract: Contract, media: str, content: bytes, secret: str, *, tampered: bool = False) -> dict[str, str]:
    """The headers of a webhook; tampered ones carry a signature of other bytes, and another secret."""
    found = {"Content-Type": media, "User-Agent": "mockingbill"}
    if contract.signature is not None:
        signed = content + b"\n" if tampered else content
        digest = hmac.new(secret.encode(), signed, getattr(hashlib, contract.signature.digest)).digest()
        is_hex = contract.signature.encoding == "hex"
        found[contract.signature.header] = digest.hex() if is_hex else base64.b64encode(digest).decode()
    if contract.secret_header is not None:
        found[contract.secret_header] = secret[::-1] + "-tampered" if tampered else secret
    return found


def shown(contract: Contract, sent: Mapping[str, str]) -> dict[str, str]:
    """Headers as the log may show them."""
    return {name: HIDDEN if name == contract.secret_header else value for name, value in sent.items()}
