"""Several implementations of one vendor side by side: promise by implementation, and what has changed since another day."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from conformance.address import shown
from conformance.check import Asked, examine
from conformance.reports import Record
from conformance.reports.table import share
from conformance.reports.terminal import Terminal
from conformance.result import BREAKS, CONFORMS, STOPPED, UNTOLD, VERDICTS
from conformance.settings import Profile
from conformance.target import BadTarget

Policy = Literal["all", "any", "none-new"]
POLICIES: Mapping[Policy, str] = {
    "all": "0 where every implementation conforms",
    "any": "0 where one conforms",
    "none-new": "0 where nothing is broken that was not broken in the file that --since names",
}
_STYLES = {"kept": "green", "broken": "red", "known": "cyan", "apart": "yellow", "not tested": "yellow", "": "dim"}


def matrix(
    vendor: str,
    targets: Mapping[str, str],
    profile: Profile = "smoke",
    seed: int = 1,
    policy: Policy = "all",
    since: Path | None = None,
    console: Console | None = None,
    own: Mapping[str, Mapping[str, Any]] | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Check each implementation after the other, and put what came of them side by side. Raises BadTarget. `code` is the policy's verdict.

    `options` are those of `Asked`, for all; `own` those of one, by its name.
    """
    console = console or Terminal()
    before = read(since) if since else None
    if policy == "none-new" and before is None:
        raise BadTarget("the policy none-new needs the matrix of another day: --since FILE")
    quiet = Console(file=io.StringIO(), highlight=False)
    found: dict[str, dict[str, Any]] = {}
    for name, target in targets.items():
        console.print(Text(f"checking {vendor} of {name} at {shown(target)}"), soft_wrap=True)
        asked = Asked((vendor,), target, profile, seed, **{**options, **(own or {}).get(name, {})})
        told = examine(asked, quiet, waits=console)
        found[name] = column(told, shown(target))
        if told["code"] == STOPPED:
            break
    drift = drifted(before["implementations"], found) if before else []
    return {
        "vendor": vendor,
        "profile": profile,
        "seed": seed,
        "policy": policy,
        "began": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "implementations": found,
        "drift": drift,
        "code": judge(policy, [entry["code"] for entry in found.values()], drift),
    }


def column(told: Record, target: str) -> dict[str, Any]:
    """What came of one implementation: its verdict, and each promise's state with why."""
    entry = next(iter(told["vendors"].values()))
    rows: dict[str, dict[str, Any]] = {}
    for item in entry["not_tested"]:
        rows.setdefault(_row(item), {"state": "not tested", "why": item["reason"]})
    for item in entry["kept"]:
        rows[_row(item)] = {"state": "kept", "why": ""}
    for state, name in (("apart", "apart"), ("known", "known"), ("broken", "findings")):
        for finding in entry[name]:
            why = f"{finding['subject']}: expected {finding['expected']}; observed {finding['observed']}"
            rows[_row(finding)] = {"state": state, "why": why[:400]}
    coverage = {name: entry["coverage"].get(name) for name in ("index", "score")}
    promises = dict(sorted(rows.items()))
    return {
        "target": target,
        "code": told["code"],
        "verdict": told["verdict"],
        "doubts": entry["doubts"][:10],
        **coverage,
        "promises": promises,
    }


def _row(item: Mapping[str, Any]) -> str:
    return str(item["promise"] if item["layer"] == "promises" else item["layer"])


def drifted(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[dict[str, str]]:
    """What is otherwise than it was: implementation, promise, its state then and now."""
    found = []
    for name, entry in now.items():
        then = before.get(name, {}).get("promises", {})
        for promise in sorted({*then, *entry["promises"]}):
            was = then.get(promise, {}).get("state", "")
            here = entry["promises"].get(promise, {}).get("state", "")
            if was != here and name in before:
                found.append({"implementation": name, "promise": promise, "was": was, "is": here})
    missing = [name for name in before if name not in now]
    return found + [{"implementation": name, "promise": "", "was": "there", "is": ""} for name in missing]


def judge(policy: Policy, codes: Sequence[int], drift: Sequence[Mapping[str, str]]) -> int:
    """The exit code: 0 where the policy is kept, 1 where it is not, 2 where that cannot be told, 130 stopped by hand."""
    if STOPPED in codes:
        return STOPPED
    if policy == "any" and CONFORMS in codes:
        return CONFORMS
    if policy == "none-new":
        worse = any(change["is"] == "broken" for change in drift)
        return BREAKS if worse else UNTOLD if UNTOLD in codes else CONFORMS
    return BREAKS if BREAKS in codes else UNTOLD if UNTOLD in codes or not codes else CONFORMS


def read(path: Path) -> dict[str, Any]:
    """The matrix that an earlier run wrote. Raises BadTarget."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        rows = [row for entry in told["implementations"].values() for row in entry["promises"].values()]
        if not all(isinstance(row["state"], str) for row in rows):
            raise ValueError("a state is no text")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadTarget(f"{path} is no matrix of an earlier run: {error}") from None
    return dict(told)


def show(console: Console, told: Mapping[str, Any]) -> None:
    """The table on the terminal, then the drift and the verdict."""
    found = told["implementations"]
    title = Text(f"{told['vendor']}, profile {told['profile']}, seed {told['seed']}")
    table = Table(title=title, title_justify="left")
    table.add_column("promise", no_wrap=True)
    for name in found:
        table.add_column(Text(name))
    for promise in sorted({promise for entry in found.values() for promise in entry["promises"]}):
        states = [entry["promises"].get(promise, {}).get("state", "") for entry in found.values()]
        table.add_row(promise, *(Text(state or "–", _STYLES[state]) for state in states))
    table.add_row("index, score", *map(share, found.values()))
    table.add_row("verdict", *(entry["verdict"] for entry in found.values()))
    console.print(table)
    for name, entry in found.items():
        for doubt in entry["doubts"]:
            console.print(Text(f"in doubt  {name}: {doubt}"), soft_wrap=True)
    for change in told["drift"]:
        was, here = change["was"] or "not there", change["is"] or "not there"
        console.print(Text(f"drift     {change['implementation']} {change['promise']}: was {was}, is {here}"))
    verdict = VERDICTS[told["code"]] if told["code"] else "kept"
    console.print(Text(f"policy {told['policy']} ({POLICIES[told['policy']]}): exit {told['code']}, {verdict}"))
