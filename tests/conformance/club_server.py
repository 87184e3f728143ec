"""A right implementation of the miniature vendor that lives in time, written by hand, with a clock and a sink of its own, and a switch
that makes it wrong in one way. It has no worlds: what one call does, the next one finds.
"""

from __future__ import annotations

import calendar
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from acme_server import Refusal
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

FAULTS = (
    "trial-never-ends",
    "trial-ends-early",
    "trial-ends-late",
    "trial-ends-membership",
    "clock-goes-back",
    "renewal-drifts",
    "renewal-skipped",
    "renewal-twice-in-one-leap",
    "leap-renews-once",
    "leap-forgets-bills",
    "cancelled-revives",
    "illegal-transition-accepted",
    "illegal-transition-half-done",
    "illegal-transition-leaves-bill",
    "illegal-transition-wrong-status",
    "cancel-does-nothing",
    "event-missing",
    "event-twice",
    "event-on-refusal",
    "event-on-read",
    "event-unheard-of",
    "event-with-old-state",
    "event-of-another",
    "event-body-wrong",
    "signature-wrong",
    "signature-of-other-bytes",
    "secret-missing",
    "sum-off-by-one-cent",
    "sum-in-floats",
    "stamp-in-local-time",
)
TOKENS = {"club-one": "one", "club-two": "two"}
SHOWN = ("id", "name", "trial_days", "status", "joined_at", "trial_end", "period_end", "periods")


def later(moment: datetime, months: int) -> datetime:
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    return moment.replace(year=year, month=month + 1, day=min(moment.day, calendar.monthrange(year, month + 1)[1]))


