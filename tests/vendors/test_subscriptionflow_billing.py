"""SubscriptionFlow's billing: days that do not drift, sums that add up to the last cent, whatever happens on the way."""

from __future__ import annotations

import calendar
import itertools
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from mock_server.clock import LAST
from mock_server.durations import Duration
from mock_server.vendors.subscriptionflow import charges, pricing, terms

TODAY = "2026-04-13"
ADA, BASIL = "c0000000-0000-4000-8000-000000000001", "c0000000-0000-4000-8000-000000000002"
MAGAZINE = "b0000000-0000-4000-8000-000000000001"
MONTHLY, YEARLY = "d0000000-0000-4000-8000-000000000001", "d0000000-0000-4000-8000-000000000002"
MONTHLY_FEE = "f0000000-0000-4000-8000-000000000001"
DORA = {"name": "Dora Example", "email": "dora@example.com"}
ITEMS = [{"plan_id": MONTHLY, "product_id": MAGAZINE}]
EVERGREEN = {"type": "Evergreen", "order_date": TODAY, "trigger_dates": TODAY, "items": ITEMS}
DAYS = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)).map(lambda at: terms.midnight(at.replace(tzinfo=UTC)))
LENGTHS = st.one_of(
    st.integers(1, 24).map(lambda n: Duration(months=n)), st.integers(1, 400).map(lambda n: Duration(days=n))
)


def advance(flow, duration: str) -> None:
    answer = flow.control.post("/clock", json={"advance": duration})
    assert answer.status_code == 200, answer.text


def customer(api, **fields: Any) -> str:
    answer = api.post("/api/v1/customers", json={**DORA, **fields})
    assert answer.status_code == 201, answer.text
    key: str = answer.json()["data"]["id"]
    return key


def subscribed(api, owner: str, **fields: Any) -> str:
    answer = api.post("/api/v1/subscriptions", json={**EVERGREEN, "customer_id": owner, **fields})
    assert answer.status_code == 201, answer.text
    key: str = answer.json()["data"]["id"]
    return key


def moved(api, path: str, **body: Any) -> None:
    answer = api.post(f"/api/v1/{path}", json=body)
    assert answer.status_code == 201, answer.text


def invoices(api, key: str) -> list[Any]:
    """The subscription's invoices, with their items."""
    found = api.get(f"/api/v1/subscriptions/{key}/link/invoices").json()["data"]
    return [api.get(f"/api/v1/invoices/{one['id']}").json()["data"]["attributes"] for one in found]


def credited(api, owner: str) -> list[Any]:
    found: list[Any] = api.get(f"/api/v1/customers/{owner}/link/credit-notes").json()["data"]
    return found


def lines(invoice: Any) -> list[tuple[Any, ...]]:
    return [
        (charge["name"], charge["service_from"], charge["service_to"], charge["total_amount"])
        for item in invoice["items"]
        for charge in item["charges"]
    ]


def price(api, **fields: Any) -> tuple[str, str]:
    """A plan of its own with one price: the keys of both."""
    plan = api.post("/api/v1/plans", json={"name": "Own", "product_id": MAGAZINE}).json()["data"]["id"]
    body = {"plan_id": plan, "name": "Own price", "category": "recurring", "charge_model": "per_unit", **fields}
    answer = api.post("/api/v1/plan-prices", json=body)
    assert answer.status_code == 201, answer.text
    return plan, answer.json()["data"]["id"]


# Days -----------------------------------------------------------------------------------------------------------------


@given(LENGTHS, DAYS, st.integers(0, 40_000))
def test_every_day_lies_in_the_period_of_its_number(length, anchor, days):
    today = anchor + timedelta(days=days)
    number = terms.index(length, anchor, today)
    begins, ends = terms.nth(length, anchor, number), terms.nth(length, anchor, number + 1)
    assert begins <= today < ends


@given(DAYS, st.integers(0, 2000))
def test_the_end_of_a_month_comes_back_wherever_there_is_one(anchor, number):
    found = terms.nth(terms.MONTH, anchor, number)
    assert found.day == min(anchor.day, calendar.monthrange(found.year, found.month)[1])


@given(DAYS, DAYS, st.integers(1, 36), st.integers(1, 36), st.sampled_from(["Day", "Week", "Month", "Year"]))
def test_a_term_that_renews_holds_today_and_the_one_before_does_not(begins, now, first, further, unit):
    record = {
        "type": "Termed",
        "is_auto_renew": 1,
        "termed_start_date": terms.written(begins),
        "termed_initial_period": first,
        "termed_initial_period_type": unit,
        "renewal_period": further,
        "renewal_period_type": unit,
    }
    ends = terms.term_end(record, now)
    assert ends > now
    if unit in ("Month", "Year") and ends.day != begins.day:
        assert ends.day == calendar.monthrange(ends.year, ends.month)[1] < begins.day
    event("first term" if ends == terms.duration(unit, first).after(begins) else "further term")


