"""What a request costs in counts, which need no clock and no peer: calls, bytecode steps, and bytes at the peak, of one request in-process.

`python -m bench.cost` compares them with the budget, `--update` makes them the budget, `--json` prints them. The counts are the same on every machine
with the same Python and the same versions of what is on the path.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import click
from starlette.types import ASGIApp

from bench.inprocess import Prepared, call, prepare, run

BUDGET = Path(__file__).with_name("budget.json")
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
MARGIN = {"calls": 0.05, "steps": 0.05, "bytes": 0.20}
STALE, FOREIGN = 0.30, 0.60
WARM, TIMES = 5, 3


@dataclass(frozen=True)
class Cost:
    """Calls of Python and C functions, bytecode instructions, and the most bytes that Python held at once beyond what it held before."""

    calls: int
    steps: int
    bytes: int


def cost(app: ASGIApp, make: Callable[[], Prepared]) -> Cost:
    """What one request costs, once the path is warm: the least of a few, for a dict that grows now and then is no news."""
    for _ in range(WARM):
        call(app, make())
    gc.collect()
    gc.disable()
    try:
        return Cost(
            min(_calls(app, make()) for _ in range(TIMES)),
            min(_steps(app, make()) for _ in range(TIMES)),
            min(_bytes(app, make()) for _ in range(TIMES)),
        )
    finally:
        gc.enable()


def _calls(app: ASGIApp, request: Prepared) -> int:
    count = 0

    def profile(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(profile)
    try:
        run(app, request, _drop)
    finally:
        sys.setprofile(None)
    return count


def _steps(app: ASGIApp, request: Prepared) -> int:
    count = 0

    def enter(frame: FrameType, _event: str, _argument: Any) -> Any:
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        return step

    def step(_frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal count
        count += event == "opcode"
        return step

    sys.settrace(enter)
    try:
        run(app, request, _drop)
    finally:
        sys.settrace(None)
    return count


def _bytes(app: ASGIApp, request: Prepared) -> int:
    tracemalloc.start()
    try:
        run(app, request, _drop)
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        run(app, request, _drop)
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def _drop(_message: Any) -> None:
    """Keep nothing of the answer."""


def costs() -> Mapping[str, Cost]:
    """Every path that has a budget, measured."""
    return {name: cost(app, make) for name, app, make in _paths()}


def _paths() -> Iterator[tuple[str, ASGIApp, Callable[[], Prepared]]]:
    """The small document's paths with a full page of records, then those of our largest document."""
    from bench.rows.customers import HEADERS, new
    from bench.rows.subscriptionflow import PATH, VENDOR, body, credentials
    from bench.servers.customers import DOCUMENT, PAGE
    from mock_server import Vendor, create_app
    from mock_server.contract import load, load_fixtures

    numbers = iter(range(10**9))

    def sender(
        app: ASGIApp, root: str, headers: Mapping[str, str], status: int, method: str, path: str, sent: Callable[[], Any] | None = None
    ) -> Callable[[], Prepared]:  # fmt: skip
        def make() -> Prepared:
            return prepare(method, f"{root}{path}", headers, json.dumps(sent()).encode() if sent else b"")

        answer = call(app, make())
        assert answer[0] == status, f"{method} {path}: {answer}"
        return make

    contract = load(DOCUMENT)
    app = create_app(extra=[(contract, load_fixtures(contract), Vendor(contract.name))])
    small = (app, "/small/customers", HEADERS)
    for number in range(PAGE - 1):
        sender(*small, 201, "POST", "", partial(new, f"seed{number}"))
    yield "small: get", app, sender(*small, 200, "GET", "/cus_0000001")
    yield "small: list of 50", app, sender(*small, 200, "GET", "")
    yield "small: create", app, sender(*small, 201, "POST", "", lambda: new(f"{next(numbers):07d}"))
    yield "small: search", app, sender(*small, 200, "GET", "/search?external_id=ext-seed7")
    yield "small: unknown", app, sender(*small, 404, "GET", "/nobody")
    yield "small: refused", app, sender(*small, 422, "POST", "", lambda: {**new("wrong"), "currency": "XXX"})

    app = create_app([VENDOR])
    vendor = (app, f"/{VENDOR}{PATH}", credentials())
    known = load_fixtures(load(VENDOR)).of("Customer")[0].value["id"]
    complete = body("complete")
    yield f"{VENDOR}: get", app, sender(*vendor, 200, "GET", f"/{known}")
    yield f"{VENDOR}: list", app, sender(*vendor, 200, "GET", "")
    yield f"{VENDOR}: filter", app, sender(*vendor, 201, "POST", "/filter", lambda: _BY_MAIL)
    yield f"{VENDOR}: create", app, sender(*vendor, 201, "POST", "", lambda: complete)


_BY_MAIL = {"filter": {"email": {"$equals": "ada@example.com"}}}


def counted() -> dict[str, Cost]:
    """The counts of a process of its own, whose hashes are fixed and where nothing else traces."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("COV_", "COVERAGE_"))}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "bench.cost", "--json"],
        cwd=BUDGET.parent.parent,
        env={**environment, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    return {name: Cost(**values) for name, values in json.loads(done.stdout).items()}


def budget(version: str = VERSION) -> tuple[dict[str, Cost], bool]:
    """The recorded costs for a version of Python, and whether they are its own; else another's, which are near enough to notice the worst."""
    kept = json.loads(BUDGET.read_text())
    found = kept.get(version) or next(iter(kept.values()))
    return {name: Cost(**values) for name, values in found.items()}, version in kept


def objections(allowed: Cost, found: Cost, *, own: bool = True) -> list[str]:
    """What is wrong with a cost: above its budget by more than the margin, or so far below that the budget no longer says anything.

    `own` is whether the budget was made with this version of Python; another's is held to loosely.
    """
    said = []
    for unit, margin in MARGIN.items():
        most, now = getattr(allowed, unit), getattr(found, unit)
        if now > most * (1 + (margin if own else FOREIGN)):
            said.append(f"{now} {unit}, {now / most - 1:+.0%} over the {most} budgeted")
        elif own and now < most * (1 - STALE):
            said.append(
                f"{now} {unit}, so much less than the {most} budgeted that `python -m bench.cost --update` is due"
            )
    return said


def update(found: Mapping[str, Cost]) -> None:
    """Make these the budget of this Python."""
    kept = json.loads(BUDGET.read_text()) if BUDGET.exists() else {}
    kept[VERSION] = {name: asdict(value) for name, value in found.items()}
    BUDGET.write_text(json.dumps(kept, indent=2) + "\n")


def main(arguments: list[str]) -> int:
    """Compare, update or print."""
    if arguments == ["--json"]:
        click.echo(json.dumps({name: asdict(value) for name, value in costs().items()}))
        return 0
    if arguments not in ([], ["--update"]):
        click.echo(__doc__, err=True)
        return 2
    found = counted()
    if arguments:
        update(found)
    allowed, own = budget()
    wrong = 0
    for name, value in found.items():
        said = objections(allowed[name], value, own=own) if name in allowed else ["has no budget"]
        wrong += bool(said)
        click.echo(f"{name:28} {value.calls:7,} calls {value.steps:8,} steps {value.bytes:9,} bytes  {'; '.join(said)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
