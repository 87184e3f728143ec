"""The miniature vendor that lives in time, on http.server: it remembers who joined, left and was forgotten, and reckons everything else.

No state is kept that time could move: a membership's state, its period and its bills follow from the moment at which they are looked at. Moments
have milliseconds and an offset of -03:00, keys are random, a bill's key is its membership's and a number, amounts differ from bill to bill,
the renewal is told before the move, the clock may not be set back, and its control says no more than it must.
"""

from __future__ import annotations

import calendar
import hashlib
import hmac
import itertools
import json
import re
import secrets
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from http.server import ThreadingHTTPServer
from typing import Any

from right import serving
from right.plain import Asked, Refused, Told, create_server

TOKENS = {"club-one": "one", "club-two": "two"}
ZONE = timezone(-timedelta(hours=3))
DURATION = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


def months_later(moment: datetime, months: int) -> datetime:
    year, month = divmod(12 * moment.year + moment.month - 1 + months, 12)
    return moment.replace(year=year, month=month + 1, day=min(moment.day, calendar.monthrange(year, month + 1)[1]))


def spelled(moment: datetime | None) -> str | None:
    return moment.astimezone(ZONE).isoformat(timespec="milliseconds") if moment else None


@dataclass(frozen=True)
class Member:
    """What is remembered of a membership."""

    id: str
    tenant: str
    name: str
    trial_days: int | None
    joined: datetime
    left: datetime | None = None
    forgotten: datetime | None = None

    @property
    def begins(self) -> datetime:
        """When the trial is over, or would have been."""
        return self.joined + timedelta(days=self.trial_days or 0)

    def is_active(self, at: datetime) -> bool:
        """Whether it has been active by then."""
        return self.begins <= (min(at, self.left) if self.left else at)

    def periods(self, at: datetime) -> int:
        """How many renewals there were by then: reckoned from the months between, and never from the renewal before."""
        if not self.is_active(at):
            return 0
        until = min(at, self.left) if self.left else at
        months = 12 * (until.year - self.begins.year) + until.month - self.begins.month
        return months if months_later(self.begins, months) <= until else months - 1

    def shown(self, at: datetime) -> dict[str, Any]:
        ended, active = self.left is not None and self.left <= at, self.is_active(at)
        given = {} if self.trial_days is None else {"trial_days": self.trial_days}
        return {
            "status": "ended" if ended else "active" if active else "trial",
            "periods": self.periods(at),
            "period_end": spelled(months_later(self.begins, self.periods(at) + 1)) if active else None,
            "trial_end": spelled(self.begins) if self.trial_days else None,
            "joined_at": spelled(self.joined),
            **given,
            "name": self.name,
            "id": self.id,
        }

    def bills(self, at: datetime) -> Iterator[tuple[datetime, dict[str, Any]]]:
        until = min(at, self.forgotten) if self.forgotten else at
        for number in range(self.periods(until) + 1 if self.is_active(until) else 0):
            made = months_later(self.begins, number)
            cents = [1010 + number % 7, 20, 1 + number % 3]
            tax, discount = sum(cents) // 5, number % 4 * 35
            sums = {"subtotal": sum(cents), "discount": discount, "tax": tax, "total": sum(cents) - discount + tax}
            lines = [{"amount": amount / 100, "name": f"Item {place}"} for place, amount in enumerate(cents)]
            amounts = {name: amount / 100 for name, amount in sums.items()}
            yield (
                made,
                {
                    **amounts,
                    "lines": lines,
                    "id": f"{self.id}-{number}",
                    "membership_id": self.id,
                    "made_at": spelled(made),
                },
            )

    def due(self, after: datetime, until: datetime) -> Iterator[tuple[datetime, str]]:
        """What time does to it between two moments, the second included."""
        if self.left is not None or self.forgotten is not None:
            return
        if self.trial_days and after < self.begins <= until:
            yield from ((self.begins, "membership.renewed"), (self.begins, "membership.moved"))
        for number in range(self.periods(after) + 1, self.periods(until) + 1):
            yield months_later(self.begins, number), "membership.renewed"


