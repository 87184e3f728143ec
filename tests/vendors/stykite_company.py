"""What Stykite's tests share: a company of the sandbox as its own back office calls it, and what time brings it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx

MOMENT = datetime(2026, 1, 31, tzinfo=UTC)
DAY = 86_400_000
COMPANY, EARTH, YONDER = "COM-0SANDB0XAC0R1", "CON-0SANDB0XEARTH", "CON-0SANDB0XY0NDR"
FREE, YEARLY, TRIED = "PLV-0SANDB0XM0NTH", "PLV-0SANDB0XYEAR1", "PLV-0SANDB0XTRY14"
CALLS, STORAGE = "MTR-0SANDB0XCAT01", "MTR-0SANDB0XCAX01"
ADDON = "ADV-0SANDB0XSTR01"
JANES = "CSU-0SANDB0XJANE1"
STATUS = "customer.subscription_status.update"
MINIMAL = {"email": "sam@example.com", "customer_identifier": "c-7", "country_code": "DE"}
READING = {"timestamp": 1736000000000, "meter_id": CALLS, "qty": 26}


def ms(year: int, month: int, day: int) -> int:
    """The first moment of a day, in epoch milliseconds."""
    return int(datetime(year, month, day, tzinfo=UTC).timestamp()) * 1000


class Company:
    """A company as its own back office calls it; `sandbox` is where it is, for what no operation shows."""

    def __init__(self, sandbox: Any, token: str = "stykite-sandbox-acme", company: str = COMPANY) -> None:
        self.sandbox, self.company = sandbox, company
        self.http: httpx.Client = sandbox.client("")
        self.headers = {"Authorization": f"Bearer {token}"}

    def call(self, method: str, path: str = "", body: Any = None, country: str = EARTH) -> httpx.Response:
        return self.request(method, f"/customer{path}", body, country)

    def request(self, method: str, path: str, body: Any = None, country: str = EARTH) -> httpx.Response:
        url = f"/stykite/v1/company/{self.company}/country/{country}{path}"
        response: httpx.Response = self.http.request(method, url, headers=self.headers, json=body)
        return response

    def create(self, country: str = EARTH, **fields: Any) -> httpx.Response:
        return self.call("POST", body={**MINIMAL, **fields}, country=country)

    def subscription(self, identifier: str = "c-7", country: str = EARTH) -> Any:
        return self.call("GET", f"/{identifier}", country=country).json()["value"]["subscriptions"][-1]

    def cancel(self, when: str, tsid: str = JANES, identifier: str = "c-0001") -> httpx.Response:
        return self.call("POST", f"/{identifier}/cancel_subscription", {"subscription_tsid": tsid, "when": when})

    def end(self, moment: int, tsid: str = JANES, identifier: str = "c-0001") -> httpx.Response:
        return self.call("PUT", f"/{identifier}/subscription", {"subscription_tsid": tsid, "end_date": moment})

    def pay(self, plan: str = YEARLY, plan_type: str = "MONTHLY", **fields: Any) -> httpx.Response:
        country = fields.pop("country", EARTH)
        body = {"customer_identifier": "c-7", "plan_id": plan, "plan_type": plan_type, "payment_component": "PLAN"}
        return self.request("POST", "/payment", {**body, **fields}, country)

    def entitle(self, entitlement: int, meter: str = CALLS) -> httpx.Response:
        return self.call("PUT", "/c-7/meter-entitlements", [{"meter_tsid": meter, "entitlement": entitlement}])

    def use(self, total: float, meter: str = CALLS, timestamp: int | None = None) -> httpx.Response:
        moment = self.now() if timestamp is None else timestamp
        return self.call("POST", "/c-7/usage", [{"timestamp": moment, "meter_id": meter, "qty": total}])

    def now(self) -> int:
        """The world's time, in epoch milliseconds."""
        text = self.sandbox.control.get("/clock").json()["now"]
        return int(datetime.fromisoformat(text).timestamp() * 1000)

    def move(self, **where: Any) -> list[Any]:
        """Move the world's clock: what happened on the way."""
        answer = self.sandbox.control.post("/clock", json=where).json()
        assert answer["complete"], answer
        happened: list[Any] = answer["happened"]
        assert [thing for thing in happened if "failure" in thing] == []
        return happened

    def decline(self, payments: str = "declined", country: str = EARTH) -> None:
        """Let the country's payments go that way from now on."""
        path = f"/records/stykite/Country/{country}"
        assert self.sandbox.control.patch(path, json={"payments": payments}).status_code == 200

    def stored(self, resource: str) -> list[Any]:
        """The records of a resource that no operation shows."""
        found: list[Any] = self.sandbox.entries((self.company, resource))
        return found
