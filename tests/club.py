"""The miniature vendor that lives in time, as our engine serves it: memberships with a trial, that renew every month."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mock_server.clock import parsed
from mock_server.contract import Contract, Fixtures, load, load_fixtures
from mock_server.durations import Duration
from mock_server.money import major
from mock_server.problems import Problem
from mock_server.store import StoredRecord
from mock_server.vendor import Call, Mint, Space, Vendor

DOCUMENT = Path(__file__).parent / "data" / "club" / "openapi" / "club.yaml"
MONTH = Duration(months=1)


def club(**changes: Any) -> tuple[Contract, Fixtures, Vendor]:
    """What `create_app(extra=[...])` takes; `changes` replace functions of the vendor."""
    contract = load(DOCUMENT)
    vendor = Vendor("club", error=_error, answer=_answer)
    vendor.action("createMembership")(_join)
    vendor.due("Membership", "trial-end")(_begin)
    vendor.due("Membership", "renewal")(_renew)
    vendor.dues.update(changes.get("dues", {}))
    vendor.events.update(changes.get("events", {}))
    return contract, load_fixtures(contract), vendor


def _error(problem: Problem, status: int, mint_id: Mint) -> Any:
    return {"problem": problem.detail}


def _answer(call: Call, result: Any) -> Any:
    return result if isinstance(result, Mapping) else {f"{call.resource.name.lower()}s": call.listed(result)}


def _join(call: Call, proceed: Callable[[Call], Any]) -> Any:
    days = call.body.get("trial_days", 0)
    trial_end = call.stamp(Duration(days=days).after(call.now)) if days else None
    period_end = None if days else call.stamp(MONTH.after(call.now))
    values = {"status": "trial" if days else "active", "trial_end": trial_end, "period_end": period_end, "periods": 0}
    asked = {name: call.body[name] for name in ("name", "trial_days") if name in call.body}
    record = call.create("Membership", {**asked, **values})
    if not days:
        _bill(call, record)
    return record


def _begin(space: Space, record: StoredRecord) -> None:
    space.change("Membership", record, {"status": "active", "period_end": space.stamp(MONTH.after(space.now))})
    _bill(space, record)


def _renew(space: Space, record: StoredRecord) -> None:
    anchor = parsed(record["trial_end"] or record["joined_at"])
    done = record["periods"] + 1
    space.change("Membership", record, {"periods": done, "period_end": space.stamp(MONTH.after(anchor, done + 1))})
    _bill(space, record)


def _bill(space: Space, record: StoredRecord) -> None:
    fee, locker, discount, tax = 1999, 307, 250, 103
    parts = {"subtotal": fee + locker, "discount": discount, "tax": tax, "total": fee + locker - discount + tax}
    lines = [{"name": name, "amount": major(cents, "USD")} for name, cents in (("Month", fee), ("Locker", locker))]
    amounts = {name: major(cents, "USD") for name, cents in parts.items()}
    space.create("Bill", {"membership_id": record["id"], "lines": lines, **amounts})