def test_days_beyond_the_calendar_never_come():
    last = datetime(9999, 12, 31, tzinfo=UTC)
    assert terms.nth(terms.MONTH, last, 1) is None
    assert terms.nth(Duration(months=2**31), last, 2**31) is None
    assert terms.MONTH.after(last) == LAST


# Money ----------------------------------------------------------------------------------------------------------------


@given(st.integers(0, 10**12), LENGTHS, DAYS, st.lists(st.integers(0, 800), max_size=5))
def test_however_a_period_is_cut_its_parts_add_up_to_the_whole(whole, length, starts, cuts):
    ends = length.after(starts)
    days = (ends - starts).days
    points = sorted({0, days, *(cut for cut in cuts if cut < days)})
    moments = [starts + timedelta(days=point) for point in points]
    parts = [charges.part(whole, starts, ends, a, b) for a, b in itertools.pairwise(moments)]
    assert sum(parts) == whole
    assert all(part >= 0 for part in parts)


@given(st.decimals(0, 10**6, places=2), st.decimals(0, 1000, places=3), st.sampled_from(["USD", "JPY", "KWD"]))
def test_a_quantity_costs_its_price_rounded_once(unit, quantity, currency):
    digits = {"USD": 2, "JPY": 0, "KWD": 3}[currency]
    exact = unit * quantity * 10**digits
    assert abs(pricing.cost(unit, quantity, None, "per_unit", currency) - exact) <= Decimal("0.5")


TIERS = [
    {"qty_from": "1", "qty_to": "10", "list_price": {"USD": "2"}},
    {"qty_from": "11", "qty_to": "20", "list_price": {"USD": "1.50"}},
    {"qty_from": "21", "qty_to": None, "list_price": {"USD": "1"}},
]


@pytest.mark.parametrize(
    ("model", "quantity", "cents"),
    [
        ("tiered", 0, 0), ("tiered", 10, 2000), ("tiered", 11, 2150), ("tiered", 25, 4000), ("tiered", "10.5", 2075),
        ("volume", 10, 2000), ("volume", 11, 1650), ("volume", 25, 2500),
    ],
)  # fmt: skip
def test_tiers_are_taken_one_after_the_other_or_by_volume(model, quantity, cents):
    assert pricing.cost(None, Decimal(quantity), {"tiered_pricing": TIERS}, model, "USD") == cents


@given(st.integers(0, 500), st.integers(0, 500))
def test_more_never_costs_less_in_tiers_that_are_taken_one_after_the_other(one, other):
    few, many = sorted((one, other))
    costs = [pricing.cost(None, Decimal(n), {"tiered_pricing": TIERS}, "tiered", "USD") for n in (few, many)]
    assert costs == sorted(costs)


@pytest.mark.parametrize("text", ["", "abc", "NaN", "-1", "Infinity", "1e400000", "9" * 400, None, True])
def test_what_is_no_number_is_no_price(text):
    assert pricing.number(text) is None
    assert pricing.listed({"USD": text}, "USD") is None


# Invoices -------------------------------------------------------------------------------------------------------------


def test_each_month_is_billed_in_advance_from_the_end_of_january(flow, api):
    key = subscribed(api, customer(api), order_date="2026-01-31", trigger_dates="2026-01-31")
    advance(flow, "P3M")
    assert [lines(invoice) for invoice in invoices(api, key)] == [
        [("Monthly fee", "2026-03-31", "2026-04-29", 10)],
        [("Monthly fee", "2026-04-30", "2026-05-30", 10)],
        [("Monthly fee", "2026-05-31", "2026-06-29", 10)],
        [("Monthly fee", "2026-06-30", "2026-07-30", 10)],
    ]


def test_one_ordered_in_the_year_one_is_billed_for_the_period_that_holds_today(api):
    key = subscribed(api, customer(api), order_date="0001-01-31", trigger_dates="0001-01-31")
    (invoice,) = invoices(api, key)
    assert lines(invoice) == [("Monthly fee", "2026-03-31", "2026-04-29", 10)]


