"""The small document by hand, without a framework between: Starlette routes, orjson, jsonschema-rs both ways, a dict. PORT."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import jsonschema_rs
import orjson
import yaml
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.servers import listen
from bench.servers.customers import DOCUMENT, Customers, tokens

Handler = Callable[[Request], Awaitable[Response]]


def validator(name: str) -> jsonschema_rs.Validator:
    """The validator of a schema of the document, formats on."""
    components = yaml.safe_load(DOCUMENT.read_text())["components"]
    schema = {"$ref": f"#/components/schemas/{name}", "components": components}
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


def answer(status: int, value: Any, shape: jsonschema_rs.Validator) -> Response:
    """A value as JSON, once it fits the document."""
    if not shape.is_valid(value):
        return refusal(500, "internal")
    return Response(orjson.dumps(value), status, media_type="application/json")


def refusal(status: int, title: str) -> Response:
    """An error."""
    return Response(orjson.dumps({"title": title, "status": status}), status, media_type="application/json")


def build(customers: Customers) -> Starlette:
    """The application over a state."""
    known = tokens()
    new_customer, customer_id = (
        validator("NewCustomer"),
        jsonschema_rs.Draft202012Validator({"minLength": 1, "maxLength": 64}),
    )
    customer, several = validator("Customer"), validator("Customers")
    external_id, email = validator("ExternalId"), validator("Email")

    def secured(handler: Handler) -> Handler:
        async def call(request: Request) -> Response:
            scheme, _, token = request.headers.get("authorization", "").partition(" ")
            if scheme.lower() != "bearer" or token not in known:
                return refusal(401, "unauthenticated")
            return await handler(request)

        return call

    async def retrieve(request: Request) -> Response:
        key = request.path_params["customer_id"]
        if not customer_id.is_valid(key):
            return refusal(400, "parameter")
        found = customers.records.get(key)
        return answer(200, found, customer) if found is not None else refusal(404, "unknown")

    async def list_page(request: Request) -> Response:
        text = request.query_params.get("page", "1")
        if not text.isdecimal() or not 1 <= int(text) <= 1_000_000:
            return refusal(400, "parameter")
        return answer(200, customers.page(int(text)), several)

    async def search(request: Request) -> Response:
        wanted = dict(request.query_params)
        if ("external_id" in wanted and not external_id.is_valid(wanted["external_id"])) or (
            "email" in wanted and not email.is_valid(wanted["email"])
        ):
            return refusal(400, "parameter")
        found = customers.by_email.get(wanted.get("email", ""), [])
        if "external_id" in wanted:
            found = customers.with_external_id(wanted["external_id"])
            found = [record for record in found if record["email"] == wanted.get("email", record["email"])]
        return answer(200, found, several)

    async def create(request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return refusal(415, "media-type")
        try:
            body = orjson.loads(await request.body())
        except ValueError:
            return refusal(400, "malformed")
        if not new_customer.is_valid(body):
            return refusal(422, "invalid")
        made = customers.create(body)
        return answer(201, made, customer) if made is not None else refusal(409, "duplicate")

    return Starlette(
        routes=[
            Route("/customers", secured(list_page), methods=["GET"]),
            Route("/customers", secured(create), methods=["POST"]),
            Route("/customers/search", secured(search), methods=["GET"]),
            Route("/customers/{customer_id}", secured(retrieve), methods=["GET"]),
        ]
    )


if __name__ == "__main__":
    listen(build(Customers()))
