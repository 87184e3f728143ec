"""SubscriptionFlow's catalogue: plans follow their product, prices their plan."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mock_server.store import StoredRecord
from mock_server.vendor import Answer, Call, Space


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
