"""SubscriptionFlow's money: invoices by hand, payments, refunds, credit notes and payment methods, and that their sums agree."""

from __future__ import annotations

from decimal import Decimal
from itertools import count
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

TODAY = "2026-04-13"
ADA, BASIL, CLEO = (f"c0000000-0000-4000-8000-{n:012d}" for n in (1, 2, 101))
MAGAZINE, ARCHIVE = (f"b0000000-0000-4000-8000-{n:012d}" for n in (1, 2))
MONTHLY, YEARLY, METERED = (f"d0000000-0000-4000-8000-{n:012d}" for n in (1, 2, 3))
FEE, YEARLY_FEE, PARCEL, ARTICLES, PAGES, READERS = (f"f0000000-0000-4000-8000-{n:012d}" for n in range(1, 7))
JANUARY = "60000000-0000-4000-8000-000000000002"
CREDIT = "a0000000-0000-4000-8000-000000000001"
CARD, DECLINED = (f"40000000-0000-4000-8000-{n:012d}" for n in (1, 2))
CHEQUE = "70000000-0000-4000-8000-000000000002"
NOBODY = "names-nothing"
WORLDS = count()
"""Numbers for worlds, one for each example of a property."""


def post(client, path: str, body: Any) -> Any:
    answer = client.post(f"/api/v1/{path}", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]


def bill(client, amount: float = 100, *, customer: str = ADA, **fields: Any) -> Any:
    """An invoice over an amount."""
    charges = {FEE: {"quantity": 1, "cost_price": amount}}
    items = [{"plan_id": MONTHLY, "product_id": MAGAZINE, "charges": charges}]
    return post(client, "invoices", {"customer_id": customer, "status": "due", "items": items, **fields})


def pay(client, amount: float, invoice: Any = None, **fields: Any) -> Any:
    key = {"invoice_id": invoice["id"]} if invoice else {}
    return post(client, "transactions", {"customer_id": ADA, "amount": amount, **key, **fields})


def refund(client, payment: Any, amount: float, **fields: Any) -> Any:
    return post(client, f"refund/{payment['id']}", {"amount": amount, **fields})


def read(client, module: str, record: Any) -> Any:
    key = record if isinstance(record, str) else record["id"]
    answer = client.get(f"/api/v1/{module}/{key}")
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def standing(client, invoice: Any) -> tuple[str, float, float]:
    """How an invoice stands: its status, what was received, what is left."""
    found = read(client, "invoices", invoice)["attributes"]
    return found["status"], found["received_payment"], found["closing_balance"]


def weight(client, payment: Any) -> tuple[float, float, float]:
    """What of a payment went back, what is left of it, what of that pays no invoice."""
    found = read(client, "transactions", payment)["attributes"]
    return found["refunded_amount"], found["balance"], found["unapplied_amount"]


def errors(answer, status: int = 422) -> dict[str, list[str]]:
    assert answer.status_code == status, answer.text
    found: dict[str, list[str]] = answer.json()["errors"]
    return found


# Invoices -------------------------------------------------------------------------------------------------------------


def test_an_invoice_comes_to_what_its_items_cost(api):
    items = [
        {"plan_id": MONTHLY, "product_id": MAGAZINE, "charges": {FEE: {"quantity": 5, "cost_price": 19.99}}},
        {"plan_id": YEARLY, "product_id": MAGAZINE},
    ]
    body = {"customer_id": ADA, "status": "due", "items": items, "discount_value": 10, "tax_amount": 0.1}
    data = post(api, "invoices", body)
    found = data["attributes"]
    assert [[charge["total_amount"] for charge in item["charges"]] for item in found["items"]] == [[99.95], [100, 20]]
    assert (found["sub_total"], found["total_amount"]) == (219.95, 210.05)
    assert (found["opening_balance"], found["closing_balance"], found["received_payment"]) == (210.05, 210.05, 0)
    assert (found["status"], found["currency"], found["is_oneoff"], found["invoice_date"]) == ("Due", "USD", 1, TODAY)
    assert (found["customer"]["id"], found["transactions"]) == (ADA, [])
    assert data["relationships"]["subscription_id"] is None


