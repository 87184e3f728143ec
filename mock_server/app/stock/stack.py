"""Connexion's own middleware, built from the document for some of its operations."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

import orjson
from connexion.middleware.request_validation import RequestValidationMiddleware
from connexion.middleware.routing import RoutingMiddleware
from connexion.operations.openapi import OpenAPIOperation
from connexion.resolver import Resolution, Resolver
from connexion.spec import OpenAPISpecification
from starlette.types import ASGIApp, Message, Receive, Scope

from mock_server.app import bodies
from mock_server.app.stock.parser import Parser
from mock_server.app.stock.paths import concreteness, normal
from mock_server.app.stock.reading import KEY, Reading
from mock_server.app.stock.validators import VALIDATORS, offered
from mock_server.app.understood import FORM, essence_of, is_json
from mock_server.contract import Contract, Operation, resolve


class _Operation(OpenAPIOperation):
    """Leaves the type of what a path holds to the validation: an integer that is none is a wrong parameter, not an unknown path."""

    def get_path_parameter_types(self) -> dict[str, str]:
        return {}


class _Document(OpenAPISpecification):
    """The reader of contracts has held the document to OpenAPI already."""

    operation_cls = _Operation

    @classmethod
    def _validate_spec(cls, spec: Any) -> None:
        pass


class _Bound(Resolver):
    """Binds every operation to the application at the end of the stack."""

    def resolve(self, operation: OpenAPIOperation) -> Resolution:
        return Resolution(None, operation.operation_id)  # type: ignore[no-untyped-call]  # Connexion's


def stack(contract: Contract, operations: Iterable[Operation], handler: ASGIApp) -> ASGIApp:
    """Connexion's routing and validation of requests in front of a handler.

    Not its exceptions, which wear the vendor's envelope; not its security, as the engine knows the callers; not its validation of responses,
    which comes when the call has had its effect.
    """
    logging.getLogger("connexion.operations").setLevel(
        logging.ERROR
    )  # it would warn of a second media type per request
    specification = _Document(_copy(contract, operations))  # type: ignore[no-untyped-call]
    app = handler
    for middleware in (RequestValidationMiddleware, RoutingMiddleware):
        app = middleware(app)
        app.add_api(specification, base_path="", resolver=_Bound(), validator_map=VALIDATORS, uri_parser_class=Parser)
    return app


def _copy(contract: Contract, operations: Iterable[Operation]) -> dict[str, Any]:
    """A document for Connexion to change as it likes: the requests of these operations, the concrete paths first."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in sorted(operations, key=lambda each: concreteness(each.path)):
        paths.setdefault(operation.path.replace("%", "%25"), {})[operation.method] = _requests(contract, operation)
    schemas = contract.document.get("components", {}).get("schemas", {})
    document = {"openapi": "3.0.3", "paths": paths, "components": {"schemas": schemas}}
    copied: dict[str, Any] = orjson.loads(orjson.dumps(document))
    return copied


def _requests(contract: Contract, operation: Operation) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": operation.id,
        "parameters": [
            _only(resolve(contract.document, parameter.pointer), _OF_PARAMETER) for parameter in operation.parameters
        ],
        "responses": {},
    }
    if operation.body is not None:
        content = resolve(contract.document, operation.body.pointer)["content"]
        made["requestBody"] = {
            "required": operation.body.required,
            "content": {
                essence_of(media): {"schema": {}, **_only(entry, ("schema", "encoding"))}
                for media, entry in content.items()
            },
        }
    return made


_OF_PARAMETER = ("name", "in", "required", "schema", "content", "style", "explode", "allowEmptyValue")


def _only(node: dict[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """Of a part of the document what Connexion needs; examples may refer to what it is not given."""
    return {key: node[key] for key in keys if key in node}


def prepared(scope: Scope, path: str, reading: Reading) -> Scope:
    """The request as Connexion understands it: its path below the vendor, its length stated, its media type as the document writes it."""
    headers = [pair for pair in scope["headers"] if pair[0] not in (b"content-length", b"content-type")]
    content = reading.request.body
    headers.append((b"content-length", b"%d" % len(content)))
    if media := _media_type(reading):
        headers.append((b"content-type", media.encode("latin-1")))
    return {
        **scope,
        "app": None,  # so that Starlette raises what it would answer
        "root_path": "",
        "path": normal(path),
        "query_string": _reserved(scope["query_string"], reading),
        "headers": headers,
        KEY: reading,
    }


def _media_type(reading: Reading) -> str | None:
    """The content type, where there is content; a form may be empty. A format made of JSON that is not offered is JSON."""
    header = reading.request.headers.get("content-type")
    media, _ = bodies.media_type(header)
    known = offered(reading)
    if header is None or not (reading.request.body or (media == FORM and FORM in known)):
        return None
    if media not in known and is_json(media) and bodies.JSON in known:
        return bodies.JSON
    return media + header[len(header.partition(";")[0]) :]


def _reserved(query: bytes, reading: Reading) -> bytes:
    """The query, where a parameter may have reserved characters: there a plus sign is one, and no space."""
    names = {
        parameter.name.encode()
        for parameter in reading.operation.parameters
        if resolve(reading.contract.document, parameter.pointer).get("allowReserved")
    }
    if not names:
        return query
    pairs = [pair.partition(b"=") for pair in query.split(b"&")]
    return b"&".join(
        name + mark + (text.replace(b"+", b"%2B") if name in names else text) for name, mark, text in pairs
    )


def replay(body: bytes, receive: Receive) -> Receive:
    """A body that has been read, once more."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return messages.pop() if messages else await receive()

    return receive_again
