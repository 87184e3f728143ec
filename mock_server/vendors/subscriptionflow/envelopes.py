"""What SubscriptionFlow's answers look like: pages, single resources with their relationships, bare lists, failures."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from mock_server.problems import Problem, Violation
from mock_server.store import StoredRecord
from mock_server.vendor import Call, Mint, Page, Result

MODULES = {
    "Customer": "customers",
    "EmailAddress": "email-addresses",
    "Contact": "contacts",
    "Subscription": "subscriptions",
    "Product": "products",
    "Plan": "plans",
    "PlanPrice": "plan-prices",
    "Invoice": "invoices",
    "Transaction": "transactions",
    "PaymentMethod": "payment-methods",
    "Usage": "usages",
    "CreditNote": "credit-notes",
    "User": "users",
}
_SINGULAR = {"email-addresses": "email-address"}
_TYPES = {"payment-methods": "payment_methods"}
_PEOPLE = {"created_by": "users", "updated_by": "users", "assigned_to": "users"}
RELATIONSHIPS: Mapping[str, Mapping[str, str | None]] = {
    "Customer": {"parent_id": "customers", "tax_company": None, **_PEOPLE, "assigned_group_id": None},
    "EmailAddress": {"emailable_id": "customers"},
    "Contact": {"customer_id": "customers", **_PEOPLE, "assigned_group_id": None},
    "Subscription": {"customer_id": "customers", **_PEOPLE, "assigned_group_id": None, "recipient_id": None},
    "Product": {"manager_id": "users", **_PEOPLE},
    "Plan": {**_PEOPLE, "product_id": "products"},
    "PlanPrice": {"plan_id": "plans", "product_id": "products", "assigned_to": "users"},
    "Invoice": {"customer_id": "customers", "subscription_id": "subscriptions", **_PEOPLE, "assigned_group_id": None},
    "Transaction": {
        "customer_id": "customers",
        "invoice_id": "invoices",
        "payment_method_id": None,
        "reference_transaction_id": "transactions",
        **_PEOPLE,
        "assigned_group_id": None,
    },
    "PaymentMethod": {"parent_id": "customers", **_PEOPLE},
    "Usage": {
        "customer_id": "customers",
        "subscription_id": "subscriptions",
        "charge_id": "plan-prices",
        "invoice_id": "invoices",
        "assigned_to": "users",
    },
    "CreditNote": {"customer_id": "customers", "invoice_id": "invoices", **_PEOPLE},
    "User": {},
}
"""For each property that holds another record's key: the module it can be read in, None where it has no address."""
_is_plain = re.compile(r"[A-Za-z0-9_.~-]*").fullmatch
"""Whether a text stands in an address as it is, as every minted key does."""


def answer(call: Call, result: Result) -> Any:
    """The envelope of a success: by the verb, a page, a bare list, or one resource."""
    resource = call.resource.name
    if isinstance(result, Page):
        return {"data": [flat(call, resource, record) for record in result.records], **_around(call, result)}
    if isinstance(result, Mapping):
        address = primary_address(call, result["id"]) if resource == "Customer" else None
        return {"data": single(call, resource, result, address)}
    return {"data": [flat(call, resource, record) for record in result or ()]}


class Shape(NamedTuple):
    """What an operation's answer shows of a resource: every property as null, those to leave out, what else it shows with the record."""

    blank: Mapping[str, None]
    left_out: tuple[str, ...]
    beside: frozenset[str]


_SHAPES: dict[tuple[str, str], Shape] = {}
"""By operation and resource: what the document says does not change."""


def _shape(call: Call, resource: str) -> Shape:
    known = _SHAPES.get((call.operation.id, resource))
    if known is None:
        facts, view = call.contract.resources[resource], call.view(resource)
        names = view.properties if view else [n for n, item in facts.properties.items() if item.get("type") != "array"]
        shown = dict.fromkeys(name for name in names if name in facts.properties and name not in facts.write_only)
        left_out = tuple(name for name in facts.properties if name not in shown)
        beside = frozenset(names) & {"customer", "plans", "plan_prices", "transactions"}
        known = _SHAPES[call.operation.id, resource] = Shape({**shown, **dict.fromkeys(left_out)}, left_out, beside)
    return known


def flat(call: Call, resource: str, record: StoredRecord) -> dict[str, Any]:
    """Every property that the answer shows of a record, null where it has none; lists only where the view has them."""
    blank, left_out, beside = _shape(call, resource)
    shown = {**blank, **record}
    for name in left_out:
        del shown[name]
    if "customer" in beside and (customer := call.find("Customer", record.get("customer_id"))):
        shown["customer"] = flat(call, "Customer", customer)
    if "plans" in beside:
        shown["plans"] = [flat(call, "Plan", plan) for plan in call.scan("Plan", {"product_id": record["id"]})]
    if "plan_prices" in beside:
        prices = call.scan("PlanPrice", {"plan_id": record["id"]})
        shown["plan_prices"] = [flat(call, "PlanPrice", price) for price in prices]
    if "transactions" in beside:
        payments = call.scan("Transaction", {"invoice_id": record["id"]})
        shown["transactions"] = [flat(call, "Transaction", payment) for payment in payments]
    return shown


