"""Documents of ten, five hundred and a thousand operations: what a call costs, how long the start takes, and the document that is served."""

from __future__ import annotations

import contextlib
import json
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from bench.load import Request
from bench.machine import CannotMeasure
from bench.peers import CACHE, python
from bench.processes import Server, free_port, running
from bench.results import Figure, Ratio, Row, quotient
from bench.rows.customers import HEADERS, TOKEN
from bench.rows.pairs import Ready, compare, figures, sample
from bench.settings import Settings

TITLE = "Many operations"
HOW = (
    "Resources of five operations each, every one with schemas of its own. The call is a GET by id of the last resource; the start ends with"
    " its first 2xx."
)
SIZES = (10, 500, 1000)
EACH = 5
GET = "GET by id"
CONNECTIONS = 64
ASKED = 5
Costs = Mapping[int, list[float]]


def measure(settings: Settings) -> Row:
    """Starts first, each size in turn; then the calls, all sizes up at once."""
    documents = {size: document(size) for size in SIZES}
    started: dict[int, list[float]] = defaultdict(list)
    served: dict[int, list[float]] = defaultdict(list)
    for number in range(settings.rounds + 1):
        settings.say(f"operations: start {number} of {settings.rounds}")
        for size, path in documents.items():
            with _up(path, size, settings.cores.server) as (server, _):
                if number:
                    started[size].append(server.cpu_seconds())
                    served[size].append(_serving(server, size))
    servers: dict[str, Ready] = {
        f"{size} operations": partial(_up, path, size, settings.cores.server) for size, path in documents.items()
    }
    samples = sample(settings, "operations", servers, (GET,), (CONNECTIONS,), HEADERS)
    few, _, many = servers
    ratios = [
        Ratio(ratio.measure, ratio.against, ratio.by, tuple(1 / value for value in ratio.values), 1.1, "most")
        for ratio in compare(samples, many, few, GET, CONNECTIONS)
    ]
    _, middle, high = SIZES
    each = [[seconds / size for seconds in served[size]] for size in (high, middle)]
    ratios.append(_slope(started))
    ratios.append(
        Ratio("document served, for each operation", f"{middle} operations", "time", quotient(*each), 1.25, "most")
    )
    found = [
        Figure("start to the first 2xx", f"{size} operations", "CPU s", tuple(values))
        for size, values in started.items()
    ]
    found += [Figure("document served", f"{size} operations", "s", tuple(values)) for size, values in served.items()]
    return Row("operations", TITLE, HOW, tuple(ratios), (*found, *figures(samples)))


def _serving(server: Server, size: int) -> float:
    """Seconds until the document has come, made anew for a world that has not asked for it: the middle one of some."""
    taken = []
    for number in range(ASKED):
        before = time.perf_counter()
        reply = server.ask("GET", f"/w/bench-{number}/many/openapi.json")
        taken.append(time.perf_counter() - before)
        if len(reply.value["paths"]) != 2 * size // EACH:
            raise CannotMeasure(f"the document served has {len(reply.value['paths'])} paths.")
    return median(taken)


def _slope(costs: Costs) -> Ratio:
    """What an operation adds to the start from the middle size to the largest, over what it adds up to the middle: 1 where it is linear."""
    low, middle, high = SIZES
    rises = [
        [(b - a) / (large - small) for a, b in zip(costs[small], costs[large], strict=True)]
        for small, large in ((low, middle), (middle, high))
    ]  # fmt: skip
    return Ratio(
        "start, for each further operation",
        f"those up to {middle}",
        "CPU time",
        quotient(rises[1], rises[0]),
        1.25,
        "most",
    )


@contextlib.contextmanager
def _up(document: Path, size: int, core: int) -> Iterator[tuple[Server, Mapping[str, Request]]]:
    """A server of the document, proven to hold the record that its last resource was sent."""
    port = free_port()
    last = size // EACH - 1
    path = f"/many/v1/things-{last}"
    with running(f"{size} operations", python("bench.servers.ours", str(document))(port), port, core) as server:
        made = server.wait("POST", path, {"name": "A thing", "size": last}, HEADERS)
        got = server.ask("GET", f"{path}/{made.value['id']}", headers=HEADERS)
        if (got.status, got.value) != (200, made.value):
            raise CannotMeasure(f"the document of {size} operations answers GET with {got}.")
        yield server, {GET: Request("GET", f"{path}/{made.value['id']}")}


