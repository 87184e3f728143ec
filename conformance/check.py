"""Holds an implementation to one or several contracts: what `mockingbill check` does.

Each vendor is divided into parts, done side by side by processes; what they tell is put together here.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from conformance.address import checked, is_url, shown
from conformance.aftermath import Aftermath
from conformance.baseline import Known, entry_for, marked
from conformance.causes import cause
from conformance.finding import Unreachable
from conformance.limits import UNSAID, Limits
from conformance.parts import Part, join, split
from conformance.report import BREAKS, CONFORMS, STOPPED, UNTOLD, Result, show_finding, summarise
from conformance.reports import Record, record
from conformance.reports.terminal import Terminal
from conformance.scope import Scope, read
from conformance.settings import Profile, Settings
from conformance.target import BadTarget, base_url, limits_of, reach
from conformance.workers import available, run_all, scratch_folder
from mock_server.contract import ContractError

Knows = Callable[[str, Mapping[str, Any]], Known | None]
"""The entry of the baseline that knows a finding of a vendor."""


@dataclass(frozen=True)
class Asked:
    """What is asked of a check.

    `vendors` are names or paths of documents. `target` is `module:factory`, or the base URL of the vendor's API: `{vendor}` in it is
    replaced, and where our own mock answers there, `/vendor` is appended. `workers` processes work at once, as many as there are cores by default.
    `control` is where its clock and its sink are, `{vendor}` in it replaced too; our own sandbox needs none. `limits` are what may be asked of it,
    before those of the target file. `keep` leaves what is made where it is.
    """

    vendors: Sequence[str]
    target: str
    profile: Profile = "default"
    seed: int = 1
    include_inferred: bool = False
    target_file: Path | None = None
    workers: int | None = None
    control: str = ""
    limits: Limits = UNSAID
    keep: bool = False

    def scopes(self) -> list[Scope]:
        """The contracts, read. Raises ContractError; BadTarget where there is none, or one URL is said to be several APIs."""
        if is_url(self.target):
            checked(self.target)
        scopes = [Scope(read(vendor), self.include_inferred) for vendor in self.vendors]
        if not scopes:
            raise BadTarget("no vendor is named")
        names = [scope.contract.name for scope in scopes]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise BadTarget(f"the same vendor is named twice: {', '.join(twice)}")
        if len(scopes) > 1 and is_url(self.target) and "{vendor}" not in self.target:
            _must_be_ours(self.target, scopes[0].contract.name)
        return scopes

    def settings(self, vendor: str, name: str, url: str) -> Settings:
        """Those of one vendor's run, in a world of its own."""
        return Settings(
            vendor=str(Path(vendor).resolve()) if vendor.endswith((".yaml", ".yml")) else vendor,
            target=base_url(url, name, limits_of(self.target_file, self.limits)),
            profile=self.profile,
            seed=self.seed,
            inferred=self.include_inferred,
            target_file=self.target_file.resolve() if self.target_file else None,
            world=f"check-{uuid.uuid4().hex[:10]}",
            shown_target=self.target,
            control=self.control.replace("{vendor}", name),
            limits=self.limits,
            keep=self.keep,
        )

    def as_json(self) -> dict[str, Any]:
        """What a report says was asked, so that it can be asked again."""
        said = {
            "target": shown(self.target),
            "profile": self.profile,
            "seed": self.seed,
            "inferred": self.include_inferred,
        }
        said |= {"control": shown(self.control), "limits": asdict(self.limits), "keep": self.keep}
        return said | {"target_file": str(self.target_file.resolve()) if self.target_file else ""}


def check(
    vendors: Sequence[str],
    target: str,
    profile: Profile = "default",
    seed: int = 1,
    *,
    report_dir: Path | None = None,
    console: Console | None = None,
    aftermath: Aftermath | None = None,
    **options: Any,
) -> int:
    """Check an implementation; 0 conforms, 1 does not, 2 could not tell, 130 stopped by hand. What `Asked` takes."""
    asked = Asked(vendors, target, profile, seed, **options)
    return int(examine(asked, console, aftermath or Aftermath(report_dir=report_dir))["code"])