class Club:
    """The state of one server, behind one lock."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.members: dict[str, Member] = {}
        self.endpoints: list[str] = []
        self.sink: list[dict[str, Any]] = []
        self.offset, self.frozen = timedelta(0), None
        self.told = self.now()

    # Time

    def now(self) -> datetime:
        moment = self.frozen or datetime.now(UTC) + self.offset
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    def tell_what_fell_due(self) -> datetime:
        now = self.now()
        if self.endpoints:
            due = [(at, n, m, e) for n, m in enumerate(self.members.values()) for at, e in m.due(self.told, now)]
            for at, _, member, event in sorted(due, key=lambda one: one[:2]):
                self.send(event, member.shown(at))
        self.told = now
        return now

    def clock(self, asked: Asked) -> Told:
        if asked.method == "POST":
            here, body = self.now(), asked.json()
            there = self.there(here, body)
            if there < here:
                raise Refused(409, "time does not run backwards here")
            stands = "freeze" in body or (self.frozen is not None and "resume" not in body)
            self.frozen, self.offset = there if stands else None, there - datetime.now(UTC)
            self.tell_what_fell_due()
        return Told(200, {"now": spelled(self.now()), "frozen": self.frozen is not None})

    def there(self, here: datetime, body: Mapping[str, Any]) -> datetime:
        if "advance" in body and (found := DURATION.fullmatch(body["advance"])):
            years, months, weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
            length = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
            return months_later(here, 12 * years + months) + length
        if text := body.get("to") or body.get("freeze"):
            return datetime.fromisoformat(text)
        if body.get("resume"):
            return here
        raise Refused(422, "advance, to, freeze or resume")

    # Webhooks

    def send(self, event: str, shown: dict[str, Any]) -> None:
        body = json.dumps(shown, ensure_ascii=False, indent=1)
        for endpoint, secret in enumerate(self.endpoints):
            signature = hmac.new(secret.encode(), body.encode(), hashlib.sha256).hexdigest()
            headers = {
                "x-club-key": secret,
                "X-CLUB-SIGNATURE": signature,
                "content-type": "application/json;charset=utf-8",
            }
            entry = {"delivery": len(self.sink), "endpoint": endpoint, "event": event, "headers": headers, "body": body}
            self.sink.append(entry)

    def control(self, asked: Asked) -> Told:
        match asked.path[1:], asked.method:
            case ("clock",), ("GET" | "POST"):
                return self.clock(asked)
            case ("webhooks", "endpoints"), "POST":
                self.tell_what_fell_due()
                self.endpoints.append(secrets.token_urlsafe(9))
                return Told(201, {"id": len(self.endpoints) - 1, "secret": self.endpoints[-1]})
            case ("webhooks", "sink"), "GET":
                return Told(200, {"received": self.sink})
            case ("webhooks", "sink"), "DELETE":
                self.sink.clear()
                return Told(204)
        raise Refused(404, "no such control")

    # The API

    def handle(self, asked: Asked) -> Told:
        with self.lock:
            if asked.path[0] == "control":
                return self.control(asked)
            if (tenant := TOKENS.get(asked.token)) is None:
                raise Refused(401, "not a member", **{"www-authenticate": 'Bearer realm="club"'})
            now, route = self.tell_what_fell_due(), self.route(asked.path)
            if route is None:
                raise Refused(404, "no such place")
            if asked.method not in route:
                raise Refused(405, "not so", allow=", ".join(route))
            return route[asked.method](asked, tenant, now)  # type: ignore[no-any-return]

    def route(self, path: tuple[str, ...]) -> dict[str, Any] | None:
        match path:
            case ("memberships",):
                return {"POST": self.join, "GET": self.list}
            case ("memberships", key) if key:
                return {"DELETE": self.forget, "GET": self.get}
            case ("memberships", key, "cancel") if key:
                return {"POST": self.cancel}
            case ("bills",):
                return {"GET": self.list_bills}
        return None

    def found(self, asked: Asked, tenant: str) -> Member:
        member = self.members.get(asked.path[1])
        if member is None or member.tenant != tenant or member.forgotten:
            raise Refused(404, "nobody of that id")
        return member

    def list(self, asked: Asked, tenant: str, now: datetime) -> Told:
        mine = [m.shown(now) for m in self.members.values() if m.tenant == tenant and not m.forgotten]
        return Told(200, {"memberships": mine, "as_of": spelled(now)})

    def list_bills(self, asked: Asked, tenant: str, now: datetime) -> Told:
        mine = itertools.chain.from_iterable(m.bills(now) for m in self.members.values() if m.tenant == tenant)
        return Told(200, {"bills": [bill for _, bill in sorted(mine, key=lambda one: one[0])]})

    def join(self, asked: Asked, tenant: str, now: datetime) -> Told:
        body = asked.json()
        name, days = body.get("name"), body.get("trial_days")
        if not isinstance(name, str) or not 1 <= len(name) <= 80:
            raise Refused(422, "name: 1 to 80 characters")
        if "trial_days" in body and (type(days) is not int or not 0 <= days <= 365):
            raise Refused(422, "trial_days: 0 to 365")
        member = Member(secrets.token_urlsafe(12), tenant, name, days, now)
        self.members[member.id] = member
        self.send("membership.created", member.shown(now))
        return Told(201, member.shown(now), {"location": f"/memberships/{member.id}"})

    def get(self, asked: Asked, tenant: str, now: datetime) -> Told:
        return Told(200, self.found(asked, tenant).shown(now))

    def cancel(self, asked: Asked, tenant: str, now: datetime) -> Told:
        member = self.found(asked, tenant)
        if member.left:
            raise Refused(409, "gone already")
        self.members[member.id] = member = replace(member, left=now)
        self.send("membership.moved", member.shown(now))
        return Told(200, member.shown(now))

    def forget(self, asked: Asked, tenant: str, now: datetime) -> Told:
        member = self.found(asked, tenant)
        self.members[member.id] = replace(member, forgotten=now)
        self.send("membership.deleted", member.shown(now))
        return Told(204)


def server() -> ThreadingHTTPServer:
    """A new one, not yet at work."""
    return create_server(Club().handle, lambda status, message: {"problem": message, "status": status})


def serve() -> Any:
    """A new one at work, for as long as the context lasts; its URL."""
    return serving(server())