def test_the_price_is_the_plans_own_in_the_customers_currency(api):
    items = [{"plan_id": YEARLY, "product_id": MAGAZINE, "charges": {YEARLY_FEE: {"quantity": 3}}}]
    found = post(api, "invoices", {"customer_id": BASIL, "status": "due", "items": items})["attributes"]
    assert (found["currency"], found["total_amount"]) == ("EUR", 270)


@pytest.mark.parametrize(
    ("charge", "quantity", "amount"),
    [(ARTICLES, 3, 0.15), (PAGES, 100, 2), (PAGES, 150, 2.5), (READERS, 10, 30), (READERS, 11, 22)],
)
def test_a_quantity_is_charged_by_the_model_of_its_price(api, charge, quantity, amount):
    items = [{"plan_id": METERED, "product_id": ARCHIVE, "charges": {charge: {"quantity": quantity}}}]
    found = post(api, "invoices", {"customer_id": ADA, "status": "due", "items": items})["attributes"]
    assert found["total_amount"] == amount


def test_a_form_bills_with_bracketed_items(api):
    form = {
        "customer_id": ADA,
        "status": "draft",
        "items[0][plan_id]": MONTHLY,
        "items[0][product_id]": MAGAZINE,
        f"items[0][charges][{FEE}][quantity]": "2",
    }
    answer = api.post("/api/v1/invoices", data=form)
    found = answer.json()["data"]["attributes"]
    assert (answer.status_code, found["status"], found["total_amount"]) == (201, "Draft", 20)


@pytest.mark.parametrize(
    ("wrong", "fields"),
    [
        ({"customer_id": CLEO}, {"customer_id"}),
        ({"items": [{"plan_id": NOBODY, "product_id": NOBODY}]}, {"items.0.plan_id", "items.0.product_id"}),
        (
            {"items": [{"plan_id": MONTHLY, "product_id": MAGAZINE, "charges": {PARCEL: {}}}]},
            {f"items.0.charges.{PARCEL}"},
        ),
        ({"items": []}, {"items"}),
        ({"status": "paid"}, {"status"}),
        ({"discount_value": -1}, {"discount_value"}),
    ],
)
def test_an_invoice_for_what_does_not_exist_is_refused_and_leaves_nothing(api, wrong, fields):
    items = [{"plan_id": MONTHLY, "product_id": MAGAZINE}]
    answer = api.post("/api/v1/invoices", json={"customer_id": ADA, "status": "due", "items": items, **wrong})
    assert set(errors(answer)) == fields
    assert api.get("/api/v1/invoices").json()["meta"]["total"] == 3


def test_a_discount_takes_no_more_off_than_there_is(api):
    found = bill(api, 30, discount_value=50, tax_amount=1)["attributes"]
    assert (found["discount_value"], found["total_amount"]) == (30, 1)


def test_a_draft_is_issued_and_taken_back_until_something_is_paid(api):
    invoice = bill(api, status="draft")
    path = f"/api/v1/invoices/{invoice['id']}"
    for sent, becomes in (("due", "Due"), ("draft", "Draft"), ("Due", "Due")):
        assert api.put(path, json={"status": sent}).json()["data"]["attributes"]["status"] == becomes
    pay(api, 1, invoice)
    answer = api.put(path, json={"status": "draft"})
    assert (answer.status_code, set(answer.json())) == (400, {"message"})
    assert standing(api, invoice) == ("Partially Paid", 1, 99)


def test_the_sums_of_an_invoice_are_the_servers(api):
    invoice = bill(api, total_amount=1, received_payment=100, closing_balance=0)
    api.put(f"/api/v1/invoices/{invoice['id']}", json={"total_amount": 1, "closing_balance": 0, "discount_value": 99})
    found = read(api, "invoices", invoice)["attributes"]
    assert (found["total_amount"], found["closing_balance"], found["discount_value"]) == (100, 100, None)


# Payments -------------------------------------------------------------------------------------------------------------


def test_payments_lower_what_is_left_until_the_invoice_is_paid(api):
    invoice = bill(api, 100)
    first = pay(api, 33.33, invoice)
    assert standing(api, invoice) == ("Partially Paid", 33.33, 66.67)
    assert weight(api, first) == (0, 33.33, 0)
    pay(api, 66.67, invoice)
    assert standing(api, invoice) == ("Paid", 100, 0)
    assert [found["amount"] for found in read(api, "invoices", invoice)["attributes"]["transactions"]] == [33.33, 66.67]


