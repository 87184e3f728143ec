"""What Pelcro's tests share: somebody who reads a site, and what time brings them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import httpx

MOMENT = datetime(2026, 1, 31, tzinfo=UTC)
NOW = 1769817600
DAY = 86_400
GAZETTE, HERALD = 1101, 1102
MONTHLY, FREE, MEMBERSHIP, SHIPPED, CANADA, TEACHERS, HERALDS = 204051, 204052, 204053, 204054, 204055, 204056, 204061
YEARLY, TRIAL, SUMMER = 204057, 204058, 204059
STANDING, LIBRARY, GIVEN, OPEN = 704001, 704002, 704003, 804001
SEEDED = {STANDING, LIBRARY, GIVEN, OPEN, 504001, 704011}
MONTREAL, BOSTON, VISA, FAILED_CARD = 305001, 305002, 405001, 405002
PAYS, DECLINES, ASKS = "tok-sandbox-succeed", "tok-sandbox-decline", "tok-sandbox-3d-secure"
NEVER_AGAIN, SECOND_TIME = "tok-sandbox-renewal-decline", "tok-sandbox-renewal-recover"


def at(year: int, month: int, day: int, hour: int = 0) -> int:
    """A moment in epoch seconds."""
    return int(datetime(year, month, day, hour, tzinfo=UTC).timestamp())


class Reader:
    """Somebody who reads a site, with a token of theirs or without one."""

    def __init__(self, http: httpx.Client, token: str | None, site: int | None = GAZETTE) -> None:
        self.http, self.site = http, site
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> httpx.Response:
        query = {**({"site_id": self.site} if self.site else {}), **query}
        response: httpx.Response = self.http.request(
            method, f"/pelcro/api/v1/sdk/{path}", params=query, headers=self.headers, json=body
        )
        return response

    def subscribe(self, plan: int = MONTHLY, **fields: Any) -> httpx.Response:
        return self.call("POST", "subscription", {"plan_id": plan, **fields})

    def subscribed(self, plan: int = MONTHLY, **fields: Any) -> Any:
        """The subscription that was just made."""
        response = self.subscribe(plan, **fields)
        assert response.status_code == 200, response.text
        return self.subscriptions()[-1]

    def act(self, what: str, subscription: Any, **fields: Any) -> httpx.Response:
        return self.call("POST", f"subscription/{what}", {"subscription_id": subscription["id"], **fields})

    def acted(self, what: str, subscription: Any, **fields: Any) -> Any:
        """The subscription after an operation on it that succeeds."""
        response = self.act(what, subscription, **fields)
        assert response.status_code == 200, response.text
        return self.again(subscription)

    def update(self, subscription: Any, **fields: Any) -> httpx.Response:
        return self.call("PUT", f"subscription/{subscription['id']}", fields)

    def preview(self, plan: int = MONTHLY, **fields: Any) -> Any:
        response = self.call("POST", "order", {"plan_id": plan, **fields})
        assert response.status_code == 200, response.text
        return response.json()["data"]

    def pay(self, invoice: Any, **fields: Any) -> httpx.Response:
        return self.call("POST", f"invoices/{invoice['id']}/pay", fields)

    def customer(self) -> Any:
        return self.call("POST", "customer").json()["data"]

    def new(self, name: str) -> Any:
        """What the customer has that was not among the fixtures."""
        return [record for record in self.customer()[name] if record["id"] not in SEEDED]

    def subscriptions(self) -> Any:
        return self.new("subscriptions")

    def again(self, subscription: Any) -> Any:
        """A subscription as it is now, whether it goes on or has ended."""
        customer = self.customer()
        shown = customer["subscriptions"] + customer["expired_subscriptions"]
        return next((record for record in shown if record["id"] == subscription["id"]), None)

    def move(self, **where: Any) -> list[Any]:
        """Move the world's clock: what happened on the way, none of it failing."""
        answer = self.http.post("/_mock/clock", json=where).json()
        assert answer["complete"], answer
        happened: list[Any] = answer["happened"]
        assert [thing for thing in happened if "failure" in thing] == []
        return happened

    def listen(self) -> None:
        """From now on the world's events are kept."""
        assert self.http.post("/_mock/webhooks/endpoints", json={"vendor": "pelcro", "url": "sink:"}).status_code == 201

    def told(self) -> list[Any]:
        """The bodies of the events so far."""
        log = self.http.get("/_mock/webhooks/deliveries", params={"limit": 1000}).json()
        return [json.loads(delivery["body"]) for delivery in log["deliveries"]]


def message(response: httpx.Response) -> str:
    return str(response.json()["error"]["message"])


def fields(response: httpx.Response) -> set[str]:
    assert response.status_code == 400
    return set(response.json()["errors"])


def names(happened: list[Any]) -> list[str]:
    """What happened, by its name in the document."""
    return [thing["name"] for thing in happened]