def document(size: int) -> Path:
    """A document of so many operations, with the fixtures it needs, in the cache."""
    root = CACHE / f"many-{size}"
    fixtures = root / "fixtures" / "many"
    path = root / "openapi" / "many.yaml"
    for folder in (fixtures, path.parent):
        folder.mkdir(parents=True, exist_ok=True)
    caller = {"summary": "The only caller.", "value": {"token": TOKEN, "tenant": "north"}}
    (fixtures / "Credential.yaml").write_text(json.dumps({"records": {"default": caller}}))
    path.write_text(json.dumps(_content(size), indent=1))
    return path


def _content(size: int) -> dict[str, Any]:
    problem = {"description": "Refused.", "content": _json("Problem", {"title": "invalid", "status": 422})}
    schemas: dict[str, Any] = {
        "Credential": {
            "type": "object",
            "x-resource": {"key": "token", "scope": "vendor", "known": True},
            "required": ["token", "tenant"],
            "properties": {"token": {"type": "string"}, "tenant": {"type": "string"}},
        },
        "Problem": {
            "type": "object",
            "required": ["title", "status"],
            "properties": {"title": {"type": "string"}, "status": {"type": "integer", "minimum": 400, "maximum": 599}},
        },
    }
    paths: dict[str, Any] = {}
    for number in range(size // EACH):
        schemas |= _schemas(number)
        paths |= _paths(number)
    statuses = {
        "malformed": 400,
        "missing": 422,
        "invalid": 422,
        "parameter": 400,
        "unauthenticated": 401,
        "unknown": 404,
    }
    return {
        "openapi": "3.0.3",
        "info": {"title": "Many", "version": "v1", "description": f"{size} operations."},
        "x-vendor": {"name": "many", "error": "Problem", "tenancy": {"in": "credential"}, "statuses": statuses},
        "servers": [{"url": "https://api.many.example.com"}],
        "tags": [{"name": "Things", "description": "Things."}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "responses": {"Refused": problem},
            "schemas": schemas,
        },
    }


def _schemas(number: int) -> dict[str, Any]:
    fields = {
        "name": {"type": "string", "minLength": 1, "maxLength": 100 + number},
        "size": {"type": "integer", "minimum": 0, "maximum": 1_000_000 + number},
        "made_on": {"type": "string", "format": "date"},
    }
    stored = {"id": {"type": "string"}, **fields, "created_at": {"type": "string", "format": "date-time"}}
    facts = {"key": "id", "mint": {"id": f"t{number}_{{n:06d}}"}, "created": "created_at"}
    thing = {"type": "object", "x-resource": facts, "required": ["id", "name"], "properties": stored}
    return {
        f"Thing{number}": thing,
        f"NewThing{number}": {"type": "object", "required": ["name"], "properties": fields},
    }


def _paths(number: int) -> dict[str, Any]:
    thing = f"Thing{number}"
    shown = {"id": f"t{number}_000001", "name": "A thing"}
    by = {"by": "path.id"}
    key = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    sent = {"required": True, "content": _json(f"New{thing}", {"name": "A thing"})}
    listed = {
        "application/json": {
            "schema": {"type": "array", "items": {"$ref": f"#/components/schemas/{thing}"}},
            "examples": {"one": {"value": [shown]}},
        }
    }
    one = _json(thing, shown)
    return {
        f"/v1/things-{number}": {
            "get": _operation(f"list{thing}", {"list": thing}, "200", listed),
            "post": {**_operation(f"create{thing}", {"create": thing}, "201", one), "requestBody": sent},
        },
        f"/v1/things-{number}/{{id}}": {
            "parameters": [key],
            "get": _operation(f"get{thing}", {"retrieve": thing, **by}, "200", one),
            "put": {**_operation(f"update{thing}", {"update": thing, **by}, "200", one), "requestBody": sent},
            "delete": _operation(f"delete{thing}", {"delete": thing, **by}, "204", None),
        },
    }


def _operation(name: str, action: Mapping[str, str], status: str, content: Mapping[str, Any] | None) -> dict[str, Any]:
    done: dict[str, Any] = {"description": "Done."}
    refused = {code: {"$ref": "#/components/responses/Refused"} for code in ("400", "401", "404", "415", "422")}
    return {
        "operationId": name,
        "x-action": dict(action),
        "x-provenance": "documented",
        "tags": ["Things"],
        "summary": name,
        "description": name,
        "responses": {status: {**done, "content": content} if content else done, **refused},
    }


def _json(schema: str, example: Any) -> dict[str, Any]:
    return {
        "application/json": {
            "schema": {"$ref": f"#/components/schemas/{schema}"},
            "examples": {"one": {"value": example}},
        }
    }
