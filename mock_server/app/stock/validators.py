"""Connexion's validators of requests, through its own `validator_map`: they collect all that is wrong, and tell it as the compiled path does."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import parse_qsl

from connexion.datastructures import MediaTypeDict
from connexion.lifecycle import ConnexionRequest
from connexion.validators.abstract import AbstractRequestBodyValidator
from connexion.validators.parameter import ParameterValidator
from starlette.datastructures import Headers
from starlette.types import Scope

from mock_server.app import bodies
from mock_server.app.stock.parser import Parser
from mock_server.app.stock.parts import octets_of, read_parts, text_of
from mock_server.app.stock.reading import KEY, Reading
from mock_server.app.understood import FORM, MULTIPART, essence_of, is_json
from mock_server.problems import Problem

_UTF_8 = ("utf-8", "utf8", "us-ascii", "")


class Parameters(ParameterValidator):
    """Reads the parameters of all four places; what is wrong is told when the body has been read too."""

    def validate(self, scope: Scope) -> None:
        """Read what Connexion's request holds."""
        reading: Reading = scope[KEY]
        parser: Parser = self.uri_parser
        request = ConnexionRequest(scope, uri_parser=parser)  # type: ignore[no-untyped-call]  # Connexion's
        reading.accept()
        given = reading.request.headers
        headers = {each["name"]: given.get(each["name"].lower()) for each in parser.at("header")}
        reading.take(
            {
                "path": request.path_params,
                "query": request.query_params,
                "header": parser.resolve_texts("header", {k: text for k, text in headers.items() if text is not None}),
                "cookie": parser.resolve_texts("cookie", request.cookies),
            }
        )
        if reading.operation.body is not None:
            _check_charset(given.get("content-type") if reading.request.body else None, offered(reading))


def offered(reading: Reading) -> dict[str, str]:
    """The media types that the body may have: as they are compared, and as the document writes them."""
    facts = reading.operation.body
    return MediaTypeDict({essence_of(name): name for name in facts.content} if facts else {})


def _check_charset(header: str | None, known: dict[str, str]) -> None:
    """Raise Problem `media-type` for a text that is not UTF-8."""
    media, charset = bodies.media_type(header)
    is_text = is_json(media) or media == FORM or media.startswith("text/")
    if charset not in _UTF_8 and (is_text or media not in known):
        raise Problem("media-type", "The body must be UTF-8.")


class Body(AbstractRequestBodyValidator):
    """Reads a body of any media type. No default stands for a body that did not come."""

    def __init__(
        self, *, schema: dict[str, Any], required: bool = False, uri_parser: Parser | None = None, **options: Any
    ) -> None:
        whole = {key: value for key, value in schema.items() if key != "default"}
        super().__init__(schema=whole, required=False, **options)
        self._parser = uri_parser
        if uri_parser is not None:
            uri_parser.read_form_as(whole)  # Connexion makes it of the first media type, whichever is sent
        self._is_required = required

    async def _parse(self, stream: AsyncGenerator[bytes, None], scope: Scope) -> Any:
        reading: Reading = scope[KEY]
        content = b"".join([chunk async for chunk in stream])
        header = Headers(scope=scope).get("content-type")
        media = bodies.media_type(header)[0]
        if not content and media != FORM:
            if self._is_required:
                raise Problem("malformed", "A body is required.")
            return None
        known = offered(reading)
        media = media or next(iter(known))
        value = await self._decode(content, media, header)
        assert reading.operation.body is not None, "Connexion validates the body of an operation that has one"
        reading.take_body(value, reading.operation.body.content[known[media]])
        return value

    def _validate(self, body: Any) -> None:
        """Done while it was read."""

    async def _decode(self, content: bytes, media: str, header: str | None) -> Any:
        assert self._parser is not None, "Connexion gives one"
        if is_json(media):
            return bodies.decode_json(content)
        if media == FORM:
            return self._parser.resolve_form(_grouped(content))
        if media == MULTIPART:
            return await read_parts(content, header or "", self._schema, self._parser)
        return text_of(content) if media.startswith("text/") else octets_of(content)


def _grouped(content: bytes) -> dict[str, list[str]]:
    """A form's texts by the name of the field."""
    try:
        pairs = parse_qsl(content.decode(), keep_blank_values=True, errors="strict", max_num_fields=bodies.MOST_FIELDS)
    except ValueError:
        raise Problem("malformed", "The body is not a UTF-8 form.") from None
    fields: dict[str, list[str]] = {}
    for name, text in pairs:
        fields.setdefault(name, []).append(text)
    return fields


VALIDATORS = {"parameter": Parameters, "body": MediaTypeDict({"*/*": Body})}
"""Connexion's `validator_map`."""
