"""The filter of SubscriptionFlow's customers by hand: Starlette, orjson, jsonschema-rs both ways, an index on the mail address. PORT."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import jsonschema_rs
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.servers import listen
from mock_server.contract import convert, definitions, load, load_fixtures

PATH = "/api/v1/customers"


def build() -> Starlette:
    """The application; its schemas and the credential are the document's."""
    contract = load("subscriptionflow")
    tokens = {record.value["token"] for record in load_fixtures(contract).of("Credential")}
    customer = contract.resources["Customer"]
    columns = [name for name in customer.properties if name not in customer.write_only]
    by_email: dict[str, list[dict[str, Any]]] = {}

    def validator(schema: Any, direction: Any) -> jsonschema_rs.Validator:
        whole = {**convert(schema, direction), "$defs": definitions(contract.document, direction)}
        return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)

    json_of = "application/json"
    filtering, adding = contract.operations["filterCustomers"], contract.operations["createCustomer"]
    assert filtering.body and adding.body, "the document gives both a body"
    conditions = validator(filtering.body.content[json_of], "request")
    found_shape = validator(filtering.success.content[json_of], "response")
    creating = validator(adding.body.content[json_of], "request")

    def known(request: Request) -> bool:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and token in tokens

    async def create(request: Request) -> Response:
        body = orjson.loads(await request.body())
        if not known(request) or not creating.is_valid(body):
            return Response(status_code=422)
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        given = {**body, "id": str(uuid.uuid4()), "created_at": now, "updated_at": now}
        record = {name: given.get(name) for name in columns}
        by_email.setdefault(body["email"], []).append(record)
        return Response(orjson.dumps({"data": record["id"]}), 201, media_type=json_of)

    async def filter_customers(request: Request) -> Response:
        if not known(request):
            return Response(status_code=401)
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != json_of:
            return Response(status_code=415)
        try:
            body = orjson.loads(await request.body())
        except ValueError:
            return Response(status_code=400)
        if not conditions.is_valid(body):
            return Response(status_code=400)
        answer = {"data": by_email.get(body["filter"]["email"]["$equals"], [])}
        if not found_shape.is_valid(answer):
            return Response(status_code=500)
        return Response(orjson.dumps(answer), 201, media_type=json_of)

    return Starlette(
        routes=[Route(PATH, create, methods=["POST"]), Route(f"{PATH}/filter", filter_customers, methods=["POST"])]
    )


if __name__ == "__main__":
    listen(build())
