"""What SubscriptionFlow's answers look like: pages, single resources with their relationships, bare lists, failures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from mock_server.problems import Problem, Violation
from mock_server.store import StoredRecord
from mock_server.vendor import Call, Mint, Page, Result
from mock_server.vendors.subscriptionflow import subscriptions

MODULES = {
    "Customer": "customers",
    "EmailAddress": "email-addresses",
    "Contact": "contacts",
    "Subscription": "subscriptions",
    "Product": "products",
    "Plan": "plans",
}
_SINGULAR = {"email-addresses": "email-address"}
_PEOPLE = {"created_by": "users", "updated_by": "users", "assigned_to": "users"}
RELATIONSHIPS: Mapping[str, Mapping[str, str | None]] = {
    "Customer": {"parent_id": "customers", "tax_company": None, **_PEOPLE, "assigned_group_id": None},
    "EmailAddress": {"emailable_id": "customers"},
    "Contact": {"customer_id": "customers", **_PEOPLE, "assigned_group_id": None},
    "Subscription": {"customer_id": "customers", **_PEOPLE, "assigned_group_id": None, "recipient_id": None},
    "Product": {"manager_id": "users", **_PEOPLE},
    "Plan": {**_PEOPLE, "product_id": "products"},
}
"""For each property that holds another record's key: the module it can be read in, None where it has no address."""


def answer(call: Call, result: Result) -> Any:
    """The envelope of a success: by the verb, a page, a bare list, or one resource."""
    resource = call.resource.name
    if isinstance(result, Page):
        return {"data": [flat(call, resource, record) for record in result.records], **_around(call, result)}
    if isinstance(result, Mapping):
        return {"data": _single(call, resource, result)}
    return {"data": [flat(call, resource, record) for record in result or ()]}


def flat(call: Call, resource: str, record: StoredRecord) -> dict[str, Any]:
    """Every property that the answer shows of a record, null where it has none; lists only where the view has them."""
    facts = call.contract.resources[resource]
    view = call.view(resource)
    names = view.properties if view else [n for n, item in facts.properties.items() if item.get("type") != "array"]
    if resource == "Subscription":
        record = subscriptions.current(record, call.now)
    kept, hidden, value = facts.properties, facts.write_only, record.get
    shown = {name: value(name) for name in names if name in kept and name not in hidden}
    if "customer" in names and (customer := call.find("Customer", record.get("customer_id"))):
        shown["customer"] = flat(call, "Customer", customer)
    if "plans" in names:
        shown["plans"] = [flat(call, "Plan", plan) for plan in call.scan("Plan", {"product_id": record["id"]})]
    return shown


def primary_address(call: Call, customer: Any) -> StoredRecord | None:
    """The customer's first mail address, as a record."""
    held = list(call.scan("EmailAddress", {"emailable_id": customer}))
    return next((address for address in held if address.get("primary") == 1), held[0] if held else None)


def _single(call: Call, resource: str, record: StoredRecord) -> dict[str, Any]:
    key, module, base = record["id"], MODULES[resource], call.request.base_url

    def link(value: Any, target: str | None) -> Any:
        if value is None:
            return None
        return {"id": value, "link": f"{base}/api/v1/{target}/{quote(str(value), safe='')}" if target else "N/A"}

    relationships = {name: link(record.get(name), target) for name, target in RELATIONSHIPS[resource].items()}
    if resource == "Customer":
        address = primary_address(call, key)
        relationships["email"] = link(address["id"] if address else None, "email-addresses")
        relationships["primary_churn_score_id"] = None
    return {
        "type": module,
        "id": key,
        "attributes": flat(call, resource, record),
        "relationships": relationships,
        "links": {
            "self": f"{base}/api/v1/{module}/{quote(key, safe='')}",
            "app_url": f"{base}/{_SINGULAR.get(module, module[:-1])}-detail/{quote(key, safe='')}",
        },
    }


def _around(call: Call, page: Page) -> dict[str, Any]:
    """The links and the meta of a page."""
    path = f"{call.request.base_url}{call.operation.path}"
    kept = [(name, value) for name, value in call.request.query if name != "page"]
    last = max(1, -(-page.total // page.size))

    def url(number: int) -> str:
        return f"{path}?{urlencode([*kept, ('page', str(number))])}"

    before = url(page.number - 1) if page.number > 1 else None
    after = url(page.number + 1) if page.number < last else None
    first = (page.number - 1) * page.size + 1 if page.records else None
    bar = [
        {"url": url(number) if number else None, "label": str(number or "..."), "active": number == page.number}
        for number in _numbers(page.number, last)
    ]
    return {
        "links": {"first": url(1), "last": url(last), "prev": before, "next": after},
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


def _numbers(current: int, last: int) -> Iterator[int | None]:
    """The pages a page bar names, None for a gap: the ends, and three on either side."""
    near = range(max(1, min(current, last) - 3), min(last, current + 3) + 1)
    before = 0
    for number in sorted({1, last, *near}):
        if number > before + 1:
            yield None
        yield number
        before = number


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
