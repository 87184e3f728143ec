"""SubscriptionFlow's subscriptions: their generic routes, and how calls and time move them from state to state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

TODAY = "2026-04-13"
NOW = f"{TODAY}T10:21:00Z"
ADA = "c0000000-0000-4000-8000-000000000001"
MAGAZINE = "b0000000-0000-4000-8000-000000000001"
MONTHLY = "d0000000-0000-4000-8000-000000000001"
BASIL = "c0000000-0000-4000-8000-000000000002"
CLUB, YEAR, PAUSED = (f"50000000-0000-4000-8000-00000000000{n}" for n in (1, 2, 3))
EVERGREEN = {
    "customer_id": ADA,
    "type": "evergreen",
    "order_date": TODAY,
    "trigger_dates": TODAY,
    "items": [{"plan_id": MONTHLY, "product_id": MAGAZINE}],
}
TERMED = {
    **EVERGREEN,
    "type": "Termed",
    "termed_start_date": TODAY,
    "termed_initial_period": 3,
    "termed_initial_period_type": "month",
    "renewal_type": "Renew with Specific Term",
    "renewal_period": 1,
    "renewal_period_type": "month",
}
OPTIONS = {
    "suspend": ("/api/v1/subscriptions/{key}/suspend", "suspension_option"),
    "resume": ("/api/v1/subscriptions/{key}/resume", "resume_option"),
    "cancel": ("/api/v1/cancel-subscription/{key}", "cancellation_option"),
}


@pytest.fixture
def wait(flow) -> Callable[[str], list[str]]:
    """`wait("P1M")` moves the clock and says what happened to subscriptions: day, name and state."""

    def move(duration: str) -> list[str]:
        answer = flow.control.post("/clock", json={"advance": duration})
        assert answer.status_code == 200, answer.text
        return [
            f"{happened['at'][:10]} {happened['name']} {happened['to']}"
            for happened in answer.json()["happened"]
            if happened["resource"] == "Subscription"
        ]

    return move


def subscribed(api, body: Any = EVERGREEN, **fields: Any) -> str:
    answer = api.post("/api/v1/subscriptions", json={**body, **fields})
    assert answer.status_code == 201, answer.text
    key: str = answer.json()["data"]["id"]
    return key


def shown(api, key: str) -> Any:
    return api.get(f"/api/v1/subscriptions/{key}").json()["data"]["attributes"]


def told(api, verb: str, key: str, option: str = "Today", **fields: Any) -> Any:
    """The answer to suspending, resuming or cancelling."""
    path, name = OPTIONS[verb]
    return api.post(path.format(key=key), data={name: option, **fields})


def states(api, key: str, *names: str) -> list[Any]:
    found = shown(api, key)
    return [found[name] for name in ("status", *names)]


# Generic routes -------------------------------------------------------------------------------------------------------


def test_a_list_with_relations_names_the_customer_and_leaves_the_items_out(api):
    page = api.get("/api/v1/subscriptions/with-relations").json()
    assert [(found["name"], found["customer_id"], "items" in found) for found in page["data"]] == [
        ("Reading club", ADA, False), ("One year", ADA, False), ("Paused", BASIL, False)
    ]  # fmt: skip
    assert page["meta"]["total"] == 3


def test_what_the_sandbox_waits_for_is_shown_nowhere(api):
    key = subscribed(api, TERMED, order_date="2026-05-01", trial_period=3)
    kept = {"begins_at", "trial_ends_at", "term_ends_at", "suspends_at", "cancels_at", "billed_from", "pay_invoice"}
    (flat,) = api.get("/api/v1/subscriptions/search", params={"status": "Pending"}).json()["data"]
    assert flat["id"] == key
    for found in (flat, shown(api, key), api.get("/api/v1/subscriptions").json()["data"][-1]):
        assert not kept & found.keys()


def test_subscriptions_are_searched_and_filtered_by_their_columns(api):
    key = subscribed(api, name="Third")
    found = api.get("/api/v1/subscriptions/search", params={"name": "Third"}).json()["data"]
    assert [record["id"] for record in found] == [key]
    asked = {"filter": {"type": {"$equals": "Evergreen"}, "status": {"$equals": "Active"}, "$sortorder": "desc"}}
    assert [record["id"] for record in api.post("/api/v1/subscriptions/filter", json=asked).json()["data"]] == [
        key,
        CLUB,
    ]


def test_several_subscriptions_are_deleted_at_once(api):
    answer = api.post("/api/v1/subscriptions/bulk-delete", params={"ids": [CLUB, "nobody"]})
    assert [found["id"] for found in answer.json()["data"]] == [CLUB]
    assert [found["id"] for found in api.get("/api/v1/subscriptions").json()["data"]] == [YEAR, PAUSED]


def test_a_deleted_subscription_lives_no_longer(api, wait):
    key = subscribed(api)
    assert api.delete(f"/api/v1/subscriptions/{key}").status_code == 204
    assert wait("P1Y") == []


def test_the_customer_is_a_relation_of_a_subscription(api):
    answer = api.get(f"/api/v1/subscriptions/{CLUB}/link/customers")
    assert [found["id"] for found in answer.json()["data"]] == [ADA]
    assert api.get("/api/v1/subscriptions/nobody/link/customers").status_code == 404


# Time -----------------------------------------------------------------------------------------------------------------


def test_what_is_seeded_waits_for_nothing(wait):
    assert wait("P10Y") == []


def test_an_order_ahead_begins_its_trial_and_then_its_service(api, wait):
    key = subscribed(api, order_date="2026-04-20", trigger_dates="2026-04-20", trial_period=10)
    assert states(api, key) == ["Pending"]
    assert wait("P7D") == ["2026-04-20 begin Trial"]
    assert wait("P10D") == ["2026-04-30 trial-end Active"]
    assert states(api, key, "next_bill_date") == ["Active", "2026-05-30"]


def test_a_trial_by_months_keeps_the_end_of_the_month(api, wait):
    key = subscribed(api, order_date="2026-04-30", trial_period=10, trial_period_unit="months")
    assert wait("P1Y")[:2] == ["2026-04-30 begin Trial", "2027-02-28 trial-end Active"]
    assert states(api, key) == ["Active"]


def test_a_term_is_followed_by_the_next_and_renewals_do_not_drift(api, wait):
    key = subscribed(
        api, TERMED, is_auto_renew=1, order_date="2026-01-31", trigger_dates="2026-01-31", termed_start_date="2026-01-31",
        termed_initial_period=1,
    )  # fmt: skip
    ends = [line.split()[0] for line in wait("P12M") if "term-end" in line]
    assert ends == [
        "2026-04-30", "2026-05-31", "2026-06-30", "2026-07-31", "2026-08-31", "2026-09-30", "2026-10-31", "2026-11-30",
        "2026-12-31", "2027-01-31", "2027-02-28", "2027-03-31",
    ]  # fmt: skip
    assert states(api, key, "renewed_at") == ["Active", "2027-03-31T00:00:00Z"]


def test_a_term_that_does_not_renew_expires_and_is_billed_no_more(api, wait):
    key = subscribed(api, TERMED)
    assert [line for line in wait("P2Y") if "bill" not in line] == ["2026-07-13 term-end Expired"]
    assert states(api, key, "next_bill_date") == ["Expired", None]


def test_a_renewal_may_be_longer_than_the_first_term(api, wait):
    key = subscribed(api, TERMED, is_auto_renew=1, renewal_period=2, renewal_period_type="year")
    assert [line for line in wait("P3Y") if "term-end" in line] == [
        "2026-07-13 term-end Active",
        "2028-07-13 term-end Active",
    ]
    assert states(api, key) == ["Active"]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"order_date": "0001-01-01", "trigger_dates": "0001-01-01"}, "Active"),
        ({"order_date": "2026-04-01", "trial_period": 20}, "Trial"),
        ({"order_date": "2026-04-01", "trial_period": 5}, "Active"),
        ({"order_date": "9999-12-31", "trigger_dates": "9999-12-31", "trial_period": 5}, "Pending"),
        ({**TERMED, "termed_start_date": "2020-01-31", "is_auto_renew": 1}, "Active"),
        ({**TERMED, "termed_start_date": "2020-01-31"}, "Expired"),
        ({"status": "draft"}, "Draft"),
    ],
)
def test_what_is_ordered_for_another_day_stands_where_it_would_stand_today(api, fields, status):
    assert states(api, subscribed(api, **fields)) == [status]


def test_a_draft_waits_for_someone_to_start_it(api, wait):
    key = subscribed(api, status="draft")
    assert wait("P1Y") == []
    assert api.put(f"/api/v1/subscriptions/{key}", json={"status": "active"}).status_code == 202
    assert states(api, key, "next_bill_date") == ["Active", "2027-05-13"]


# Suspending, resuming, cancelling -------------------------------------------------------------------------------------


def test_a_pause_ends_when_it_is_told_to(flow, api):
    key = subscribed(api)
    suspended = told(api, "suspend", key)
    assert suspended.status_code == 201
    found = suspended.json()["data"]["attributes"]
    assert (found["status"], found["suspended_at"], found["next_bill_date"]) == ("Suspended", NOW, None)
    flow.advance(days=2)
    assert told(api, "resume", key).json()["data"]["attributes"]["status"] == "Active"
    assert states(api, key, "resume_suspended_at", "next_bill_date") == ["Active", "2026-04-15T10:21:00Z", "2026-05-13"]


def test_a_pause_begins_and_ends_on_days_to_come(api, wait):
    key = subscribed(api)
    assert told(api, "suspend", key, "Specific Date", date="2026-05-20").status_code == 201
    assert states(api, key, "suspended_at") == ["Active", None]
    assert wait("P2M") == ["2026-05-13 bill Active", "2026-05-20 suspend Suspended"]
    told(api, "resume", key, "Specific Date", date="2026-08-01")
    assert states(api, key, "resume_suspended_at") == ["Suspended", "2026-08-01T00:00:00Z"]
    assert wait("P3M") == ["2026-08-01 resume Active", "2026-08-13 bill Active", "2026-09-13 bill Active"]


def test_a_pause_may_begin_when_what_was_billed_is_over(api, wait):
    key = subscribed(api)
    told(api, "suspend", key, "End of Last Invoice Period")
    assert states(api, key, "next_bill_date") == ["Active", None]
    assert wait("P1Y") == ["2026-05-13 suspend Suspended"]


def test_a_suspended_subscription_does_not_renew_and_catches_up_when_it_goes_on(api, wait):
    key = subscribed(api, TERMED, is_auto_renew=1)
    told(api, "suspend", key)
    assert wait("P4M") == []
    told(api, "resume", key)
    assert states(api, key, "renewed_at") == ["Active", "2026-08-13T10:21:00Z"]
    assert wait("P1M")[0] == "2026-09-13 term-end Active"


def test_a_term_that_ran_out_in_a_pause_is_over(api, wait):
    key = subscribed(api, TERMED)
    told(api, "suspend", key)
    wait("P1Y")
    assert told(api, "resume", key).json()["data"]["attributes"]["status"] == "Expired"


def test_a_trial_that_was_paused_goes_on_as_a_trial(api, wait):
    key = subscribed(api, trial_period=2, trial_period_unit="months")
    told(api, "suspend", key)
    wait("P1M")
    assert told(api, "resume", key).json()["data"]["attributes"]["status"] == "Trial"
    assert wait("P1M") == ["2026-06-13 trial-end Active"]


def test_a_subscription_is_cancelled_at_once_or_on_its_day(api, wait):
    at_once, later = subscribed(api), subscribed(api, TERMED, is_auto_renew=1)
    told(api, "cancel", at_once)
    told(api, "cancel", later, "End of Current Term")
    assert states(api, at_once, "cancelled_at", "next_bill_date") == ["Cancelled", NOW, None]
    assert states(api, later, "cancelled_at", "next_bill_date") == ["Active", None, "2026-05-13"]
    assert [line for line in wait("P1Y") if "bill" not in line] == ["2026-07-13 cancel Cancelled"]
    assert states(api, later, "cancelled_at") == ["Cancelled", "2026-07-13T00:00:00Z"]


@pytest.mark.parametrize("status", ["draft", "pending", "trial", "suspended"])
def test_whatever_has_not_ended_can_be_cancelled(api, status):
    key = subscribed(api, status=status)
    assert told(api, "cancel", key).status_code == 201
    assert states(api, key) == ["Cancelled"]


@pytest.mark.parametrize(
    ("status", "verb"),
    [
        ("draft", "suspend"),
        ("suspended", "suspend"),
        ("cancelled", "suspend"),
        ("expired", "suspend"),
        ("active", "resume"),
        ("cancelled", "resume"),
        ("cancelled", "cancel"),
        ("expired", "cancel"),
    ],
)
def test_a_move_that_the_state_does_not_allow_is_refused_and_leaves_nothing(api, status, verb):
    key = subscribed(api, status=status)
    before = shown(api, key)
    answer = told(api, verb, key)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith(f"The Subscription is {status.title()}; this needs ")
    assert shown(api, key) == before


@pytest.mark.parametrize(
    ("was", "wanted"), [("cancelled", "active"), ("expired", "active"), ("active", "expired"), ("active", "draft")]
)
def test_an_update_moves_no_subscription_where_it_may_not_go(api, was, wanted):
    key = subscribed(api, status=was)
    before = shown(api, key)
    answer = api.put(f"/api/v1/subscriptions/{key}", json={"status": wanted, "name": "Other"})
    assert answer.status_code == 400
    assert answer.json() == {"message": f"The Subscription is {was.title()}; it cannot become {wanted.title()}."}
    assert shown(api, key) == before


def test_what_has_ended_can_still_be_named(api):
    key = subscribed(api, status="cancelled")
    assert api.put(f"/api/v1/subscriptions/{key}", json={"name": "Gone", "status": "cancelled"}).status_code == 202
    assert states(api, key, "name") == ["Cancelled", "Gone"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"suspension_option": "Specific Date"}, "date"),
        ({"suspension_option": "Specific Date", "date": "2026-04-12"}, "date"),
        ({"suspension_option": "End of Current Term"}, "suspension_option"),
        ({"suspension_option": "Whenever"}, "suspension_option"),
        ({}, "suspension_option"),
    ],
)
def test_a_day_that_cannot_be_is_refused_and_leaves_nothing(api, fields, field):
    key = subscribed(api)
    before = shown(api, key)
    answer = api.post(f"/api/v1/subscriptions/{key}/suspend", json=fields)
    assert (answer.status_code, set(answer.json()["errors"])) == (422, {field})
    assert shown(api, key) == before


def test_json_moves_a_subscription_as_a_form_does(api):
    key = subscribed(api)
    answer = api.post(f"/api/v1/cancel-subscription/{key}", json={"cancellation_option": "Today"})
    assert answer.json()["data"]["attributes"]["status"] == "Cancelled"


def test_a_change_of_dates_moves_what_the_subscription_waits_for(api, wait):
    key = subscribed(api, TERMED)
    api.put(f"/api/v1/subscriptions/{key}", json={"termed_initial_period": 1})
    assert wait("P1Y") == ["2026-05-13 term-end Expired"]

    waiting = subscribed(api, order_date="2028-01-01", trigger_dates="2028-01-01")
    api.put(f"/api/v1/subscriptions/{waiting}", json={"order_date": "2027-04-20", "trigger_dates": "2027-04-20"})
    assert wait("P10D") == ["2027-04-20 begin Active"]


def test_billing_may_end_before_the_subscription(api, wait):
    key = subscribed(api, billing_end_date="2026-06-20")
    assert wait("P1Y") == ["2026-05-13 bill Active", "2026-06-13 bill Active"]
    assert states(api, key, "next_bill_date") == ["Active", None]


def test_the_grace_period_is_the_time_that_is_left_to_pay(api, wait):
    api.put(f"/api/v1/customers/{ADA}", json={"terms": "Net 14"})
    key = subscribed(api)
    path = f"/api/v1/subscriptions/{key}/extend-period"
    assert api.post(path, params={"action": "view_period"}).json() == {
        "subscription_id": key,
        "action": "view_period",
        "grace_period_end": "2026-04-27T23:59:59Z",
        "remaining_days": 14,
    }
    ended = api.post(path, params={"action": "expire_period"})
    assert ended.json()["status"] == "Grace period expired successfully"
    assert api.post(path, params={"action": "view_period"}).status_code == 409
    assert api.post(path, params={"action": "veiw_period"}).status_code == 400