def test_more_than_is_left_is_refused_and_changes_nothing(api):
    invoice = bill(api, 100)
    pay(api, 60, invoice)
    body = {"customer_id": ADA, "amount": 40.01, "invoice_id": invoice["id"]}
    assert set(errors(api.post("/api/v1/transactions", json=body))) == {"amount"}
    assert standing(api, invoice) == ("Partially Paid", 60, 40)
    assert len(api.get(f"/api/v1/invoices/{invoice['id']}/link/transactions").json()["data"]) == 1


@pytest.mark.parametrize("status", ["Draft", "Paid"])
def test_an_invoice_that_is_not_to_be_paid_takes_no_payment(api, status):
    invoice = bill(api, status="draft") if status == "Draft" else read(api, "invoices", JANUARY)
    body = {"customer_id": ADA, "amount": 1, "invoice_id": invoice["id"]}
    assert errors(api.post("/api/v1/transactions", json=body))["invoice_id"][0].endswith(
        f"is {status}, not to be paid."
    )


def test_a_payment_without_an_invoice_waits_unapplied(api):
    payment = pay(api, 12.5, cash_or_card="Cash")
    assert (payment["attributes"]["status"], payment["attributes"]["type"]) == ("Paid", "Payment")
    assert payment["attributes"]["date"] == f"{TODAY}T10:21:00Z"
    assert weight(api, payment) == (0, 12.5, 12.5)


@pytest.mark.parametrize("status", ["pending", "Failed", "declined", "Processing"])
def test_what_is_not_paid_counts_for_nothing(api, status):
    invoice = bill(api)
    payment = pay(api, 40, invoice, status=status)
    assert payment["attributes"]["status"] == status.title()
    assert weight(api, payment) == (0, 0, 0)
    assert standing(api, invoice) == ("Due", 0, 100)


def test_a_payment_counts_once_it_is_paid_and_no_more_once_it_is_not(api):
    invoice = bill(api)
    payment = pay(api, 100, invoice, status="pending")
    path = f"/api/v1/transactions/{payment['id']}"
    assert api.put(path, json={"status": "paid"}).json()["data"]["attributes"]["status"] == "Paid"
    assert standing(api, invoice) == ("Paid", 100, 0)
    api.put(path, json={"status": "failed"})
    assert standing(api, invoice) == ("Due", 0, 100)


def test_a_payment_cannot_become_paid_where_the_invoice_has_no_room(api):
    invoice = bill(api)
    late = pay(api, 100, invoice, status="pending")
    pay(api, 50, invoice)
    answer = api.put(f"/api/v1/transactions/{late['id']}", json={"status": "paid"})
    assert set(errors(answer)) == {"status"}
    assert standing(api, invoice) == ("Partially Paid", 50, 50)


def test_a_card_is_charged_and_a_bad_one_declined(api):
    invoice = bill(api)
    paid = pay(api, 100, invoice, payment_method_id=CARD)["attributes"]
    assert (paid["status"], paid["cash_or_card"], paid["decline_reason"]) == ("Paid", "Card", None)
    other = bill(api, customer=BASIL)
    refused = pay(api, 100, other, payment_method_id=DECLINED, customer_id=BASIL)["attributes"]
    assert (refused["status"], refused["reason_code"], refused["balance"]) == ("Declined", "declined", 0)
    assert (standing(api, invoice)[0], standing(api, other)[0]) == ("Paid", "Due")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"payment_method_id": DECLINED}, "payment_method_id"),
        ({"payment_method_id": NOBODY}, "payment_method_id"),
        ({"customer_id": BASIL, "invoice_id": "the invoice"}, "invoice_id"),
        ({"amount": 0}, "amount"),
        ({"amount": -5}, "amount"),
        ({"amount": "much"}, "amount"),
    ],
)
def test_a_payment_with_what_is_somebody_elses_or_no_amount_is_refused(api, wrong, field):
    if "invoice_id" in wrong:
        wrong = {**wrong, "invoice_id": bill(api)["id"]}
    assert set(errors(api.post("/api/v1/transactions", json={"customer_id": ADA, "amount": 5, **wrong}))) == {field}


