"""SubscriptionFlow's catalogue: plans follow their product, prices their plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mock_server.contract import escape
from mock_server.problems import Problem, Violation
from mock_server.store import StoredRecord
from mock_server.vendor import Answer, Call, Space


class Ordered(NamedTuple):
    """An item of a body, with the plan and product it names, and the plan's prices by their keys."""

    sent: Mapping[str, Any]
    plan: StoredRecord
    product: StoredRecord
    prices: Mapping[str, StoredRecord]


def ordered(call: Call) -> list[Ordered]:
    """The items of the body. Raises Problem `dangling` for every plan, product and price that is none."""
    found, wrong = [], []
    for index, item in enumerate(call.body["items"]):
        plan, product = call.find("Plan", item["plan_id"]), call.find("Product", item["product_id"])
        wrong += [
            Violation("body", f"/items/{index}/{name}", "dangling", f"names no {resource}")
            for name, resource, record in (("plan_id", "Plan", plan), ("product_id", "Product", product))
            if record is None
        ]
        if plan is None or product is None:
            continue
        prices = {price["id"]: price for price in call.scan("PlanPrice", {"plan_id": plan["id"]})}
        wrong += [
            Violation("body", f"/items/{index}/charges/{escape(key)}", "dangling", "names no price of the plan")
            for key in item.get("charges") or ()
            if key not in prices
        ]
        found.append(Ordered(item, plan, product, prices))
    if wrong:
        raise Problem("dangling", violations=tuple(wrong))
    return found


def price(call: Call, record: StoredRecord) -> StoredRecord:
    """A price that was just made, of its plan's product."""
    plan = call.find("Plan", record.get("plan_id"))
    product = None if plan is None else plan.get("product_id")
    return record if product is None else call.change("PlanPrice", record, {"product_id": product})


def follow(space: Space, plan: StoredRecord) -> None:
    """Let the prices of a plan be its product's."""
    product = plan.get("product_id")
    for own in list(space.scan("PlanPrice", {"plan_id": plan["id"]})):
        if own.get("product_id") != product:
            space.change("PlanPrice", own, {"product_id": product})


def link(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """A plan that sells a product from now on."""
    if call.find("Plan", call.key()) is None:
        raise call.dangling("/plan_id", "Plan")
    follow(call, proceed(call))
    return Answer(call.operation.success.status, {"status": True, "message": "The plan sells the product."})


def plan_gone(space: Space, record: StoredRecord) -> None:
    """A plan was deleted: its prices stay, without one."""
    for own in list(space.scan("PlanPrice", {"plan_id": record["id"]})):
        space.change("PlanPrice", own, {"plan_id": None, "product_id": None})


def product_gone(space: Space, record: StoredRecord) -> None:
    """A product was deleted: its plans stay, without one."""
    for plan in list(space.scan("Plan", {"product_id": record["id"]})):
        follow(space, space.change("Plan", plan, {"product_id": None}))