def spelled(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")


class Club:
    """The state of one server: its members, their bills, its clock and its sink."""

    def __init__(self, fault: str | None = None) -> None:
        assert fault is None or fault in FAULTS, fault
        self.fault = fault
        self.members: dict[str, dict[str, Any]] = {}
        self.bills: list[dict[str, Any]] = []
        self.sink: list[dict[str, Any]] = []
        self.secrets: list[str] = []
        self.minted = 0
        self.offset = timedelta(0)
        self.frozen: datetime | None = None

    # Time

    def now(self) -> datetime:
        return self.frozen or (datetime.now(UTC) + self.offset).replace(microsecond=0)

    def due(self, member: dict[str, Any]) -> datetime | None:
        if member["status"] == "trial":
            slip = {"trial-ends-early": -1, "trial-ends-late": 1}.get(self.fault or "", 0)
            return None if self.fault == "trial-never-ends" else member["trial_end"] + timedelta(hours=slip)
        if member["status"] == "ended" and self.fault == "cancelled-revives":
            return member["period_end"]
        return member["period_end"] if member["status"] == "active" else None

    def pass_time(self, until: datetime) -> None:
        """Everything that falls due until then, in order."""
        passed: dict[str, int] = {}
        while True:
            waiting = [(at, key) for key, m in self.members.items() if (at := self.due(m)) and at <= until]
            if self.fault == "leap-renews-once":
                waiting = [(at, key) for at, key in waiting if key not in passed]
            if not waiting:
                return
            at, key = min(waiting)
            passed[key] = passed.get(key, 0) + 1
            self.happen(self.members[key], at, passed[key])

    def happen(self, member: dict[str, Any], at: datetime, time: int) -> None:
        before = dict(member)
        if member["status"] == "trial":
            ends = self.fault == "trial-ends-membership"
            member.update(status="ended" if ends else "active", anchor=at, period_end=later(at, 1), began=at)
        else:
            member["status"] = "active"
            member["periods"] += 2 if self.fault == "renewal-twice-in-one-leap" and time > 1 else 1
            slip = 1 if self.fault == "renewal-skipped" and member["periods"] % 5 == 0 else 0
            member["anchor"] = later(member["anchor"], slip)
            member["period_end"] = later(member["anchor"], member["periods"] + 1)
            if self.fault == "renewal-drifts":
                member["period_end"] = later(at, 1)
        if self.fault != "leap-forgets-bills" or time == 1:
            self.bill(member, at)
        self.tell(before, member)

    def go_back(self, moment: datetime) -> None:
        for member in self.members.values():
            if self.fault == "clock-goes-back" and member["began"] and member["began"] > moment:
                member.update(status="trial", period_end=None, began=None)

    async def clock(self, request: Request) -> Response:
        if request.method == "POST":
            body = json.loads(await request.body())
            if "advance" in body:
                text = body["advance"]
                number, unit = int(text.strip("PTHDMY")), text[-1]
                months = number * {"M": 1, "Y": 12}.get(unit, 0)
                target = later(self.now(), months) + timedelta(hours=number * {"H": 1, "D": 24}.get(unit, 0))
            else:
                target = self.now() if "resume" in body else datetime.fromisoformat(body.get("to") or body["freeze"])
            self.pass_time(target)
            self.go_back(target)
            still = self.frozen is not None or "freeze" in body
            self.frozen = target if still and "resume" not in body else None
            self.offset = target - datetime.now(UTC)
        return JSONResponse({"now": spelled(self.now()), "frozen": self.frozen is not None})

    # Webhooks

    def tell(self, before: dict[str, Any] | None, after: dict[str, Any] | None) -> None:
        """The events of a change."""
        if before is None or after is None:
            self.send("membership.created" if after else "membership.deleted", after or before or {}, before)
            return
        if before["status"] != after["status"]:
            self.send("membership.moved", after, before)
        if before["period_end"] != after["period_end"] and after["status"] == "active":
            if self.fault != "event-missing":
                self.send("membership.renewed", after, before)
            if self.fault == "event-unheard-of":
                self.send("membership.extended", after, before)

    def send(self, event: str, member: dict[str, Any], before: dict[str, Any] | None) -> None:
        shown = self.view(before if before and self.fault == "event-with-old-state" else member)
        if self.fault == "event-body-wrong" and event == "membership.moved":
            del shown["periods"]
        if self.fault == "event-of-another":
            shown["id"] = "mem_9999"
        body = json.dumps(shown)
        for number, secret in enumerate(self.secrets):
            signed = json.dumps(shown, separators=(",", ":")) if self.fault == "signature-of-other-bytes" else body
            key = "another" if self.fault == "signature-wrong" else secret
            signature = hmac.new(key.encode(), signed.encode(), hashlib.sha256).hexdigest()
            headers = {"Content-Type": "application/json", "X-Club-Signature": signature, "X-Club-Key": secret}
            if self.fault == "secret-missing":
                del headers["X-Club-Key"]
            for _ in range(2 if self.fault == "event-twice" else 1):
                entry = {"delivery": f"d{len(self.sink)}", "vendor": "club", "endpoint": f"e{number}", "event": event}
                self.sink.append({**entry, "at": spelled(self.now()), "headers": headers, "body": body})

    async def endpoints(self, request: Request) -> Response:
        self.secrets.append(f"sandbox-{len(self.secrets)}")
        return JSONResponse({"id": f"e{len(self.secrets) - 1}", "url": "sink:", "secret": self.secrets[-1]}, 201)

    async def received(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.sink.clear()
            return Response(status_code=204)
        return JSONResponse({"received": self.sink})

    # The API

    def bill(self, member: dict[str, Any], at: datetime) -> None:
        lines = [{"name": "Month", "amount": 19.99}, {"name": "Locker", "amount": 3.11}]
        subtotal = sum(line["amount"] for line in lines) if self.fault == "sum-in-floats" else 23.1
        total = 21.62 if self.fault == "sum-off-by-one-cent" else 21.63
        amounts = {"subtotal": subtotal, "discount": 2.5, "tax": 1.03, "total": total}
        made = {"id": f"bill_{len(self.bills) + 1:05d}", "membership_id": member["id"], "made_at": spelled(at)}
        self.bills.append({**made, "lines": lines, **amounts, "tenant": member["tenant"]})

    def view(self, member: dict[str, Any]) -> dict[str, Any]:
        return {
            name: spelled(value) if isinstance(value, datetime) else value
            for name in SHOWN
            if (value := member.get(name)) is not None or name in ("trial_end", "period_end")
        }

    def find(self, request: Request, tenant: str) -> dict[str, Any]:
        member = self.members.get(request.path_params["id"])
        if member is None or member["tenant"] != tenant:
            raise Refusal(404, "", "There is no such membership.")
        return member

    async def list(self, request: Request, tenant: str) -> Response:
        return JSONResponse({"memberships": [self.view(m) for m in self.members.values() if m["tenant"] == tenant]})

    async def list_bills(self, request: Request, tenant: str) -> Response:
        mine = [bill for bill in self.bills if bill["tenant"] == tenant]
        return JSONResponse({"bills": [{k: v for k, v in bill.items() if k != "tenant"} for bill in mine]})

    async def join(self, request: Request, tenant: str) -> Response:
        body = await _read(request)
        if "name" not in body:
            raise Refusal(422, "", "name is missing.")
        name, days = body["name"], body.get("trial_days", 0)
        if not isinstance(name, str) or not 1 <= len(name) <= 80:
            raise Refusal(422, "", "name is wrong.")
        if not isinstance(days, int) or isinstance(days, bool) or not 0 <= days <= 365:
            raise Refusal(422, "", "trial_days is wrong.")
        self.minted += 1
        now = self.now()
        member = {"id": f"mem_{self.minted:04d}", "tenant": tenant, "name": name, "joined_at": now, "anchor": now}
        if self.fault == "stamp-in-local-time":
            member["joined_at"] = now + timedelta(hours=2)
        member |= {"trial_days": body.get("trial_days"), "status": "trial" if days else "active", "periods": 0}
        member |= {"trial_end": now + timedelta(days=days) if days else None, "began": None}
        member["period_end"] = None if days else later(now, 1)
        self.members[member["id"]] = member
        if not days:
            self.bill(member, now)
        self.tell(None, member)
        return JSONResponse(self.view(member), 201)

    async def get(self, request: Request, tenant: str) -> Response:
        member = self.find(request, tenant)
        if self.fault == "event-on-read":
            self.send("membership.moved", member, None)
        return JSONResponse(self.view(member))

    async def forget(self, request: Request, tenant: str) -> Response:
        member = self.find(request, tenant)
        del self.members[member["id"]]
        self.tell(member, None)
        return Response(status_code=204)

    async def cancel(self, request: Request, tenant: str) -> Response:
        member = self.find(request, tenant)
        before = dict(member)
        if member["status"] == "ended" and self.fault != "illegal-transition-accepted":
            if self.fault == "illegal-transition-half-done":
                member["periods"] += 1
            if self.fault == "illegal-transition-leaves-bill":
                self.bill(member, self.now())
            if self.fault == "event-on-refusal":
                self.send("membership.moved", member, None)
            raise Refusal(422 if self.fault == "illegal-transition-wrong-status" else 409, "", "It has ended.")
        if self.fault != "cancel-does-nothing":
            member["status"] = "ended"
        self.tell(before, member)
        return JSONResponse(self.view(member))


async def _read(request: Request) -> dict[str, Any]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refusal(415, "", "The body must be JSON.")
    try:
        body = json.loads((await request.body()).decode("utf-8"), parse_constant=_refuse)
        json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise Refusal(400, "", "The body is not JSON.") from None
    if not isinstance(body, dict):
        raise Refusal(400, "", "The body is not an object.")
    return body


def _refuse(text: str) -> Any:
    raise ValueError(text)


def _problem(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"problem": message}, status, headers)


Handler = Callable[[Request, str], Awaitable[Response]]


def create_app(fault: str | None = None) -> Starlette:
    """The server as an ASGI app, its control under /control; a new one each time."""
    club = Club(fault)

    def route(path: str, **table: Handler) -> Route:
        async def call(request: Request) -> Response:
            if request.method not in table:
                return _problem(405, "Not allowed.", {"Allow": ", ".join(table)})
            scheme, _, token = request.headers.get("authorization", "").partition(" ")
            if scheme.lower() != "bearer" or token not in TOKENS:
                return _problem(401, "Who are you?")
            club.pass_time(club.now())
            try:
                return await table[request.method](request, TOKENS[token])
            except Refusal as refusal:
                return _problem(refusal.status, refusal.message)

        return Route(path, call, methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE"])

    async def plain(request: Request, failure: Exception) -> Response:
        assert isinstance(failure, HTTPException)
        return _problem(failure.status_code, failure.detail)

    return Starlette(
        routes=[
            Route("/control/clock", club.clock, methods=["GET", "POST"]),
            Route("/control/webhooks/endpoints", club.endpoints, methods=["POST"]),
            Route("/control/webhooks/sink", club.received, methods=["GET", "DELETE"]),
            route("/memberships", GET=club.list, POST=club.join),
            route("/memberships/{id}", GET=club.get, DELETE=club.forget),
            route("/memberships/{id}/cancel", POST=club.cancel),
            route("/bills", GET=club.list_bills),
        ],
        exception_handlers={HTTPException: plain},
    )