def test_an_amount_is_rounded_to_the_coin(api):
    assert pay(api, 10.005)["attributes"]["amount"] == 10.01


def test_a_deleted_payment_is_owed_again(api):
    invoice = bill(api)
    payments = [pay(api, amount, invoice) for amount in (30, 70)]
    api.delete(f"/api/v1/transactions/{payments[0]['id']}")
    assert standing(api, invoice) == ("Partially Paid", 70, 30)
    api.post("/api/v1/transactions/bulk-delete", params={"ids": [payments[1]["id"]]})
    assert standing(api, invoice) == ("Due", 0, 100)


def test_a_deleted_invoice_sets_its_payments_and_credit_free(api):
    invoice = bill(api)
    paid, open_one = pay(api, 30, invoice), pay(api, 5, invoice, status="pending")
    api.delete(f"/api/v1/invoices/{invoice['id']}")
    assert weight(api, paid) == (0, 30, 30)
    assert [read(api, "transactions", one)["relationships"]["invoice_id"] for one in (paid, open_one)] == [None, None]
    api.delete(f"/api/v1/invoices/{JANUARY}")
    note = read(api, "credit-notes", CREDIT)
    assert (note["attributes"]["status"], note["attributes"]["balance"]) == ("Unallocated", 10)
    assert note["relationships"]["invoice_id"] is None


# Refunds --------------------------------------------------------------------------------------------------------------


def test_refunds_add_up_and_are_owed_again(api):
    invoice = bill(api)
    payment = pay(api, 100, invoice)
    made = refund(api, payment, 30, payment_method="Cheque", description="Half was torn.")
    found = made["attributes"]
    assert (found["type"], found["status"], found["amount"], found["cash_or_card"]) == ("Refund", "Paid", 30, "Cheque")
    assert made["relationships"]["reference_transaction_id"]["id"] == payment["id"]
    assert weight(api, payment) == (30, 70, 0)
    assert standing(api, invoice) == ("Partially Paid", 70, 30)
    refund(api, payment, 70)
    assert weight(api, payment) == (100, 0, 0)
    assert standing(api, invoice) == ("Due", 0, 100)
    assert [found["amount"] for found in api.get(f"/api/v1/transactions/{payment['id']}/link/transactions").json()["data"]] == [30, 70]  # fmt: skip


def test_never_more_goes_back_than_was_paid(api):
    payment = pay(api, 10)
    refund(api, payment, 9.99)
    answer = api.post(f"/api/v1/refund/{payment['id']}", json={"amount": 0.02})
    assert (answer.status_code, answer.json()) == (409, {"message": "Of the Transaction 0.01 is left to refund."})
    assert weight(api, payment) == (9.99, 0.01, 0.01)
    refund(api, payment, 0.01)
    assert weight(api, payment) == (10, 0, 0)


def test_only_what_was_paid_is_refunded(api):
    made = refund(api, pay(api, 10), 1)
    for key in (CHEQUE, made["id"]):
        answer = api.post(f"/api/v1/refund/{key}", json={"amount": 1})
        assert (answer.status_code, set(answer.json())) == (409, {"message"})
    assert api.post(f"/api/v1/refund/{NOBODY}", json={"amount": 1}).status_code == 404
    assert set(errors(api.post(f"/api/v1/refund/{CHEQUE}", json={}))) == {"amount"}


def test_a_payment_that_was_refunded_stays_paid(api):
    payment = pay(api, 10)
    refund(api, payment, 1)
    answer = api.put(f"/api/v1/transactions/{payment['id']}", json={"status": "failed"})
    assert (answer.status_code, read(api, "transactions", payment)["attributes"]["status"]) == (400, "Paid")