def examine(
    asked: Asked,
    console: Console | None = None,
    aftermath: Aftermath | None = None,
    waits: Console | None = None,
) -> Record:
    """Check an implementation, and give the record of it.

    `aftermath` says what is known beforehand and what is written in the end, `waits` where it is told that a target is waited for: on the
    same console, unless another is given.
    """
    console = console or Terminal()
    aftermath = aftermath or Aftermath()
    began, at = time.time(), time.monotonic()
    results = [Result(vendor) for vendor in asked.vendors]
    code = UNTOLD
    try:
        aftermath.prepare()
        known = aftermath.known()
        scopes = asked.scopes()
        results = [Result(scope.contract.name) for scope in scopes]
        results, stopped = _run(asked, scopes, known, (console, waits or console), aftermath)
        code = STOPPED if stopped else _verdict(results)
    except (BadTarget, ContractError, Unreachable, OSError) as error:
        for result in results:
            result.doubts.append(" ".join(str(error).split()))
    except KeyboardInterrupt:
        code = STOPPED
    summarise(console, results, code)
    told = record(results, asked.as_json(), code, began, time.monotonic() - at)
    written = aftermath.tell(console, results, told)
    return told if written or code != CONFORMS else {**told, "code": UNTOLD}


def _run(
    asked: Asked,
    scopes: Sequence[Scope],
    known: Sequence[Known],
    consoles: tuple[Console, Console],
    aftermath: Aftermath,
) -> tuple[list[Result], bool]:
    """What came of each vendor, and whether it was stopped by hand. Of the consoles, the second is told of waiting."""
    console, waits = consoles
    with reach(asked.target) as url, scratch_folder() as scratch:
        names = [scope.contract.name for scope in scopes]
        chosen = [asked.settings(vendor, name, url) for vendor, name in zip(asked.vendors, names, strict=True)]
        divided = [split(settings, scope) for settings, scope in zip(chosen, scopes, strict=True)]
        parts = [part for group in divided for part in group]
        many = min(asked.workers or available(), len(parts))
        line = f"checking {', '.join(names)} at {asked.target}: profile {asked.profile}, seed {asked.seed}, {many} at a time"
        console.print(Text(line), soft_wrap=True)
        teller = _Teller(console, waits, divided, lambda vendor, one: entry_for(known, vendor, one, aftermath.day()))
        stopped = run_all(parts, many, scratch, teller.tell)
        results = [join(scope, group) for scope, group in zip(scopes, divided, strict=True)]
        for settings, scope, result in zip(chosen, scopes, results, strict=True):
            aftermath.settle(settings, scope, result, known, again=not stopped)
    return results, stopped


def _verdict(results: Sequence[Result]) -> int:
    """Where a target was gone, nobody can tell, whatever was found."""
    codes = {result.code for result in results}
    if any(result.gone for result in results):
        return UNTOLD
    return BREAKS if BREAKS in codes else UNTOLD if UNTOLD in codes else CONFORMS


def _must_be_ours(target: str, name: str) -> None:
    if base_url(target, name) == target.rstrip("/"):
        raise BadTarget(
            f"{target} is one API: for several vendors write {{vendor}} in the URL, as in https://host/{{vendor}}"
        )


class _Teller:
    """Says on the terminal what happens while it happens; a class, for it knows how much of each vendor is still under way."""

    def __init__(self, console: Console, waits: Console, divided: Sequence[Sequence[Part]], knows: Knows) -> None:
        self.console = console
        self.waits = waits
        self.knows = knows
        self.divided = divided
        self.ended: list[Part] = []
        self.shown: set[str] = set()

    def tell(self, part: Part, event: Mapping[str, Any]) -> None:
        """Findings as soon as they are found, each cause once, and each vendor when the last of it is tested."""
        for finding in event["findings"] if event["kind"] == "outcome" else ():
            name = cause(part.result.vendor, finding)
            if name not in self.shown:
                self.shown.add(name)
                entry = self.knows(part.result.vendor, finding)
                show_finding(self.console, part.result.vendor, marked(entry, finding))
        if event["kind"] == "note":
            self.waits.print(Text(f"{part.result.vendor}: {', '.join(part.layers)}: {event['text']}"), soft_wrap=True)
        if event["kind"] != "ended":
            return
        self.ended.append(part)
        for group in self.divided:
            if part in group and all(one in self.ended for one in group):
                tested, planned = (sum(counts) for counts in zip(*map(_progress, group), strict=True))
                self.console.print(f"{part.result.vendor}: {tested} of {planned} tested")


def _progress(part: Part) -> tuple[int, int]:
    return len(part.result.outcomes), part.result.planned
