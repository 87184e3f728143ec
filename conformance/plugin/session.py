"""What one pytest session knows of the implementation under test, and what is evidence in the end."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from conformance.plugin.account import Account, joined
from conformance.plugin.options import asked, settings

if TYPE_CHECKING:
    from conformance.run import Run
    from conformance.scope import Scope
    from conformance.settings import Settings

NO_TARGET = (
    "no implementation is named: --mockingbill-vendor VENDOR --mockingbill-target URL|module:factory, "
    "or mockingbill_vendor and mockingbill_target in the ini file"
)
SESSION = pytest.StashKey["Session"]()


class Session:
    """The run of this process, begun on first use; `elsewhere` are the accounts of processes that did a share of the tests."""

    def __init__(self, settings: Settings, scope: Scope, events: Path | None, part: bool) -> None:
        self.settings = settings
        self.scope = scope
        self.events = events
        self.part = part
        self.run: Run | None = None
        self.planned: list[str] = []
        self.whole = True
        self.fatal = ""
        self.elsewhere: list[Account] = []
        self.stack = contextlib.ExitStack()
        self.plugins: pytest.PytestPluginManager | None = None

    def tell(self, kind: str, **content: Any) -> None:
        """Write an event where somebody listens."""
        if self.events:
            with self.events.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps({"kind": kind, **content}, ensure_ascii=True, default=str) + "\n")

    def note(self, line: str) -> None:
        """Say what takes time: to whoever listens, else on the terminal."""
        self.tell("note", text=line)
        reporter = self.plugins and self.plugins.get_plugin("terminalreporter")
        if reporter and not self.events:
            capturing: Any = self.plugins and self.plugins.get_plugin("capturemanager")
            with capturing.global_and_fixture_disabled() if capturing else contextlib.nullcontext():
                reporter.write_line(f"mockingbill: {line}")

    def started(self) -> Run:
        """The run, begun on first use. Raises Unreachable, BadTarget."""
        if self.run is None:
            from conformance.preflight import preflight
            from conformance.run import Run
            from conformance.target import base_url, limits_of, reach

            limits = limits_of(self.settings.target_file, self.settings.limits)
            url = base_url(self.stack.enter_context(reach(self.settings.target)), self.scope.contract.name, limits)
            run = Run.begin(replace(self.settings, target=url))
            run.told = lambda outcome: self.tell("outcome", **outcome.as_json())
            run.noticed = lambda kind, content: self.tell(kind, **content)
            run.sending.told = self.note
            preflight(run)
            self.run = run
        return self.run

    def account(self) -> Account:
        """What came of it so far, in this process and elsewhere; without secrets."""
        own = Account(tuple(self.planned), fatal=self.fatal, whole=self.whole)
        if (run := self.run) is not None:
            own = replace(
                own,
                tested=tuple(f"{outcome.promise}-{outcome.subject}" for outcome in run.outcomes),
                doubts=tuple(run.mask.text(doubt) for doubt in run.doubts),
                counts={
                    name: {str(status): n for status, n in found.items()} for name, found in run.ledger.counts.items()
                },
                fields={name: sorted(found) for name, found in run.ledger.fields.items()},
                base_url=run.target.base_url,
                excused=dict(run.excused),
                left=tuple(map(str, run.left)),
                judged=sum(outcome.status != "not tested" for outcome in run.outcomes),
            )
        return joined([own, *self.elsewhere])

    def doubts(self, account: Account) -> list[str]:
        """Why what came of it is no evidence, where it is none."""
        from conformance.run import UNTESTED, unreached

        if account.fatal:
            return [account.fatal]
        if not account.base_url:
            return ["nothing was tested"]
        missing = [f"{name} was not put to the test" for name in sorted(set(account.planned) - set(account.tested))]
        counts = {name: {int(status): n for status, n in found.items()} for name, found in account.counts.items()}
        never = [] if self.part else unreached(self.scope, counts, account.excused)
        if account.tested and not account.judged and not self.part:
            never.append(UNTESTED)
        return [*account.doubts, *(missing + never if account.whole else [])]


class Watch:
    """Stops a session whose target is gone: what is left cannot be judged. Registered only where there is a target."""

    def __init__(self, session: Session) -> None:
        self.session = session

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        """Around each test."""
        return (yield from self._watched(item))

    def pytest_keyboard_interrupt(self) -> None:
        """It is stopped by hand, or the target is gone: what was made stays where it is."""
        if self.session.run is not None:
            from conformance.cleaning import STOPPED

            self.session.run.stopped = self.session.fatal or STOPPED

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Iterator[None]:
        """Around what it needs: a layer may be run there."""
        return (yield from self._watched(item))

    def _watched(self, item: pytest.Item) -> Generator[None, None, None]:
        from conformance.finding import Unreachable

        try:
            return (yield)
        except Unreachable as error:
            give_up(item.session, self.session, error)


def give_up(pytest_session: pytest.Session, session: Session, error: Exception) -> NoReturn:
    """Stop, for the target is gone."""
    session.fatal = str(error)
    said = f"could not tell: {error}"
    if hasattr(pytest_session.config, "workerinput"):  # pytest-xdist takes a process that exits for one that crashed
        pytest_session.shouldstop = said
        pytest.skip(said)
    pytest.exit(said, returncode=2)


def begin(config: pytest.Config) -> Session | None:
    """The session of the implementation that the options or the ini file name; None where they name none. Raises UsageError."""
    if SESSION in config.stash:
        return config.stash[SESSION]
    if not asked(config, "target"):
        return None
    chosen = settings(config)
    from conformance import beginnings
    from conformance.scope import Scope, read
    from mock_server.contract import ContractError

    try:
        scope = Scope(read(chosen.vendor), chosen.inferred)
    except ContractError as error:
        raise pytest.UsageError(str(error)) from None
    events = config.getoption("--mockingbill-events")
    session = Session(chosen, scope, Path(events) if events else None, config.getoption("--mockingbill-part"))
    beginnings.begin(Path(session.stack.enter_context(tempfile.TemporaryDirectory())))
    config.stash[SESSION] = session
    config.pluginmanager.register(Watch(session), "mockingbill-watch")
    return session