def test_a_refund_that_fails_or_goes_leaves_the_payment_whole(api):
    invoice = bill(api)
    payment = pay(api, 100, invoice)
    made = refund(api, payment, 30)
    api.put(f"/api/v1/transactions/{made['id']}", json={"status": "failed"})
    assert (weight(api, payment), standing(api, invoice)) == ((0, 100, 0), ("Paid", 100, 0))
    refund(api, payment, 80)
    again = api.put(f"/api/v1/transactions/{made['id']}", json={"status": "paid"})
    assert again.status_code == 400
    api.delete(f"/api/v1/transactions/{payment['id']}")
    assert api.get(f"/api/v1/transactions/{made['id']}").status_code == 404
    assert standing(api, invoice) == ("Due", 0, 100)


def test_an_invoice_is_overdue_when_its_due_date_is_over_and_again_once_a_payment_goes_back(flow, api):
    invoice, early = bill(api, due_date="2026-04-20"), bill(api, due_date="2026-04-20")
    payment = pay(api, 100, early)
    flow.control.post("/clock", json={"to": "2026-04-20T23:59:59Z"})
    assert (standing(api, invoice)[0], standing(api, early)[0]) == ("Due", "Paid")
    flow.control.post("/clock", json={"to": "2026-04-21T00:00:00Z"})
    assert (standing(api, invoice)[0], standing(api, early)[0]) == ("Overdue", "Paid")
    refund(api, payment, 40)
    assert standing(api, early) == ("Overdue", 60, 40)
    pay(api, 40, early)
    assert standing(api, early) == ("Paid", 100, 0)


def test_a_due_date_that_moves_moves_the_day_on_which_an_invoice_is_overdue(flow, api):
    invoice = bill(api, due_date="2026-04-20")
    api.put(f"/api/v1/invoices/{invoice['id']}", json={"due_date": "2026-04-25"})
    flow.control.post("/clock", json={"to": "2026-04-25T12:00:00Z"})
    assert standing(api, invoice)[0] == "Due"
    flow.control.post("/clock", json={"to": "2026-04-26T00:00:00Z"})
    assert standing(api, invoice)[0] == "Overdue"


@pytest.mark.parametrize("due", ["9999-12-31", "0001-01-01", "2026-04-12"])
def test_a_due_date_beyond_the_calendar_or_over_already_is_served(api, due):
    assert bill(api, due_date=due)["attributes"]["status"] == "Due"


@settings(max_examples=40, deadline=None)
@given(steps=st.lists(st.tuples(st.sampled_from("prd"), st.integers(1, 5000), st.integers(0, 4)), max_size=12))
def test_whatever_is_paid_refunded_and_deleted_the_sums_agree(applications, steps):
    _, transport = applications("subscriptionflow", inferred=True)
    headers = {"X-Mock-World": f"sums-{next(WORLDS)}", "Authorization": "Bearer sf-sandbox-demo"}
    api = httpx.Client(transport=transport, base_url="http://sandbox.example.com/subscriptionflow", headers=headers)
    invoice = bill(api, 100)
    payments: list[Any] = []
    for step, cents, number in steps:
        if step == "p":
            body = {"customer_id": ADA, "amount": cents / 100, "invoice_id": invoice["id"]}
            answer = api.post("/api/v1/transactions", json=body)
            if answer.status_code == 201:
                payments.append(answer.json()["data"])
        elif payments:
            payment = payments[number % len(payments)]
            if step == "r":
                api.post(f"/api/v1/refund/{payment['id']}", json={"amount": cents / 100})
            else:
                payments.remove(payment)
                assert api.delete(f"/api/v1/transactions/{payment['id']}").status_code == 204
    found = read(api, "invoices", invoice)["attributes"]
    signs = {"Payment": 1, "Refund": -1}
    received = sum(signs[one["type"]] * Decimal(str(one["amount"])) for one in found["transactions"])
    assert Decimal(str(found["received_payment"])) == received
    assert Decimal(str(found["closing_balance"])) == 100 - received
    assert 0 <= received <= 100
    assert found["status"] == ("Paid" if received == 100 else "Partially Paid" if received else "Due")
    for payment in payments:
        back, rest, _ = weight(api, payment)
        assert Decimal(str(back)) + Decimal(str(rest)) == Decimal(str(payment["attributes"]["amount"]))


# Credit notes ---------------------------------------------------------------------------------------------------------