def test_a_price_of_once_stands_on_the_first_invoice_only(flow, api):
    key = subscribed(api, customer(api), items=[{"plan_id": YEARLY, "product_id": MAGAZINE}])
    advance(flow, "P1Y")
    assert [lines(invoice) for invoice in invoices(api, key)] == [
        [("Yearly fee", "2026-04-13", "2027-04-12", 100), ("Welcome parcel", "2026-04-13", None, 20)],
        [("Yearly fee", "2027-04-13", "2028-04-12", 100)],
    ]


def test_nothing_is_billed_in_a_trial(flow, api):
    key = subscribed(api, customer(api), trial_period=1, trial_period_unit="months")
    assert invoices(api, key) == []
    advance(flow, "P1M")
    assert [lines(invoice) for invoice in invoices(api, key)] == [[("Monthly fee", "2026-05-13", "2026-06-12", 10)]]


def test_a_term_that_cuts_a_period_short_is_billed_by_days(flow, api):
    term = {
        "type": "Termed",
        "termed_start_date": TODAY,
        "termed_initial_period": 45,
        "termed_initial_period_type": "day",
        "renewal_type": "Renew with Specific Term",
    }
    key = subscribed(api, customer(api), **term)
    advance(flow, "P3M")
    assert [lines(invoice) for invoice in invoices(api, key)] == [
        [("Monthly fee", "2026-04-13", "2026-05-12", 10)],
        [("Monthly fee", "2026-05-13", "2026-05-27", 4.84)],
    ]


def test_what_is_in_arrears_is_billed_when_the_period_is_over(flow, api):
    plan, _ = price(
        api, list_price={"USD": "3"}, billing_period_id=6, billing_period_months_weeks=2, billing_timming="in_arrears"
    )
    key = subscribed(api, customer(api), items=[{"plan_id": plan, "product_id": MAGAZINE}])
    assert invoices(api, key) == []
    advance(flow, "P14D")
    assert [lines(invoice) for invoice in invoices(api, key)] == [[("Own price", "2026-04-13", "2026-04-26", 3)]]
    advance(flow, "P7D")
    moved(api, f"cancel-subscription/{key}", cancellation_option="Today")
    assert lines(invoices(api, key)[-1]) == [("Own price", "2026-04-27", "2026-05-03", 1.5)]


def test_usage_is_billed_once_after_the_period_it_fell_in(flow, api):
    plan, own = price(api, category="usage", list_price={"USD": "0.05"}, included_units="100", billing_period_id=1)
    owner = customer(api)
    key = subscribed(api, owner, items=[{"plan_id": plan, "product_id": MAGAZINE}])
    for quantity, day in ((150, "2026-04-20"), (75.5, "2026-05-01"), (10, "2026-05-20")):
        body = {"subscription_id": key, "charge_id": own, "quantity": quantity, "start_date": day, "end_date": day}
        moved(api, "usages", name="Reads", **body)
    advance(flow, "P1M")
    (invoice,) = invoices(api, key)
    assert lines(invoice) == [("Own price", "2026-04-13", "2026-05-12", 6.28)]
    used = api.get(f"/api/v1/subscriptions/{key}/link/usages").json()["data"]
    assert [(usage["status"], usage["invoice_id"]) for usage in used] == [
        ("Processed", invoice["id"]), ("Processed", invoice["id"]), ("Pending", None)
    ]  # fmt: skip
    advance(flow, "P1M")
    assert lines(invoices(api, key)[-1]) == [("Own price", "2026-05-13", "2026-06-12", 0)]


def test_a_cancelled_subscription_is_credited_for_the_days_that_are_left(flow, api):
    owner = customer(api)
    key = subscribed(api, owner)
    advance(flow, "P10D")
    moved(api, f"cancel-subscription/{key}", cancellation_option="Today")
    (invoice,), (credit,) = invoices(api, key), credited(api, owner)
    assert (credit["amount"], credit["status"], credit["balance"]) == (6.67, "Allocated", 0)
    assert (invoice["sum_of_credit_notes"], invoice["closing_balance"], invoice["status"]) == (6.67, 3.33, "Due")


def test_a_credit_for_what_was_paid_is_kept_for_the_customer(flow, api):
    key = subscribed(api, ADA, pay_invoice=True)
    moved(api, f"cancel-subscription/{key}", cancellation_option="Today")
    (invoice,) = invoices(api, key)
    assert (invoice["status"], invoice["closing_balance"]) == ("Paid", 0)
    assert [(note["amount"], note["status"], note["balance"]) for note in credited(api, ADA)][-1] == (
        10,
        "Unallocated",
        10,
    )


