"""The miniature vendor on the standard library alone: http.server, and SQLite in memory for its store.

Where the document leaves it free: keys are numbers as text, moments have whole seconds, an equal body is equal as JSON, a key whose first
call is still running is refused, a filter takes no null for unlike anything, `next` is a query alone, conditions of one column are refused
before those of the next, HEAD and OPTIONS are not offered, and who may not call is told so before anything else.
"""

from __future__ import annotations

import json
import re
import sqlite3
import threading
import time
from datetime import UTC, datetime
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode

from right import serving
from right.plain import Asked, Refused, Told, create_server
from right.plain_filters import compared, conditions, nested

TOKENS = {"acme-sandbox-001": "north", "acme-sandbox-002": "south"}
SCHEMA = """
create table plan (id text primary key);
insert into plan values ('basic'), ('gold');
create table customer (
  number integer primary key autoincrement, tenant text not null, external_id text, name text not null, email text, description text,
  currency text not null, credit_cents integer, plan_id text references plan, metadata text, password text,
  status text not null default 'active', created_at text not null, updated_at text not null, unique (tenant, external_id)
);
create table reply (tenant text, key text, body text not null, shown text, primary key (tenant, key));
insert into sqlite_sequence values ('customer', 40000);
"""
LENGTHS = {"external_id": (1, 64), "name": (1, 200), "email": (0, 254), "description": (0, 1000), "password": (8, 100)}
WRITABLE = (*LENGTHS, "currency", "credit_cents", "plan_id", "metadata")
SHOWN = ("external_id", "name", "email", "description", "currency", "credit_cents", "plan_id", "metadata")


def check(body: dict[str, Any]) -> dict[str, Any]:
    """What of a body is kept, each field of its type and size."""
    for name, (least, most) in LENGTHS.items():
        if name in body and not (isinstance(body[name], str) and least <= len(body[name]) <= most):
            raise Refused(422, f"{name} is a text of {least} to {most} characters")
    if "currency" in body and body["currency"] not in ("EUR", "GBP", "USD"):
        raise Refused(422, "currency is EUR, GBP or USD")
    cents = body.get("credit_cents", 0)
    if not isinstance(cents, int) or isinstance(cents, bool) or not 0 <= cents <= 9_007_199_254_740_993:
        raise Refused(422, "credit_cents is a whole number up to 9007199254740993")
    if not isinstance(body.get("plan_id", ""), str) or not isinstance(body.get("metadata", {}), dict):
        raise Refused(422, "plan_id is a text, metadata an object")
    kept = {name: body[name] for name in WRITABLE if name in body}
    return kept | ({"metadata": json.dumps(kept["metadata"])} if "metadata" in kept else {})


def shown_of(row: sqlite3.Row) -> dict[str, Any]:
    fields = {name: row[name] for name in SHOWN if row[name] is not None}
    if "metadata" in fields:
        fields["metadata"] = json.loads(fields["metadata"])
    stamps = {"created_at": row["created_at"], "updated_at": row["updated_at"]}
    return {**stamps, "status": row["status"], **fields, "id": str(row["number"])}


def moment() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"


