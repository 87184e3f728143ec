"""A right implementation of the miniature vendor, written by hand, and a switch that makes it wrong in one way."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

FAULTS = (
    "unique-ignored",
    "unique-across-tenants",
    "page-skips",
    "page-repeats",
    "total-off-by-one",
    "update-wipes",
    "update-merges-metadata",
    "update-not-stored",
    "delete-keeps",
    "delete-takes-neighbour",
    "idempotency-ignored",
    "other-body-replayed",
    "keys-shared-between-tenants",
    "tenant-leak",
    "auth-ignored",
    "expired-accepted",
    "wrong-status",
    "wrong-envelope",
    "missing-field",
    "wrong-type",
    "html",
    "filter-ignored",
    "filters-joined-by-or",
    "created-moves",
    "id-reused",
    "stale-read",
    "race-makes-two",
    "text-trimmed",
    "numbers-rounded",
    "required-defaulted",
    "dangling-accepted",
    "crash-on-other-alphabets",
    "crash-on-malformed",
    "read-only-taken",
    "failed-create-stays",
    "password-shown",
    "no-allow",
    "not-listed",
    "example-refused",
    "archive-does-nothing",
    "archive-twice",
    "operator-wrong",
    "conditions-joined-by-or",
    "compared-as-text",
    "form-ignored",
    "limit-ignored",
    "long-refused",
    "zero-refused",
)

PAGE = 10
PLANS = {"basic", "gold"}
TOKENS = {"acme-sandbox-001": "north", "acme-sandbox-002": "south"}
FIELDS: dict[str, tuple[type, Callable[[Any], bool]]] = {
    "external_id": (str, lambda value: 1 <= len(value) <= 64),
    "name": (str, lambda value: 1 <= len(value) <= 200),
    "email": (str, lambda value: len(value) <= 254),
    "description": (str, lambda value: len(value) <= 1000),
    "currency": (str, lambda value: value in ("USD", "EUR", "GBP")),
    "credit_cents": (int, lambda value: 0 <= value <= 9007199254740993),
    "plan_id": (str, lambda value: True),
    "metadata": (dict, lambda value: True),
    "password": (str, lambda value: 8 <= len(value) <= 100),
}
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "$equals": lambda have, want: have == want,
    "$not_equals": lambda have, want: have != want,
    "$starts": lambda have, want: str(have).startswith(str(want)),
    "$ends": lambda have, want: str(have).endswith(str(want)),
    "$contains": lambda have, want: str(want) in str(have),
    "$in": lambda have, want: have in want,
    "$not_in": lambda have, want: have not in want,
    "$lt": lambda have, want: have < want,
    "$lte": lambda have, want: have <= want,
    "$gt": lambda have, want: have > want,
    "$gte": lambda have, want: have >= want,
}


class Refusal(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        self.status, self.code, self.message = status, code, message


class Acme:
    """The state of one server: its records, keys and clock."""

    def __init__(self, fault: str | None = None) -> None:
        assert fault is None or fault in FAULTS, fault
        self.fault = fault
        self.customers: dict[str, dict[str, Any]] = {}
        self.replies: dict[tuple[str, str], tuple[str, dict[str, Any] | None]] = {}
        self.shown: dict[str, dict[str, Any]] = {}
        self.minted = 0
        self.made = 200 if fault == "wrong-status" else 201
        self.moment = datetime(2026, 6, 1, tzinfo=UTC)
        for tenant in ("north", "south"):
            self.store(tenant, {"external_id": "ext-1", "name": "Ada Example", "currency": "USD"})

    def now(self) -> str:
        self.moment += timedelta(seconds=1)
        return self.moment.isoformat().replace("+00:00", "Z")

    def mint(self) -> str:
        if self.fault == "id-reused":
            return next(f"cus_{n:06d}" for n in range(1, 10**6) if f"cus_{n:06d}" not in self.customers)
        self.minted += 1
        return f"cus_{self.minted:06d}"

    def store(self, tenant: str, fields: dict[str, Any]) -> dict[str, Any]:
        stamp = self.now()
        key = self.mint()
        forged = {
            name: fields[name]
            for name in ("created_at", "updated_at")
            if self.fault == "read-only-taken" and name in fields
        }
        kept = {name: fields[name] for name in FIELDS if name in fields}
        self.customers[key] = {
            "id": key,
            "tenant": tenant,
            **kept,
            "status": "active",
            "created_at": stamp,
            "updated_at": stamp,
            **forged,
        }
        return self.customers[key]

    def view(self, record: dict[str, Any]) -> dict[str, Any]:
        hidden = {"tenant"} if self.fault == "password-shown" else {"tenant", "password"}
        shown = {name: value for name, value in record.items() if name not in hidden}
        if self.fault == "missing-field":
            del shown["updated_at"]
        if self.fault == "wrong-type" and "credit_cents" in shown:
            shown["credit_cents"] = str(shown["credit_cents"])
        return shown

    def caller(self, request: Request) -> str:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if self.fault == "auth-ignored" and request.method == "DELETE":
            return TOKENS.get(token, "north")
        if self.fault == "expired-accepted" and token == "acme-sandbox-003":
            return "north"
        if scheme.lower() != "bearer" or token not in TOKENS:
            raise Refusal(401, "unauthenticated", "A valid token is required.")
        return TOKENS[token]

    def find(self, request: Request, tenant: str) -> dict[str, Any]:
        record = self.customers.get(request.path_params["customer_id"])
        if record is None or (record["tenant"] != tenant and self.fault != "tenant-leak"):
            raise Refusal(404, "unknown", "There is no such customer.")
        return record

    def check(self, body: dict[str, Any], required: tuple[str, ...]) -> dict[str, Any]:
        if self.fault == "required-defaulted" and "currency" not in body and "name" in body:
            body = {**body, "currency": "USD"}
        for name in required:
            if name not in body:
                raise Refusal(422, "missing", f"{name} is required.")
        for name, (kind, fits) in FIELDS.items():
            value = body.get(name)
            if name in body and (not isinstance(value, kind) or isinstance(value, bool) or not fits(value)):
                raise Refusal(422, "invalid", f"{name} is wrong.")
        if self.fault == "long-refused" and len(body.get("name", "")) > 100:
            raise Refusal(422, "invalid", "name is too long.")
        if self.fault == "zero-refused" and body.get("credit_cents") == 0:
            raise Refusal(422, "invalid", "credit_cents is too small.")
        if self.fault == "crash-on-other-alphabets":
            str(body.get("name", "")).encode("latin-1")
        return self.careless(body)

    def careless(self, body: dict[str, Any]) -> dict[str, Any]:
        if self.fault == "text-trimmed":
            return {name: value.strip() if isinstance(value, str) else value for name, value in body.items()}
        if self.fault == "numbers-rounded" and "credit_cents" in body:
            return {**body, "credit_cents": int(float(body["credit_cents"]))}
        return body

    def resolve(self, tenant: str, body: dict[str, Any], but: str = "") -> None:
        if "plan_id" in body and body["plan_id"] not in PLANS and self.fault != "dangling-accepted":
            raise Refusal(422, "dangling", "There is no such plan.")
        taken = body.get("external_id")
        if taken is None or self.fault == "unique-ignored":
            return
        for key, record in self.customers.items():
            same = record["tenant"] == tenant or self.fault == "unique-across-tenants"
            if key != but and same and record.get("external_id") == taken:
                raise Refusal(409, "duplicate", "The external id is taken.")

    async def list(self, request: Request) -> Response:
        tenant = self.caller(request)
        page = self.page(request)
        asked = {name: request.query_params[name] for name in ("currency", "name") if name in request.query_params}
        for name, value in asked.items():
            if not FIELDS[name][1](value):
                raise Refusal(400, "parameter", f"{name} is wrong.")
        if self.fault == "filter-ignored":
            asked = {}
        joined = any if self.fault == "filters-joined-by-or" and asked else all
        found = [
            record
            for record in self.customers.values()
            if record["tenant"] == tenant and joined(record.get(name) == value for name, value in asked.items())
        ]
        if self.fault == "not-listed":
            found = found[:-1]
        start = (page - 1) * PAGE
        slip = {"page-skips": 1, "page-repeats": -1}.get(self.fault or "", 0) if page > 1 else 0
        shown = found[start + slip : start + slip + PAGE]
        last = start + PAGE >= len(found)
        total = len(found) + (self.fault == "total-off-by-one")
        following = None if last else f"/customers?page={page + 1}"
        return self.answer(200, {"data": [self.view(record) for record in shown], "total": total, "next": following})

    def page(self, request: Request) -> int:
        text = request.query_params.get("page", "1")
        if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:9]) <= 100000 or len(text) > 6:
            raise Refusal(400, "parameter", "page is wrong.")
        return int(text)

    async def create(self, request: Request) -> Response:
        tenant = self.caller(request)
        key = request.headers.get("idempotency-key")
        if key is not None and (not 1 <= len(key) <= 255 or not all("!" <= sign <= "~" for sign in key)):
            raise Refusal(400, "parameter", "Idempotency-Key is wrong.")
        body = await self.read(request)
        place = ("" if self.fault == "keys-shared-between-tenants" else tenant, key or "")
        if key is not None and self.fault != "idempotency-ignored" and place in self.replies:
            text, reply = self.replies[place]
            if text != json.dumps(body, sort_keys=True) and self.fault != "other-body-replayed":
                raise Refusal(422, "key-reused", "The key was used with another body.")
            if reply is None:
                raise Refusal(409, "key-in-use", "The first call is still running.")
            return self.answer(self.made, reply)
        if self.fault == "example-refused" and set(body) == {"name", "currency"} and body["currency"] == "GBP":
            raise Refusal(422, "invalid", "No pounds.")
        if self.fault == "failed-create-stays" and "name" in body:
            self.store(tenant, {**body, "external_id": None})
        fields = self.check(body, ("name", "currency"))
        self.resolve(tenant, fields)
        if self.fault == "race-makes-two":
            await asyncio.sleep(0.02)
        shown = self.view(self.store(tenant, fields))
        if key is not None and self.fault != "race-makes-two":
            self.replies[place] = (json.dumps(body, sort_keys=True), shown)
        elif key is not None:
            self.replies.setdefault(place, (json.dumps(body, sort_keys=True), shown))
        return self.answer(self.made, shown)

    async def get(self, request: Request) -> Response:
        record = self.find(request, self.caller(request))
        if self.fault == "stale-read":
            return self.answer(200, self.shown.setdefault(record["id"], self.view(record)))
        return self.answer(200, self.view(record))

    async def update(self, request: Request) -> Response:
        tenant = self.caller(request)
        record = self.find(request, tenant)
        fields = self.check(await self.read(request), ())
        self.resolve(tenant, fields, but=record["id"])
        changed = {name: value for name, value in fields.items() if name in FIELDS}
        if self.fault == "update-merges-metadata" and "metadata" in changed:
            changed["metadata"] = {**record.get("metadata", {}), **changed["metadata"]}
        if self.fault == "update-wipes":
            for name in ("email", "description"):
                record.pop(name, None)
        moved = {"created_at": self.now()} if self.fault == "created-moves" else {}
        updated = {**record, **changed, "updated_at": self.now(), **moved}
        if self.fault != "update-not-stored":
            self.customers[record["id"]] = updated
        return self.answer(200, self.view(updated))

    async def delete(self, request: Request) -> Response:
        record = self.find(request, self.caller(request))
        if self.fault != "delete-keeps":
            del self.customers[record["id"]]
        if self.fault == "delete-takes-neighbour":
            following = [key for key in self.customers if key > record["id"]]
            for key in following[1:2]:
                del self.customers[key]
        return Response(status_code=204)

    async def archive(self, request: Request) -> Response:
        record = self.find(request, self.caller(request))
        if record["status"] != "active" and self.fault != "archive-twice":
            raise Refusal(409, "state", "The customer is archived.")
        if self.fault != "archive-does-nothing":
            record.update(status="archived", updated_at=self.now())
        return self.answer(200, {**self.view(record), "status": "archived"})

    async def filter(self, request: Request) -> Response:
        tenant = self.caller(request)
        media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        asked = _conditions(_unpack(request.query_params.multi_items()).get("filter", {}), 400, as_text=True)
        if media == "application/x-www-form-urlencoded":
            form = _unpack((await request.form()).multi_items())
            asked |= {} if self.fault == "form-ignored" else _conditions(form.get("filter", {}), 422, as_text=True)
        elif media or await request.body():
            asked |= _conditions((await self.read(request)).get("filter", {}), 422, as_text=False)
        size, start, order = asked.pop("$limit", 1000), asked.pop("$offset", 0), asked.pop("$sortorder", "asc")
        joined = any if self.fault == "conditions-joined-by-or" else all
        tests = [(name, op, want) for name, ops in asked.items() for op, want in ops.items()]
        found = [
            record
            for record in self.customers.values()
            if record["tenant"] == tenant
            and joined(self.matches(record.get(name), op, want) for name, op, want in tests)
        ]
        found = found[::-1] if order == "desc" else found
        shown = found if self.fault == "limit-ignored" else found[start : start + size]
        return self.answer(200, {"data": [self.view(record) for record in shown]})

    def matches(self, have: Any, operator: str, want: Any) -> bool:
        if operator in ("$is_null", "$not_null"):
            return (have is None) == (want == (operator == "$is_null"))
        if have is None:
            return False
        if self.fault == "operator-wrong" and operator == "$starts":
            operator = "$contains"
        if (
            isinstance(have, int)
            and self.fault != "compared-as-text"
            and operator not in ("$starts", "$ends", "$contains")
        ):
            try:
                want = [float(item) for item in want] if isinstance(want, list) else float(want)
            except ValueError:
                return operator in ("$not_equals", "$not_in")
            return OPERATORS[operator](have, want)
        return OPERATORS[operator](str(have), want)

    async def read(self, request: Request) -> dict[str, Any]:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise Refusal(415, "media-type", "The body must be JSON.")
        try:
            body = json.loads((await request.body()).decode("utf-8"), parse_constant=_refuse)
            json.dumps(body, ensure_ascii=False).encode()
        except (ValueError, RecursionError):
            if self.fault == "crash-on-malformed":
                raise
            raise Refusal(400, "malformed", "The body is not JSON.") from None
        if not isinstance(body, dict):
            raise Refusal(400, "malformed", "The body is not an object.")
        return body

    def answer(self, status: int, body: Any) -> Response:
        if self.fault == "html" and status == 200:
            return Response(json.dumps(body), 200, media_type="text/html")
        return JSONResponse(body, status)


def _conditions(node: Any, status: int, *, as_text: bool) -> dict[str, Any]:
    """The conditions of a filter, checked; numbers and booleans are read from text where they come as text."""

    def wrong(name: str) -> Refusal:
        return Refusal(status, "invalid", f"{name} is wrong.")

    if not isinstance(node, dict):
        raise wrong("filter")
    read: dict[str, Any] = {}
    for name, value in node.items():
        if name in ("$limit", "$offset"):
            number = (
                int(value) if as_text and isinstance(value, str) and value.isdecimal() and len(value) < 6 else value
            )
            if not isinstance(number, int) or isinstance(number, bool) or not (name == "$limit") <= number <= 1000:
                raise wrong(name)
            read[name] = number
        elif name == "$sortorder" and value in ("asc", "desc"):
            read[name] = value
        elif name in ("name", "credit_cents") and (isinstance(value, dict) or (as_text and value == "")):
            value = value or {}  # an empty object has no other spelling in a query
            read[name] = {
                operator: _operand(operator, item, as_text, wrong(operator)) for operator, item in value.items()
            }
        else:
            raise wrong(name)
    return read


def _operand(operator: str, value: Any, as_text: bool, wrong: Refusal) -> Any:
    if operator in ("$is_null", "$not_null"):
        value = {"true": True, "false": False}.get(value, value) if as_text and isinstance(value, str) else value
        right = isinstance(value, bool)
    elif operator in ("$in", "$not_in"):
        value = (value.split(",") if value else []) if as_text and isinstance(value, str) else value
        right = isinstance(value, list) and all(isinstance(item, str) for item in value)
    else:
        right = operator in OPERATORS and isinstance(value, str)
    if not right:
        raise wrong
    return value


def _unpack(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """`filter[name][$in][]=a` and `filter[name][$in][0]=a` as nested values."""
    made: dict[str, Any] = {}
    for name, value in pairs:
        *above, last = name.replace("]", "").split("[")
        if not above or above[0] != "filter":
            continue
        is_item = last == "" or last.isdecimal()
        *above, last = above if is_item else (*above, last)
        node: Any = made
        for step in above:
            node = node.setdefault(step, {}) if isinstance(node, dict) else None
        if not isinstance(node, dict):
            raise Refusal(400, "parameter", "filter is wrong.")
        if is_item and isinstance(node.setdefault(last, []), list):
            node[last].append(value)
        else:
            node[last] = value
    return made


def _refuse(text: str) -> Any:
    raise ValueError(text)


def create_app(fault: str | None = None) -> Starlette:
    """The server as an ASGI app; a new one each time."""
    acme = Acme(fault)

    def guarded(handle: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def call(request: Request) -> Response:
            try:
                return await handle(request)
            except Refusal as refusal:
                return error(refusal.status, refusal.code, refusal.message)
            except Exception as unexpected:
                return error(500, "bug", type(unexpected).__name__)

        return call

    def error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Response:
        if acme.fault == "wrong-envelope" and status == 404:
            return JSONResponse({"message": message}, status, headers)
        return JSONResponse({"error": {"code": code, "message": message}}, status, headers)

    async def plain(request: Request, failure: Exception) -> Response:
        assert isinstance(failure, HTTPException)
        headers = {}
        if isinstance(failure, _NotAllowed) and acme.fault != "no-allow":
            headers = {"Allow": ", ".join(failure.methods)}
        return error(failure.status_code, "http", failure.detail, headers)

    def route(path: str, table: dict[str, Callable[[Request], Awaitable[Response]]]) -> Route:
        async def call(request: Request) -> Response:
            if request.method not in table:
                raise _NotAllowed(tuple(table))
            return await guarded(table[request.method])(request)

        return Route(path, call, methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE"])

    return Starlette(
        routes=[
            route("/customers", {"GET": acme.list, "POST": acme.create}),
            route("/filters/customers", {"POST": acme.filter}),
            route("/customers/{customer_id}", {"GET": acme.get, "PATCH": acme.update, "DELETE": acme.delete}),
            route("/customers/{customer_id}/archive", {"POST": acme.archive}),
        ],
        exception_handlers={HTTPException: plain},
    )


def from_environment() -> Starlette:
    """The server with the fault that the environment names."""
    return create_app(os.environ.get("ACME_FAULT"))


class _NotAllowed(HTTPException):
    def __init__(self, methods: tuple[str, ...]) -> None:
        super().__init__(405)
        self.methods = methods
