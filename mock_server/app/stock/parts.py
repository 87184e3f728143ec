"""Bodies in parts, texts and octets: what is no JSON becomes text, as a record is JSON."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Any

from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from mock_server.app import bodies, texts
from mock_server.app.stock.parser import Parser, as_it_is
from mock_server.app.understood import is_json
from mock_server.problems import Problem

_BINARY = ("binary", "base64")


def text_of(content: bytes) -> str:
    """The text that octets are in UTF-8. Raises Problem `malformed`."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise Problem("malformed", "The body is not UTF-8.") from None


def octets_of(content: bytes) -> str:
    """A text of as many characters as there are octets, each of the octet's number (latin-1)."""
    return content.decode("latin-1")


async def read_parts(content: bytes, header: str, schema: Mapping[str, Any], parser: Parser) -> dict[str, Any]:
    """A form of parts as an object; files are its properties. Raises Problem `malformed`."""
    form = await _parse(content, header)
    known = texts._properties(schema, as_it_is)
    fields: dict[str, list[str]] = {}
    ready: dict[str, list[Any]] = {}
    for name, part in form.multi_items():
        facts = as_it_is(known.get(name))
        item = as_it_is(facts.get("items")) if facts.get("type") == "array" else facts
        octets = await part.read() if isinstance(part, UploadFile) else part.encode()
        if item.get("format") in _BINARY:
            ready.setdefault(name, []).append(octets_of(octets))
        elif texts._kind(item, as_it_is) == "object" and is_json(parser.media_type_of(name)):
            ready.setdefault(name, []).append(bodies.decode_json(octets))
        else:
            fields.setdefault(name, []).append(text_of(octets))
    await form.close()
    whole = parser.resolve_form(fields)
    for name, values in ready.items():
        is_list = as_it_is(known.get(name)).get("type") == "array"
        whole[name] = values if is_list or len(values) > 1 else values[0]
    return whole


async def _parse(content: bytes, header: str) -> FormData:
    async def stream() -> AsyncGenerator[bytes, None]:
        yield content
        yield b""

    try:
        return await MultiPartParser(Headers({"content-type": header}), stream()).parse()
    except (MultiPartException, ValueError) as error:
        reason = str(error)[: bodies.LONGEST_REASON]
        raise Problem("malformed", f"The body is not a form in parts: {reason}.") from None