class Acme:
    """The state of one server: a database, and a lock around it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.store = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self.store.row_factory = sqlite3.Row
        self.store.executescript(SCHEMA)
        self.store.execute("pragma foreign_keys = on")

    def handle(self, asked: Asked) -> Told:
        """Who calls, then what, then whether by this method."""
        if asked.token not in TOKENS:
            raise Refused(401, "who are you", **{"www-authenticate": "Bearer"})
        tenant, route = TOKENS[asked.token], self.route(asked)
        if route is None:
            raise Refused(404, "there is nothing here")
        if asked.method not in route:
            raise Refused(405, "not like this", allow=",".join(sorted(route)))
        return route[asked.method](asked, tenant)  # type: ignore[no-any-return]

    def route(self, asked: Asked) -> dict[str, Any] | None:
        match asked.path:
            case ("customers",):
                return {"GET": self.list, "POST": self.create}
            case ("customers", key) if key:
                return {"GET": self.get, "PATCH": self.update, "DELETE": self.delete}
            case ("customers", key, "archive") if key:
                return {"POST": self.archive}
            case ("filters", "customers"):
                return {"POST": self.filter}
        return None

    def ask(self, text: str, *values: Any) -> list[sqlite3.Row]:
        """One statement. What breaks a rule of the schema is refused as the document has it."""
        try:
            return self.store.execute(text, values).fetchall()
        except sqlite3.IntegrityError as error:
            if "FOREIGN KEY" in str(error):
                raise Refused(422, "there is no such plan") from None
            raise Refused(409, "external_id is taken") from None

    def row(self, asked: Asked, tenant: str) -> sqlite3.Row:
        key = asked.path[1]
        number = int(key) if re.fullmatch("[1-9][0-9]{0,17}", key) else 0
        for row in self.ask("select * from customer where number = ? and tenant = ?", number, tenant):
            return row
        raise Refused(404, "there is no such customer")

    def list(self, asked: Asked, tenant: str) -> Told:
        query = dict(reversed(asked.query))
        if (
            not re.fullmatch("[0-9]{1,6}", query.get("page", "1"))
            or not 1 <= (page := int(query.get("page", 1))) <= 100_000
        ):
            raise Refused(400, "page is a number from 1 to 100000")
        if query.get("currency", "EUR") not in ("EUR", "GBP", "USD") or not 1 <= len(query.get("name", "-")) <= 200:
            raise Refused(400, "currency is EUR, GBP or USD, and name a text of up to 200 characters")
        given = {name: query[name] for name in ("name", "currency") if name in query}
        where = "from customer where tenant = ?" + "".join(f" and {name} = ?" for name in given)
        with self.lock:
            (total,) = self.ask(f"select count(*) {where}", tenant, *given.values())[0]
            rows = self.ask(
                f"select * {where} order by number limit 10 offset ?", tenant, *given.values(), 10 * page - 10
            )
        following = f"?{urlencode({**given, 'page': page + 1})}" if total > 10 * page else None
        return Told(200, {"next": following, "data": [shown_of(row) for row in rows], "total": total})

    def create(self, asked: Asked, tenant: str) -> Told:
        key, body = asked.headers.get("idempotency-key"), asked.json()
        if key is None:
            return Told(201, self.store_new(tenant, body))
        if not re.fullmatch("[!-~]{1,255}", key):
            raise Refused(400, "an idempotency key has 1 to 255 visible characters")
        if (first := self.begin(tenant, key, json.dumps(body, sort_keys=True))) is not None:
            return Told(201, first, {"x-replayed": "1"})
        time.sleep(0.002)  # long enough for a second call to find the first one under way
        try:
            shown = self.store_new(tenant, body)
        except Refused:
            with self.lock:
                self.ask("delete from reply where tenant = ? and key = ?", tenant, key)
            raise
        with self.lock:
            self.ask("update reply set shown = ? where tenant = ? and key = ?", json.dumps(shown), tenant, key)
        return Told(201, shown)

    def begin(self, tenant: str, key: str, body: str) -> Any:
        """The first call's answer; None where this is the first call, which is noted."""
        with self.lock:
            if not (before := self.ask("select * from reply where tenant = ? and key = ?", tenant, key)):
                self.ask("insert into reply values (?, ?, ?, null)", tenant, key, body)
                return None
        if before[0]["body"] != body:
            raise Refused(422, "this key came with another body")
        if before[0]["shown"] is None:
            raise Refused(409, "the first call is still running")
        return json.loads(before[0]["shown"])

    def store_new(self, tenant: str, body: dict[str, Any]) -> dict[str, Any]:
        if not {"name", "currency"} <= set(body):
            raise Refused(422, "name and currency are needed")
        now = moment()
        record = {**check(body), "tenant": tenant, "created_at": now, "updated_at": now}
        names, marks = ", ".join(record), ", ".join("?" * len(record))
        with self.lock:
            return shown_of(
                self.ask(f"insert into customer ({names}) values ({marks}) returning *", *record.values())[0]
            )

    def get(self, asked: Asked, tenant: str) -> Told:
        with self.lock:
            return Told(200, shown_of(self.row(asked, tenant)))

    def update(self, asked: Asked, tenant: str) -> Told:
        changes = check(asked.json())
        with self.lock:
            number = self.row(asked, tenant)["number"]
            if changes:
                sets = "".join(f"{name} = ?, " for name in changes)
                self.ask(
                    f"update customer set {sets} updated_at = ? where number = ?", *changes.values(), moment(), number
                )
            return Told(200, shown_of(self.row(asked, tenant)))

    def delete(self, asked: Asked, tenant: str) -> Told:
        with self.lock:
            self.ask("delete from customer where number = ?", self.row(asked, tenant)["number"])
        return Told(204)

    def archive(self, asked: Asked, tenant: str) -> Told:
        with self.lock:
            row = self.row(asked, tenant)
            if row["status"] != "active":
                raise Refused(409, "it is archived")
            self.ask(
                "update customer set status = 'archived', updated_at = ? where number = ?", moment(), row["number"]
            )
            return Told(200, shown_of(self.row(asked, tenant)))

    def filter(self, asked: Asked, tenant: str) -> Told:
        asks = conditions(nested(asked.query), 400)
        if asked.media == "application/x-www-form-urlencoded":
            asks |= conditions(nested(parse_qsl(asked.body.decode("utf-8", "replace"), keep_blank_values=True)), 422)
        elif asked.media or asked.body:
            asks |= conditions(asked.json().get("filter", {}), 422)
        where, values = "tenant = ?", [tenant]
        for column in ("name", "credit_cents"):
            for operator, operand in asks.get(column, {}).items():
                test, *more = compared(column, operator, operand)
                where, values = f"{where} and {test}", [*values, *more]
        order = "desc" if asks.get("$sortorder") == "desc" else "asc"
        window = (asks.get("$limit", -1), asks.get("$offset", 0))
        with self.lock:
            rows = self.ask(
                f"select * from customer where {where} order by number {order} limit ? offset ?", *values, *window
            )
        return Told(200, {"data": [shown_of(row) for row in rows]})


def server() -> ThreadingHTTPServer:
    """A new one, not yet at work."""
    return create_server(Acme().handle, lambda status, message: {"error": {"message": message, "code": f"E{status}"}})


def serve() -> Any:
    """A new one at work, for as long as the context lasts; its URL."""
    return serving(server())
