"""What a run comes to in pytest's terms: failures, skips with their reasons, and exit 2 where it is no evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from conformance.plugin.cases import NOBODY
from conformance.plugin.session import SESSION

if TYPE_CHECKING:
    from conformance.run import Outcome


def settle(outcome: Outcome) -> None:
    """Turn an outcome into pytest's terms: a failure, an expected one, or a skip with its reason."""
    if outcome.status == "not tested":
        pytest.skip(f"not tested: {outcome.reason}")
    if outcome.status == "apart":
        pytest.xfail(f"inferred, reported apart: {outcome.reason[:300]}")
    if outcome.status == "broken":
        pytest.fail("\n\n".join(str(finding) for finding in outcome.findings), pytrace=False)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int | pytest.ExitCode) -> None:
    """A run that is no evidence does not pass: exit 2."""
    config = session.config
    ours = config.stash.get(SESSION, None)
    if hasattr(config, "workerinput"):
        mine = None if ours is None else ours.account().as_json()
        vars(config)["workeroutput"]["mockingbill"] = {"nobody": config.stash.get(NOBODY, ""), "account": mine}
        return
    found = doubts(config)
    if found and exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        session.exitstatus = pytest.ExitCode.INTERRUPTED
    if ours is None or (exitstatus == pytest.ExitCode.INTERRUPTED and not ours.fatal):
        return
    account = ours.account()
    told = {"doubts": found, "fatal": bool(account.fatal), "counts": account.counts, "fields": account.fields}
    ours.tell("finished", **told, base_url=account.base_url, excused=dict(account.excused))


def doubts(config: pytest.Config) -> list[str]:
    """Why the session is no evidence, where it is none; a session that only collects need not be any."""
    session = config.stash.get(SESSION, None)
    if config.option.collectonly:
        return []
    if session is not None:
        return session.doubts(session.account())
    return [config.stash[NOBODY]] if NOBODY in config.stash else []


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say what stayed in doubt."""
    if found := doubts(config):
        terminalreporter.section("could not tell")
        for doubt in found:
            terminalreporter.write_line(doubt)
    session = config.stash.get(SESSION, None)
    if session is not None and (left := session.account().left):
        terminalreporter.section("left behind")
        for line in left:
            terminalreporter.write_line(line)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what was started."""
    if (session := config.stash.get(SESSION, None)) is not None:
        session.stack.close()
