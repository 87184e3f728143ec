"""Deletes what the suite left in a sandbox that others use too: the records that carry its mark, found in the contract's own lists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from conformance.cleaning import delete, marked
from conformance.client import Client
from conformance.finding import Broken, NotTested, Unreachable, Withheld
from conformance.limits import UNSAID
from conformance.report import BREAKS, CONFORMS, STOPPED, UNTOLD
from conformance.reports.terminal import Terminal
from conformance.run import Run
from conformance.scope import Scope, read
from conformance.settings import Settings
from conformance.target import BadTarget, base_url, limits_of, reach
from conformance.traces import Trace
from mock_server.contract import ContractError


@dataclass(frozen=True)
class Swept:
    """A record that carries the mark, and in which field; `why` it is still there, empty where it is not."""

    trace: Trace
    text: str
    why: str = ""

    def __str__(self) -> str:
        return f"{self.trace.resource} {self.trace.key} ({self.text})"


def sweep(
    vendor: str,
    target: str,
    target_file: Path | None = None,
    *,
    include_inferred: bool = False,
    dry_run: bool = False,
    console: Console | None = None,
) -> int:
    """Delete every record that carries the mark; 0 none is left that lists show, 1 some are, 2 could not tell."""
    console = console or Terminal()
    try:
        with reach(target) as url:
            at = base_url(url, read(vendor).name, limits_of(target_file, UNSAID))
            run = Run.begin(Settings(vendor, at, inferred=include_inferred, target_file=target_file))
            run.sending.told = lambda line: _say(console, line)
            with run.client("") as client:
                code = _sweep(client, dry_run, console)
    except (BadTarget, ContractError, Unreachable) as error:
        _say(console, f"could not tell: {' '.join(str(error).split())}")
        return UNTOLD
    except KeyboardInterrupt:
        _say(console, f"exit {STOPPED}: stopped; what is not named was not touched")
        return STOPPED
    return code


def _sweep(client: Client, dry_run: bool, console: Console) -> int:
    scope = client.scope
    found, unseen, failed = _found(client)
    swept = []
    for one in found if dry_run else _deleted(client, found):
        verb = "would delete" if dry_run else "cannot delete" if one.why else "deleted"
        _say(console, f"{verb:<14}{one}{f': {one.why}' if one.why else ''}")
        swept.append(one)
    for name, why in {**unseen, **failed}.items():
        _say(console, f"not looked at {name}: {why}")
    left = len(swept) if dry_run else sum(bool(one.why) for one in swept)
    _say(console, f"{scope.contract.name}: {len(swept)} with the mark, {0 if dry_run else len(swept) - left} deleted")
    if failed or len(unseen) == len(_made(scope)):
        _say(console, f"exit {UNTOLD}: could not tell")
        return UNTOLD
    _say(console, f"exit {BREAKS}: {left} left" if left else f"exit {CONFORMS}: nothing left")
    return BREAKS if left else CONFORMS


def _found(client: Client) -> tuple[list[Swept], dict[str, str], dict[str, str]]:
    """The records with the mark, dependent ones first; the resources that no list shows, and those whose list failed, each with the reason."""
    found: list[Swept] = []
    unseen: dict[str, str] = {}
    failed: dict[str, str] = {}
    for name in _dependent_first(client.scope, _made(client.scope)):
        if not client.scope.listings(name):
            unseen[name] = "no operation in scope lists them"
            continue
        try:
            found += [Swept(*one) for one in marked(client, name)]
        except (Broken, NotTested, Withheld) as error:
            failed[name] = " ".join(str(error).split())[:200]
    return found, unseen, failed


def _made(scope: Scope) -> list[str]:
    """The resources that a check makes records of."""
    return list(dict.fromkeys(operation.action.resource for operation in scope.acting("create")))


def _dependent_first(scope: Scope, names: list[str]) -> list[str]:
    """The resources in an order in which none comes before one that refers to it, as far as there is such an order."""
    ordered: list[str] = []
    waiting = list(names)
    while waiting:
        needed = {
            target
            for name in waiting
            for target in scope.contract.resources[name].references.values()
            if target != name
        }
        free = [name for name in waiting if name not in needed] or waiting[:1]
        ordered += free
        waiting = [name for name in waiting if name not in free]
    return ordered


def _deleted(client: Client, found: list[Swept]) -> Iterator[Swept]:
    """Each, as soon as it is deleted; what is refused is tried once more when the rest is gone, and comes with the reason if it stays."""
    refused = []
    for one in found:
        if delete(client, one.trace):
            refused.append(one)
        else:
            yield one
    for one in refused:
        yield Swept(one.trace, one.text, delete(client, one.trace))


def _say(console: Console, line: str) -> None:
    console.print(Text(line), soft_wrap=True)
