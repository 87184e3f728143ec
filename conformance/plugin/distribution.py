"""The suite under pytest-xdist: which process does what, and what came of all of it. Nothing here happens without pytest-xdist."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from conformance.plugin.account import Account
from conformance.plugin.cases import NOBODY
from conformance.plugin.options import asked
from conformance.plugin.session import SESSION, begin

if TYPE_CHECKING:
    from conformance.settings import Settings

LAYERS = {
    "test_answers_to_what_is_made_up_are_as_documented": "fuzzing",
    "test_records_live_as_the_model_says": "lifecycle",
    "test_promise_is_kept": "promises",
    "test_answers_are_as_documented": "responses",
}
"""The tests of the suite by their names, and their layers: an id does not say where a file outside the project lies."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep what belongs together in one process, as `mockingbill check` does: the verdict is to be the same."""
    named = any("conformance" in argument for argument in config.args)
    dist = config.getvalue("dist")
    if not named or not asked(config, "target") or dist == "each":
        return None
    from xdist.scheduler import LoadFileScheduling, LoadGroupScheduling, LoadScopeScheduling

    try:
        session = begin(config)
    except pytest.UsageError:  # the processes say it
        return None
    assert session is not None, "a target is named"
    settings, vendor = session.settings, session.scope.contract.name
    kinds = {"loadfile": LoadFileScheduling, "loadscope": LoadScopeScheduling}
    scheduler = kinds.get(dist, LoadGroupScheduling)(config, log)
    usual = scheduler._split_scope

    def scope_of(nodeid: str) -> str:
        layer = LAYERS.get(nodeid.partition("::")[2].partition("[")[0])
        return part_of(settings, vendor, layer) if layer else str(usual(nodeid))

    vars(scheduler)["_split_scope"] = scope_of
    return scheduler


def part_of(settings: Settings, vendor: str, layer: str) -> str:
    """The name of the part that a layer belongs to; all are one where processes would meet in each other's lists."""
    return f"mockingbill-{'-'.join(next(group for group in _groups(settings, vendor) if layer in group))}"


@functools.cache
def _groups(settings: Settings, vendor: str) -> tuple[tuple[str, ...], ...]:
    from conformance.address import is_url
    from conformance.finding import Unreachable
    from conformance.parts import APART, has_worlds
    from conformance.target import BadTarget, base_url

    if not is_url(settings.target):  # each process makes an application of its own
        return APART
    try:
        apart = has_worlds(replace(settings, target=base_url(settings.target, vendor)))
    except (BadTarget, Unreachable):  # the processes say it
        apart = False
    return APART if apart else (tuple(layer for group in APART for layer in group),)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Take in what a process tells in the end."""
    told = getattr(node, "workeroutput", {}).get("mockingbill")
    config: pytest.Config = node.config
    if not told:
        session = config.stash.get(SESSION, None)
        if session is not None and error:
            session.elsewhere.append(Account(doubts=(f"a process of the suite ended early: {error}",)))
        return
    if told["nobody"]:
        config.stash[NOBODY] = told["nobody"]
    if told["account"] and (session := begin(config)) is not None:
        session.elsewhere.append(Account(**told["account"]))