def test_other_items_are_settled_on_one_invoice(flow, api):
    owner = customer(api)
    key = subscribed(api, owner)
    advance(flow, "P10D")
    dearer = [{**ITEMS[0], "charges": {MONTHLY_FEE: {"price": 40}}}]
    assert api.put(f"/api/v1/subscriptions/{key}", json={"items": dearer}).status_code == 202
    assert lines(invoices(api, key)[-1]) == [
        ("Monthly fee", "2026-04-23", "2026-05-12", -6.67), ("Monthly fee", "2026-04-23", "2026-05-12", 26.67)
    ]  # fmt: skip
    assert invoices(api, key)[-1]["total_amount"] == 20
    advance(flow, "P20D")
    assert lines(invoices(api, key)[-1]) == [("Monthly fee", "2026-05-13", "2026-06-12", 40)]


def test_items_that_stay_the_same_cost_nothing_more(flow, api):
    key = subscribed(api, customer(api))
    advance(flow, "P10D")
    assert api.put(f"/api/v1/subscriptions/{key}", json={"items": ITEMS}).status_code == 202
    assert len(invoices(api, key)) == 1
    advance(flow, "P20D")
    assert len(invoices(api, key)) == 2


def test_an_amount_is_in_the_customers_currency_to_its_smallest_coin(api):
    items = [{**ITEMS[0], "charges": {MONTHLY_FEE: {"price": 1234.56, "quantity": 3}}}]
    yen = subscribed(api, customer(api, currency="JPY"), items=items)
    (invoice,) = invoices(api, yen)
    assert (invoice["currency"], invoice["total_amount"]) == ("JPY", 3704)


# Payment --------------------------------------------------------------------------------------------------------------


def method(api, owner: str, name: str) -> None:
    moved(
        api, "payment-methods", parent_id=owner, parent_type="Customer", last_name="Example", gateway_name="stripe",
        payment_method_id=name, customer_profile_id="cus_sandbox", default=1,
    )  # fmt: skip


def paid(api, key: str) -> list[tuple[str, int | float]]:
    return [(invoice["status"], invoice["closing_balance"]) for invoice in invoices(api, key)]


@pytest.mark.parametrize(
    ("fields", "asked", "first", "second"),
    [
        ({"auto_charge": 1}, True, "Paid", "Paid"),
        ({"auto_charge": 1}, False, "Due", "Paid"),
        ({"auto_charge": 0}, True, "Due", "Due"),
        ({}, True, "Due", "Due"),
    ],
)
def test_a_customer_is_charged_who_is_charged_by_themselves(flow, api, fields, asked, first, second):
    owner = customer(api, **fields)
    method(api, owner, "pm_sandbox_visa")
    key = subscribed(api, owner, pay_invoice=asked)
    advance(flow, "P1M")
    assert [status for status, _ in paid(api, key)] == [first, second]
    status = api.get(f"/api/v1/subscriptions/{key}").json()["data"]["attributes"]["payment_status"]
    assert status == ("Paid" if second == "Paid" else "Pending")


def test_nobody_is_charged_without_a_payment_method(api):
    key = subscribed(api, customer(api, auto_charge=1), pay_invoice=True)
    assert paid(api, key) == [("Due", 10)]


def test_a_charge_that_is_declined_leaves_the_invoice_to_be_paid(flow, api):
    owner = customer(api, auto_charge=1, terms="Net 5")
    method(api, owner, "pm_sandbox_declined_card")
    key = subscribed(api, owner, pay_invoice=True)
    (tried,) = api.get(f"/api/v1/customers/{owner}/link/transactions").json()["data"]
    assert (tried["status"], tried["reason_code"], tried["amount"]) == ("Declined", "declined", 10)
    assert paid(api, key) == [("Due", 10)]
    advance(flow, "P6D")
    assert paid(api, key) == [("Overdue", 10)]

    (invoice,) = invoices(api, key)
    moved(
        api, "transactions", customer_id=owner, invoice_id=invoice["id"], amount=10, status="paid", cash_or_card="Cash"
    )
    assert paid(api, key) == [("Paid", 0)]
    assert api.get(f"/api/v1/subscriptions/{key}").json()["data"]["attributes"]["payment_status"] == "Paid"


def test_an_invoice_without_terms_of_payment_is_never_overdue(flow, api):
    key = subscribed(api, customer(api), billing_end_date="2026-05-13")
    advance(flow, "P1Y")
    assert paid(api, key) == [("Due", 10)]


@pytest.mark.parametrize("text", ["abc", "1e400000", "-5"])
def test_a_price_that_is_no_number_costs_nothing(api, text):
    plan, _ = price(api, list_price={"USD": text}, default_quantity=text, included_units=text)
    key = subscribed(api, customer(api), items=[{"plan_id": plan, "product_id": MAGAZINE}])
    assert paid(api, key) == [("Paid", 0)]


