"""The miniature vendor in Flask, each call in a thread: bodies are validated against the document itself, and answers go out in chunks.

Where the document leaves it free, it does as few others do: keys are UUIDs, moments have an offset of +05:30, JSON is indented, escaped to
ASCII and has its slashes escaped, optional fields get defaults, filters give the newest first, `next` is a whole URL, a body counts as
another as soon as its bytes differ, and there is nobody in it at the start.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from flask import Flask, Response, g, request
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from right import serving
from right.flask_bodies import COMPONENTS, Refused, hold, read, whole_numbers
from right.flask_filters import passes, unpacked

TENANTS = {"acme-sandbox-001": "north", "acme-sandbox-002": "south"}
WRITABLE = tuple(COMPONENTS["schemas"]["CustomerRequest"]["properties"])
ZONE = timezone(timedelta(hours=5, minutes=30))


@dataclass
class Drawer:
    """What belongs to one tenant."""

    customers: dict[str, dict[str, Any]] = field(default_factory=dict)
    replies: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)


def spelled(value: Any) -> Iterator[str]:
    """JSON piece by piece, as some servers of other languages write it."""
    text = json.dumps(value, indent=4, sort_keys=True).replace("/", "\\/")
    return (text[start : start + 256] for start in range(0, len(text), 256))


def answer(value: Any, status: int = 200, **headers: str) -> Response:
    named = {name.replace("_", "-"): content for name, content in headers.items()}
    return Response(spelled(value), status, Headers(named), content_type="application/json; charset=utf-8")


def refusal(status: int, code: str, message: str, **headers: str) -> Response:
    error = {"code": code, "message": message, "reference": uuid4().hex, "help": "https://docs.example.com/errors"}
    return answer({"error": error, "status": status}, status, **headers)


def moment() -> str:
    return datetime.now(ZONE).isoformat(timespec="microseconds")


class Acme:
    """The state of one server, behind one lock."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.drawers = {tenant: Drawer() for tenant in TENANTS.values()}

    def drawer(self) -> Drawer:
        return self.drawers[g.tenant]

    def found(self, key: str) -> dict[str, Any]:
        try:
            return self.drawer().customers[key]
        except KeyError:
            raise Refused(404, "no_such_customer", f"No customer goes by {key[:50]!r}") from None

    def settled(self, body: dict[str, Any], but: str = "") -> dict[str, Any]:
        """What of a body is kept, its references and its unique value looked at."""
        kept = {name: body[name] for name in WRITABLE if name in body}
        taken = {c["external_id"] for key, c in self.drawer().customers.items() if "external_id" in c and key != but}
        if kept.get("external_id") in taken:
            raise Refused(409, "external_id_taken", "Another customer has this external id")
        if "plan_id" in kept and kept["plan_id"] not in ("basic", "gold"):
            raise Refused(422, "no_such_plan", "There are the plans basic and gold")
        return kept

    def create(self) -> Response:
        key, digest = request.headers.get("Idempotency-Key"), hashlib.sha256(request.get_data()).hexdigest()
        if key is not None and not re.fullmatch("[!-~]{1,255}", key):
            raise Refused(400, "bad_idempotency_key", "1 to 255 visible characters, please")
        body = read()
        with self.lock:
            if key in self.drawer().replies:
                first, shown = self.drawer().replies[key]
                if first != digest:
                    raise Refused(422, "idempotency_key_reused", "This key came with another body before")
                return answer(shown, 201, Idempotent_Replayed="true")
            hold("CustomerRequest", body, 422)
            now = moment()
            record = {"credit_cents": 0, "metadata": {}, **self.settled(whole_numbers(body)), "id": str(uuid4())}
            record |= {"status": "active", "created_at": now, "updated_at": now}
            self.drawer().customers[record["id"]] = record
            if key is not None:
                self.drawer().replies[key] = (digest, shown_of(record))
            return answer(shown_of(record), 201, Location=f"/customers/{record['id']}")

    def index(self) -> Response:
        page = request.args.get("page", "1")
        if not re.fullmatch("[0-9]{1,6}", page) or not 1 <= int(page) <= 100_000:
            raise Refused(400, "bad_parameter", "page is a number from 1 to 100000")
        asked = {name: request.args[name] for name in ("currency", "name") if name in request.args}
        for name, value in asked.items():
            hold(name.title(), value, 400)
        with self.lock:
            mine = [c for c in self.drawer().customers.values() if asked.items() <= {**c, "metadata": 0}.items()]
        start, number = 10 * (int(page) - 1), int(page)
        more = urlencode({**asked, "page": number + 1}) if start + 10 < len(mine) else None
        shown = [shown_of(customer) for customer in mine[start : start + 10]]
        following = f"{request.host_url}customers?{more}" if more else None
        return answer({"data": shown, "total": len(mine), "next": following, "page": number, "object": "list"})

    def show(self, customer_id: str) -> Response:
        with self.lock:
            return answer(shown_of(self.found(customer_id)), Last_Modified="Thu, 01 Jan 2026 00:00:00 GMT")

    def change(self, customer_id: str) -> Response:
        with self.lock:
            customer = self.found(customer_id)
            body = read()
            hold("CustomerChange", body, 422)
            customer.update(self.settled(whole_numbers(body), but=customer_id), updated_at=moment())
            return answer(shown_of(customer))

    def remove(self, customer_id: str) -> Response:
        with self.lock:
            del self.drawer().customers[self.found(customer_id)["id"]]
        return Response(status=204)

    def archive(self, customer_id: str) -> Response:
        with self.lock:
            customer = self.found(customer_id)
            if customer["status"] == "archived":
                raise Refused(409, "already_archived", "Once is enough")
            customer.update(status="archived", updated_at=moment())
            return answer(shown_of(customer))

    def filter(self) -> Response:
        conditions = unpacked(request.query_string.decode("latin-1"), 400)
        media = request.mimetype
        if media == "application/x-www-form-urlencoded":
            conditions |= unpacked(request.get_data().decode("utf-8", "replace"), 422)
        elif request.get_data():
            given = read().get("filter", {})
            hold("CustomerFilter", given, 422)
            conditions |= given
        with self.lock:
            mine = [*self.drawer().customers.values()]
        mine = mine if conditions.get("$sortorder") == "asc" else mine[::-1]
        tests = [(name, *test) for name, ops in conditions.items() if isinstance(ops, dict) for test in ops.items()]
        shown = [shown_of(c) for c in mine if all(passes(c.get(name), op, want) for name, op, want in tests)]
        start = conditions.get("$offset", 0)
        return answer({"data": shown[start : start + conditions.get("$limit", 1000)], "count": len(shown)})