def primary_address(call: Call, customer: Any) -> StoredRecord | None:
    """The customer's first mail address, as a record."""
    first = None
    for address in call.scan("EmailAddress", {"emailable_id": customer}):
        if address.get("primary") == 1:
            return address
        first = first or address
    return first


def single(call: Call, resource: str, record: StoredRecord, address: StoredRecord | None = None) -> dict[str, Any]:
    """One resource with its relationships; a customer's need their mail address."""
    key, module, base = record["id"], MODULES[resource], call.request.base_url
    targets = RELATIONSHIPS[resource]
    relationships: dict[str, Any] = dict.fromkeys(targets)
    for name in targets.keys() & record.keys():
        if record[name] is not None:
            relationships[name] = _link(base, record[name], targets[name])
    if resource == "Customer":
        relationships["email"] = _link(base, address["id"], "email-addresses") if address else None
        relationships["primary_churn_score_id"] = None
    part = _quoted(key)
    return {
        "type": _TYPES.get(module, module),
        "id": key,
        "attributes": flat(call, resource, record),
        "relationships": relationships,
        "links": {
            "self": f"{base}/api/v1/{module}/{part}",
            "app_url": f"{base}/{_SINGULAR.get(module, module[:-1])}-detail/{part}",
        },
    }


def _link(base: str, value: Any, target: str | None) -> dict[str, Any]:
    return {"id": value, "link": f"{base}/api/v1/{target}/{_quoted(str(value))}" if target else "N/A"}


def _quoted(text: str) -> str:
    return text if _is_plain(text) else quote(text, safe="")


def _around(call: Call, page: Page) -> dict[str, Any]:
    """The links and the meta of a page."""
    path = f"{call.request.base_url}{call.operation.path}"
    kept = urlencode([pair for pair in call.request.query if pair[0] != "page"]) if call.request.query else ""
    stem = f"{path}?{kept}&page=" if kept else f"{path}?page="
    last = max(1, -(-page.total // page.size))
    before = f"{stem}{page.number - 1}" if page.number > 1 else None
    after = f"{stem}{page.number + 1}" if page.number < last else None
    first = (page.number - 1) * page.size + 1 if page.records else None
    bar = [
        {"url": f"{stem}{number}" if number else None, "label": str(number or "..."), "active": number == page.number}
        for number in _numbers(page.number, last)
    ]
    return {
        "links": {"first": f"{stem}1", "last": f"{stem}{last}", "prev": before, "next": after},
        "meta": {
            "current_page": page.number,
            "from": first,
            "last_page": last,
            "links": [
                {"url": before, "label": "&laquo; Previous", "active": False},
                *bar,
                {"url": after, "label": "Next &raquo;", "active": False},
            ],
            "path": path,
            "per_page": page.size,
            "to": first + len(page.records) - 1 if first else None,
            "total": page.total,
        },
    }


@functools.lru_cache(maxsize=64)
def _numbers(current: int, last: int) -> Sequence[int | None]:
    """The pages a page bar names, None for a gap: the ends, and three on either side."""
    found: list[int | None] = []
    near = range(max(1, min(current, last) - 3), min(last, current + 3) + 1)
    before = 0
    for number in sorted({1, last, *near}):
        if number > before + 1:
            found.append(None)
        found.append(number)
        before = number
    return found


def error(problem: Problem, status: int, mint_id: Mint) -> Any:
    """The framework's body: a message, and for fields at fault each with what is wrong."""
    if problem.kind == "unauthenticated":
        return {"message": "Unauthenticated."}
    if problem.kind in ("malformed", "unknown") or not any(violation.field for violation in problem.violations):
        return {"message": problem.detail}
    errors: dict[str, list[str]] = {}
    for violation in problem.violations:
        errors.setdefault(violation.field, []).append(_sentence(violation))
    return {"message": "The given data was invalid.", "errors": errors}


def _sentence(violation: Violation) -> str:
    words = violation.field.replace("_", " ")
    if violation.rule == "required":
        return f"The {words} field is required."
    if violation.rule == "dangling":
        return f"The selected {words} is invalid."
    return violation.sentence


def oauth_error(problem: Problem, status: int, mint_id: Mint) -> Any:
    """OAuth's body, with the framework's `message` beside it."""
    fields = {violation.field for violation in problem.violations}
    kind = "unsupported_grant_type" if fields == {"grant_type"} and problem.kind == "invalid" else "invalid_request"
    return {"error": kind, "error_description": problem.detail, "message": problem.detail}