def test_what_costs_nothing_is_paid(api):
    key = subscribed(api, customer(api), items=[{**ITEMS[0], "charges": {MONTHLY_FEE: {"price": 0}}}])
    assert paid(api, key) == [("Paid", 0)]


# All together ---------------------------------------------------------------------------------------------------------

STEPS = st.lists(
    st.tuples(st.integers(0, 45), st.sampled_from(["suspend", "resume", "reprice", "nothing"])), min_size=1, max_size=6
)


def cents(amount: float) -> int:
    found = Decimal(str(amount)) * 100
    assert found == int(found)
    return int(found)


def cost(unit: int, anchor: date, since: date, until: date) -> Decimal:
    """What the days in between cost at a price by the month, unrounded."""
    total, number = Decimal(0), 0
    start = datetime(anchor.year, anchor.month, anchor.day, tzinfo=UTC)
    while True:
        begins, ends = terms.nth(terms.MONTH, start, number).date(), terms.nth(terms.MONTH, start, number + 1).date()
        if begins >= until:
            return total
        days = (min(ends, until) - max(begins, since)).days
        total += Decimal(unit * max(days, 0)) / (ends - begins).days
        number += 1


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, ordered=st.dates(date(2026, 1, 28), date(2026, 4, 13)), unit=st.sampled_from([999, 1000, 3333, 1]))
def test_what_is_billed_less_what_is_credited_is_what_was_in_service(sandbox, steps, ordered, unit):
    flow = sandbox("subscriptionflow")
    api, owner, today = flow.api, customer(flow.api), date(2026, 4, 13)
    priced = {MONTHLY_FEE: {"price": unit / 100}}
    key = subscribed(
        api, owner, order_date=str(ordered), trigger_dates=str(ordered), items=[{**ITEMS[0], "charges": priced}]
    )
    start = datetime(ordered.year, ordered.month, ordered.day, tzinfo=UTC)
    noon = datetime(today.year, today.month, today.day, tzinfo=UTC)
    # The period that holds the day of the order is billed whole.
    since, due, active = terms.nth(terms.MONTH, start, terms.index(terms.MONTH, start, noon)).date(), Decimal(0), True
    for days, step in [*steps, (0, "cancel")]:
        advance(flow, f"P{days}D") if days else None
        today += timedelta(days=days)
        if active and step in ("suspend", "reprice", "cancel"):
            due += cost(unit, ordered, since, today)
            since = today
        if step == "reprice" and active:
            unit += 250
            body = {"items": [{**ITEMS[0], "charges": {MONTHLY_FEE: {"price": unit / 100}}}]}
            assert api.put(f"/api/v1/subscriptions/{key}", json=body).status_code == 202
        elif step == "suspend" and active:
            moved(api, f"subscriptions/{key}/suspend", suspension_option="Today")
            active = False
        elif step == "resume" and not active:
            moved(api, f"subscriptions/{key}/resume", resume_option="Today")
            since, active = today, True
        elif step == "cancel":
            moved(api, f"cancel-subscription/{key}", cancellation_option="Today")
    found = invoices(api, key)
    billed = sum(cents(invoice["total_amount"]) for invoice in found)
    given_back = sum(cents(note["amount"]) for note in credited(api, owner))
    assert abs(billed - given_back - due) <= len(steps) + 1, "a cent at the most for each cut"
    for invoice in found:
        assert sum(cents(amount) for *_, amount in lines(invoice)) == cents(invoice["total_amount"])
        left = (
            cents(invoice["total_amount"]) - cents(invoice["sum_of_credit_notes"]) - cents(invoice["received_payment"])
        )
        assert cents(invoice["closing_balance"]) == left >= 0
    event(f"{len(found)} invoices")


def test_ten_years_are_billed_to_the_day_and_the_same_twice(sandbox):
    answers = []
    for _ in range(2):
        flow = sandbox("subscriptionflow")
        key = subscribed(flow.api, BASIL, order_date="2024-02-29", trigger_dates="2024-02-29")
        advance(flow, "P10Y")
        found = invoices(flow.api, key)
        assert len(found) == 121
        days = [date.fromisoformat(invoice["invoice_date"]) for invoice in found]
        assert all(day.day == min(29, calendar.monthrange(day.year, day.month)[1]) for day in days[1:])
        answers.append([(day, lines(invoice)) for day, invoice in zip(days, found, strict=True)])
    assert answers[0] == answers[1]
