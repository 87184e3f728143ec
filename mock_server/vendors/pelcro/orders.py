"""What subscribing, or a change of plan, would cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mock_server.vendor import Answer, Call
from mock_server.vendors.pelcro import changes, customers, payments, prices, terms


def preview(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """The price, broken down; nothing else happens."""
    customer, asked = customers.of(call), payments.asked(call)
    plan, coupon = call.require("Plan", asked["plan_id"]), terms.coupon_of(call)
    address = payments.own(call, customer, "Address")
    terms.check_offer(call, plan, coupon, address)
    if "subscription_id" in asked:
        subscription = terms.own(call, asked["subscription_id"])
        changes.check_changeable(subscription)
        quantity = asked.get("quantity", subscription["quantity"])
        place = address["id"] if address is not None else subscription["address_id"]
        price = changes.quoted(call, subscription, plan, quantity, place).price
        coupon = None
    else:
        quantity = asked.get("quantity", 1)
        rates = payments.rates(call, address["id"] if address is not None else None)
        price = prices.of_period(plan, quantity, coupon, rates)
    named = ("code", "percent_off", "amount_off")
    order = {
        "plan": plan,
        "coupon": {name: coupon[name] for name in named} if coupon is not None else None,
        "quantity": quantity,
        "currency": price.currency,
        "subtotal": price.subtotal,
        "discount": price.discount,
        "taxes": price.tax,
        "tax_lines": [tax._asdict() for tax in price.taxes],
        "total": price.total,
        "balance": customer["balance"] if customer["currency"] == price.currency else 0,
        "amount_due": price.total - payments.balance_of(customer, price),
    }
    return Answer(call.operation.success.status, {"error": False, "data": order})