def shown_of(customer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in customer.items() if name != "password"}


def create_app() -> Flask:
    """The server as a WSGI app; a new one each time."""
    app, acme = Flask("acme"), Acme()

    @app.before_request
    def caller() -> None:
        authority = request.authorization
        token = authority.token if authority is not None and authority.type == "bearer" else None
        if request.url_rule is not None and token not in TENANTS:
            raise Refused(401, "unauthorized", "Say who you are")
        g.tenant = TENANTS.get(token or "", "")

    @app.after_request
    def dressed(response: Response) -> Response:
        response.headers["X-Request-Id"] = uuid4().hex
        response.headers["Cache-Control"] = "no-store"
        response.set_cookie("balancer", "b2", path="/")
        return response

    @app.errorhandler(Refused)
    def refused(error: Refused) -> Response:
        challenge = {"WWW_Authenticate": 'Bearer realm="acme"'} if error.status == 401 else {}
        return refusal(error.status, error.code, error.message, **challenge)

    @app.errorhandler(HTTPException)
    def plain(error: HTTPException) -> Response:
        kept = {name.replace("-", "_"): text for name, text in error.get_headers() if name in ("Allow", "Location")}
        return refusal(error.code or 500, "http", error.name, **kept)

    routes = {
        "/customers": {"GET": acme.index, "POST": acme.create},
        "/customers/<customer_id>": {"GET": acme.show, "PATCH": acme.change, "DELETE": acme.remove},
        "/customers/<customer_id>/archive": {"POST": acme.archive},
        "/filters/customers": {"POST": acme.filter},
    }
    for path, table in routes.items():
        for method, function in table.items():
            app.add_url_rule(path, f"{method} {path}", function, methods=[method])
    return app


class Handler(WSGIRequestHandler):
    """Connections stay open, bodies of unknown length go out in chunks, and nothing is logged."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
        pass


def create_server() -> BaseWSGIServer:
    return make_server("127.0.0.1", 0, create_app(), threaded=True, request_handler=Handler)


def serve() -> Any:
    """A new one at work, for as long as the context lasts; its URL."""
    return serving(create_server())