def test_a_credit_note_waits_and_can_be_taken_back(api):
    note = post(api, "credit-notes", {"customer_id": BASIL, "amount": 7.25})
    assert (note["attributes"]["status"], note["attributes"]["balance"]) == ("Unallocated", 7.25)
    assert note["attributes"]["currency"] == "EUR"
    path = f"/api/v1/credit-notes/{note['id']}"
    taken = api.put(path, json={"status": "cancelled"}).json()["data"]["attributes"]
    assert (taken["status"], taken["balance"], taken["amount"]) == ("Cancelled", 0, 7.25)


@pytest.mark.parametrize("how", ["cancelled", "deleted"])
def test_what_a_credit_note_no_longer_covers_is_owed_again(api, how):
    assert standing(api, JANUARY) == ("Paid", 0, 0)
    if how == "cancelled":
        api.put(f"/api/v1/credit-notes/{CREDIT}", json={"status": "Cancelled"})
    else:
        api.delete(f"/api/v1/credit-notes/{CREDIT}")
    assert standing(api, JANUARY) == ("Due", 0, 10)


# Payment methods ------------------------------------------------------------------------------------------------------

ANOTHER = {
    "parent_id": ADA,
    "parent_type": "Customer",
    "last_name": "Example",
    "gateway_name": "stripe",
    "payment_method_id": "pm_sandbox_other",
    "customer_profile_id": "cus_sandbox_ada",
}


def defaults(client) -> list[str]:
    found = client.get("/api/v1/payment-methods").json()["data"]
    return [method["payment_method_id"] for method in found if method["default"]]


def test_a_payment_method_comes_as_one_resource_and_is_listed(api):
    data = post(api, "payment-methods", ANOTHER)
    assert (data["type"], data["attributes"]["status"], data["attributes"]["default"]) == (
        "payment_methods",
        "Active",
        0,
    )
    assert data["relationships"]["parent_id"]["id"] == ADA
    page = api.get("/api/v1/payment-methods").json()
    assert (page["data"][-1]["id"], page["meta"]["total"]) == (data["id"], 3)
    assert "parent_id" not in page["data"][-1]


@pytest.mark.parametrize("default", [True, 1])
def test_a_customer_has_one_default_at_most(api, default):
    assert defaults(api) == ["pm_sandbox_visa", "pm_sandbox_declined_card"]
    key = post(api, "payment-methods", ANOTHER)["id"]
    answer = api.post(f"/api/v1/payment-methods/{key}", json={"default": default})
    assert (answer.status_code, answer.json()["data"]["attributes"]["default"]) == (200, 1)
    assert defaults(api) == ["pm_sandbox_declined_card", "pm_sandbox_other"]
    post(api, "payment-methods", {**ANOTHER, "payment_method_id": "pm_sandbox_third", "default": 1})
    assert defaults(api) == ["pm_sandbox_declined_card", "pm_sandbox_third"]


def test_a_payment_method_that_is_off_is_no_default_and_is_not_charged(api):
    answer = api.post(f"/api/v1/payment-methods/{CARD}", data={"status": "Inactive"})
    assert answer.json()["data"]["attributes"]["default"] == 0
    assert set(errors(api.post(f"/api/v1/payment-methods/{CARD}", json={"default": True}))) == {"default"}
    body = {"customer_id": ADA, "amount": 1, "payment_method_id": CARD}
    assert set(errors(api.post("/api/v1/transactions", json=body))) == {"payment_method_id"}
    both = api.post(f"/api/v1/payment-methods/{CARD}", data={"default": "true", "status": "Active"})
    assert both.json()["data"]["attributes"]["default"] == 1


def test_an_update_of_a_payment_method_needs_something_to_change(api):
    assert set(errors(api.post(f"/api/v1/payment-methods/{CARD}", json={"shoe_size": 44}))) == {"default"}
    assert api.post(f"/api/v1/payment-methods/{CARD}", json={}).status_code == 422
    assert api.post(f"/api/v1/payment-methods/{NOBODY}", json={"default": True}).status_code == 404


def test_every_field_that_a_payment_method_lacks_is_named(api):
    assert set(errors(api.post("/api/v1/payment-methods", json={}))) == set(ANOTHER)
    assert set(errors(api.post("/api/v1/payment-methods", json={**ANOTHER, "parent_id": CLEO}))) == {"parent_id"}
