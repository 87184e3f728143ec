"""Runs one finding of a JSON report again, with its seed, and says whether it still occurs."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from conformance import lifecycle, responses
from conformance.causes import cause
from conformance.finding import Unreachable
from conformance.limits import UNSAID, Limits, recorded
from conformance.preflight import preflight
from conformance.promise import all_promises
from conformance.report import BREAKS, CONFORMS, STOPPED, UNTOLD, show_finding
from conformance.reports.terminal import Terminal
from conformance.run import Outcome, Run
from conformance.settings import AMOUNTS, Settings
from conformance.target import BadTarget, base_url, limits_of, reach
from mock_server.contract import ContractError


@dataclass(frozen=True)
class Asked:
    """One finding of a report, and how the run that found it was asked for."""

    vendor: str
    document: str
    finding: Mapping[str, Any]
    run: Mapping[str, Any]


_SAID: Mapping[str, type] = {"target": str, "seed": int, "inferred": bool}
"""What a report says of how it was asked."""


def find(report: Path, which: str) -> Asked:
    """The finding with an id, or with a number counted from 1 in the order of the report. Raises BadTarget."""
    try:
        told = json.loads(report.read_text(encoding="utf-8"))
        if told["profile"] not in AMOUNTS or not all(isinstance(told[name], kind) for name, kind in _SAID.items()):
            raise TypeError("it does not say how it was asked")
        found = [(vendor, entry["document"], one) for vendor, entry in told["vendors"].items() for one in _all(entry)]
        for number, (vendor, document, finding) in enumerate(found, start=1):
            if which in (finding["id"], str(number)):
                _ = [finding[name] for name in ("layer", "promise", "subject")]
                return Asked(vendor, document, finding, told)
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise BadTarget(f"the report cannot be read: {error}") from None
    except (KeyError, TypeError, AttributeError):
        raise BadTarget(f"{report} is no JSON report of mockingbill check") from None
    known = ", ".join(f"{number} {finding['id']}" for number, (_, _, finding) in enumerate(found[:20], start=1))
    raise BadTarget(f"there is no finding {which!r} in {report}; there are: {known or 'none'}")


def _all(entry: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [*entry["findings"], *entry["known"], *entry["apart"]]


def replay(report: Path, which: str, target: str = "", console: Console | None = None, limits: Limits = UNSAID) -> int:
    """Run one finding again, at the target of the report or at another; 0 it no longer occurs, 1 it does, 2 could not tell.

    `limits` go before those that the report was asked with.
    """
    console = console or Terminal()
    try:
        asked = find(report, which)
        with reach(target or asked.run["target"]) as url:
            run = Run.begin(_settings(asked, url, target, limits))
            run.sending.told = lambda line: console.print(Text(line), soft_wrap=True)
            preflight(run)
            outcomes = list(_again(run, asked.finding))
    except KeyboardInterrupt:
        console.print(Text(f"exit {STOPPED}: stopped"))
        return STOPPED
    except (BadTarget, ContractError, Unreachable, OSError) as error:
        console.print(Text(f"could not tell: {' '.join(str(error).split())}"), soft_wrap=True)
        return UNTOLD
    for left in run.left:
        console.print(Text(f"left behind {left}"), soft_wrap=True)
    same = [
        finding
        for outcome in outcomes
        for finding in outcome.findings
        if cause(asked.vendor, finding.as_json()) == asked.finding["id"]
    ]
    name = f"{asked.finding['promise']} {asked.finding['subject']}"
    if same:
        show_finding(console, asked.vendor, same[0].as_json())
        console.print(Text(f"{name} still occurs"))
        return BREAKS
    if reasons := [outcome.reason for outcome in outcomes if outcome.status == "not tested"]:
        console.print(Text(f"could not tell: {name} was not tested: {reasons[0]}"), soft_wrap=True)
        return UNTOLD
    if not outcomes or run.doubts:
        console.print(
            Text(f"could not tell: {'; '.join(run.doubts) or f'there is no {name} any more'}"), soft_wrap=True
        )
        return UNTOLD
    console.print(Text(f"{name} no longer occurs"))
    return CONFORMS


def _settings(asked: Asked, url: str, target: str, limits: Limits) -> Settings:
    told = asked.run
    file = Path(told["target_file"]) if told.get("target_file") else None
    try:
        limits = limits.over(recorded(told.get("limits") or {}))
    except (ValueError, AttributeError):
        raise BadTarget("the report does not say the target's limits as a report of mockingbill check does") from None
    return Settings(
        asked.document,
        base_url(url, asked.vendor, limits_of(file, limits)),
        told["profile"],
        int(told["seed"]),
        bool(told["inferred"]),
        file,
        f"check-{uuid.uuid4().hex[:10]}",
        target or told["target"],
        str(told.get("control", "")).replace("{vendor}", asked.vendor),
        limits,
    )


def _again(run: Run, finding: Mapping[str, Any]) -> Iterator[Outcome]:
    layer, subject = finding["layer"], finding["subject"]
    if layer == "lifecycle":
        if subject in lifecycle.resources(run.scope):
            yield lifecycle.execute(run, subject)
    elif layer in ("responses", "fuzzing"):
        yield from (outcome for outcome in responses.execute(run, layer) if outcome.subject == subject)
    else:
        with run.client("promises") as client:
            for promise in all_promises():
                for one in promise.subjects(run.scope) if promise.name == finding["promise"] else ():
                    if one.name == subject:
                        yield run.hold(promise, one, client)
