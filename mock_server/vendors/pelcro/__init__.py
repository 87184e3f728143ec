"""Pelcro: what a plan, a coupon and a payment ask for, what becomes of a subscription in time, and tokens that are given out and taken back.

Nothing is charged and no password is hashed: both are the sandbox's own inventions.
"""

from __future__ import annotations

from mock_server.vendor import Vendor
from mock_server.vendors.pelcro import (
    changes,
    customers,
    events,
    gifts,
    lifecycle,
    members,
    orders,
    subscribing,
)
from mock_server.vendors.pelcro.envelopes import answer, error

vendor = Vendor("pelcro", error=error, answer=answer)

for operation, action in {
    "createSubscription": subscribing.subscribe,
    "updateSubscription": changes.update,
    "cancelSubscription": changes.cancel,
    "reactivateSubscription": changes.reactivate,
    "changeSubscription": changes.change,
    "renewSubscription": changes.renew,
    "renewGift": gifts.renew,
    "redeemGift": gifts.redeem,
    "listMembers": members.listed,
    "payInvoice": changes.pay,
    "previewOrder": orders.preview,
    "getCustomer": customers.get,
    "login": customers.login,
    "register": customers.register,
    "logout": customers.logout,
}.items():
    vendor.action(operation)(action)

for transition, handler in {
    "trial-notice": lifecycle.announce_trial_end,
    "trial-end": lifecycle.end_trial,
    "gift-notice": lifecycle.announce_gift,
    "resume": lifecycle.resume_shipments,
    "confirmation-end": lifecycle.give_up_confirmation,
    "payment-due": lifecycle.fall_behind,
    "payment-retry": lifecycle.try_again,
    "period-end": lifecycle.end_period,
}.items():
    vendor.due("Subscription", transition)(handler)

_LIFE = ("created", "updated", "changed", "canceled", "renewed", "expired", "trial_will_end", "gift_notification")
vendor.event(*(f"subscription.{name}" for name in _LIFE))(events.of_subscription)
vendor.event("invoice.created", "invoice.paid", "invoice.payment_failed")(events.of_invoice)
vendor.event("charge.created")(events.of_charge)
vendor.event("customer.created", "customer.updated")(events.of_customer)
