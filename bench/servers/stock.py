"""The small document on stock Connexion: AsyncApp, coroutine handlers over a dict, request and response validation on. PORT."""

from __future__ import annotations

import logging
import warnings
from typing import Any

import yaml

with warnings.catch_warnings():
    # Connexion imports Starlette's test client, which warns about httpx.
    warnings.simplefilter("ignore")
    from connexion.apps.asynchronous import AsyncApp

from connexion.options import SwaggerUIOptions
from connexion.resolver import Resolver

from bench.servers import listen
from bench.servers.customers import DOCUMENT, SMALL, Customers, tokens

KNOWN = tokens()


async def token_info(token: str) -> dict[str, Any] | None:
    """Who calls; Connexion finds this function by the name in the document."""
    return {"sub": KNOWN[token]} if token in KNOWN else None


def document() -> dict[str, Any]:
    """The document as Connexion wants it: the credentials' function named in it, references to the examples' files resolved.

    Nothing is deleted here.
    """
    found: dict[str, Any] = yaml.safe_load(DOCUMENT.read_text())
    found["components"]["securitySchemes"]["bearer"]["x-bearerInfoFunc"] = f"{token_info.__module__}.token_info"
    del found["paths"]["/customers/{customer_id}"]["delete"]
    return _with_files(found)  # type: ignore[no-any-return]


def _with_files(node: Any) -> Any:
    if isinstance(node, list):
        return [_with_files(item) for item in node]
    if not isinstance(node, dict):
        return node
    file, _, pointer = str(node.get("$ref", "")).partition("#")
    if not file:
        return {name: _with_files(item) for name, item in node.items()}
    found = yaml.safe_load((SMALL / "openapi" / file).resolve().read_text())
    for step in pointer.strip("/").split("/"):
        found = found[step]
    return found


def build(customers: Customers) -> AsyncApp:
    """The application over a state."""

    async def list_customers(page: int = 1) -> tuple[Any, int]:
        return customers.page(page), 200

    async def create_customer(body: dict[str, Any]) -> tuple[Any, int]:
        made = customers.create(body)
        return (made, 201) if made is not None else ({"title": "duplicate", "status": 409}, 409)

    async def search_customers(external_id: str | None = None, email: str | None = None) -> tuple[Any, int]:
        found = customers.by_email.get(email or "", [])
        return (found if external_id is None else customers.with_external_id(external_id)), 200

    async def get_customer(customer_id: str) -> tuple[Any, int]:
        found = customers.records.get(customer_id)
        return (found, 200) if found is not None else ({"title": "unknown", "status": 404}, 404)

    handlers = {
        "listCustomers": list_customers,
        "createCustomer": create_customer,
        "searchCustomers": search_customers,
        "getCustomer": get_customer,
    }
    app = AsyncApp(__name__, swagger_ui_options=SwaggerUIOptions(swagger_ui=False, serve_spec=False))
    app.add_api(document(), resolver=Resolver(handlers.__getitem__), validate_responses=True)
    return app


if __name__ == "__main__":
    logging.getLogger("connexion").setLevel(logging.ERROR)
    listen(build(Customers()))
