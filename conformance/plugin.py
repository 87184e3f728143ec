"""The pytest plugin: options that name an implementation, and fixtures that the packaged suite runs on. Inert without them."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conformance.client import Client
    from conformance.run import Outcome, Run, Settings
    from conformance.scope import Scope

NO_TARGET = "no implementation is named: --mockingbill-vendor VENDOR --mockingbill-target URL|module:factory"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the `--mockingbill-` options."""
    group = parser.getgroup("mockingbill", "conformance of an API to its contract")
    add = group.addoption
    add(
        "--mockingbill-vendor", metavar="NAME|DOCUMENT", help="the contract: a vendor's name, or the path of a document"
    )
    add(
        "--mockingbill-target",
        metavar="URL|module:factory",
        help="the implementation: the base URL of its API, or an ASGI app factory",
    )
    add(
        "--mockingbill-target-file",
        metavar="FILE",
        help="credentials and known records of an implementation that is not ours (YAML)",
    )
    add(
        "--mockingbill-control",
        default="",
        metavar="URL|/path",
        help="where its clock can be moved and its webhooks read",
    )
    add("--mockingbill-profile", default="default", choices=("smoke", "default", "deep"), help="how much to try")
    add("--mockingbill-seed", type=int, default=1, help="the seed of everything random")
    add(
        "--mockingbill-include",
        action="append",
        default=[],
        choices=("inferred",),
        help="also hold it to inferred facts",
    )
    add(
        "--mockingbill-world",
        default="",
        metavar="NAME",
        help="the name of this run's world; a new one each time by default",
    )
    add("--mockingbill-shown", metavar="TARGET", help="how a finding names the implementation, where that is another")
    add(
        "--mockingbill-part",
        action="store_true",
        help="this is a part of a run: whether every operation succeeded once is judged by whoever joins the parts",
    )
    add("--mockingbill-events", metavar="FILE", help="write what happens to a file, one JSON object a line")


class Session:
    """What one pytest session knows of the implementation under test."""

    def __init__(self, settings: Settings, scope: Scope, events: Path | None, part: bool) -> None:
        self.settings = settings
        self.scope = scope
        self.events = events
        self.part = part
        self.run: Run | None = None
        self.planned: set[str] = set()
        self.whole = True
        self.fatal = ""
        self.stack = contextlib.ExitStack()

    def tell(self, kind: str, **content: Any) -> None:
        """Write an event where somebody listens."""
        if self.events:
            with self.events.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps({"kind": kind, **content}, ensure_ascii=True, default=str) + "\n")

    def started(self) -> Run:
        """The run, begun on first use. Raises Unreachable, BadTarget."""
        if self.run is None:
            from dataclasses import replace

            from conformance.run import Run, preflight
            from conformance.target import base_url, reach

            url = base_url(self.stack.enter_context(reach(self.settings.target)), self.scope.contract.name)
            run = Run.begin(replace(self.settings, target=url))
            run.told = lambda outcome: self.tell("outcome", **outcome.as_json())
            preflight(run)
            self.run = run
        return self.run

    def doubts(self) -> list[str]:
        """Why the run is no evidence, where it is none."""
        if self.fatal:
            return [self.fatal]
        if self.run is None:
            return ["nothing was tested"]
        tested = {f"{outcome.promise}-{outcome.subject}" for outcome in self.run.outcomes}
        missing = [f"{name} was not put to the test" for name in sorted(self.planned - tested)]
        unreached = [] if self.part else self.run.unreached()
        return [*self.run.doubts, *(missing + unreached if self.whole else [])]


_SESSION = pytest.StashKey[Session]()


def pytest_configure(config: pytest.Config) -> None:
    """Read the contract, where an implementation is named."""
    target, vendor = config.getoption("--mockingbill-target"), config.getoption("--mockingbill-vendor")
    if not target:
        return
    if not vendor:
        raise pytest.UsageError("--mockingbill-target needs --mockingbill-vendor")
    import uuid

    from conformance.beginnings import begin
    from conformance.run import Settings
    from conformance.scope import Scope, read
    from mock_server.contract import ContractError

    target_file = config.getoption("--mockingbill-target-file")
    settings = Settings(
        vendor,
        target,
        config.getoption("--mockingbill-profile"),
        config.getoption("--mockingbill-seed"),
        "inferred" in config.getoption("--mockingbill-include"),
        Path(target_file) if target_file else None,
        config.getoption("--mockingbill-world") or f"check-{uuid.uuid4().hex[:10]}",
        config.getoption("--mockingbill-shown") or target,
        config.getoption("--mockingbill-control"),
    )
    try:
        scope = Scope(read(vendor), settings.inferred)
    except ContractError as error:
        raise pytest.UsageError(str(error)) from None
    events = config.getoption("--mockingbill-events")
    session = Session(settings, scope, Path(events) if events else None, config.getoption("--mockingbill-part"))
    begin(Path(session.stack.enter_context(tempfile.TemporaryDirectory())))
    config.stash[_SESSION] = session
    config.pluginmanager.register(Watch(session), "mockingbill-watch")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what was started."""
    if (session := config.stash.get(_SESSION, None)) is not None:
        session.stack.close()


_PARAMETERS = ("mockingbill_operation", "mockingbill_made_up", "mockingbill_resource", "mockingbill_promise")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each operation, resource, promise and subject."""
    session = metafunc.config.stash.get(_SESSION, None)
    names = set(_PARAMETERS) & set(metafunc.fixturenames)
    if not names:
        return
    if session is None:
        metafunc.parametrize(names.pop(), [pytest.param(None, marks=pytest.mark.skip(reason=NO_TARGET))], ids=["none"])
        return
    from conformance.lifecycle import resources
    from conformance.promise import all_promises
    from conformance.run import AMOUNTS

    scope = session.scope
    made_up = scope.operations if AMOUNTS[session.settings.profile] else ()
    cases: dict[str, dict[str, Any]] = {
        "mockingbill_operation": {f"responses-{o.id}": o for o in scope.operations},
        "mockingbill_made_up": {f"fuzzing-{o.id}": o for o in made_up},
        "mockingbill_resource": {f"lifecycle-{name}": name for name in resources(scope)},
        "mockingbill_promise": {
            f"{promise.name}-{subject.name}": (promise, subject)
            for promise in all_promises()
            for subject in promise.subjects(scope)
        },
    }
    for name in names:
        session.planned |= set(cases[name])
        metafunc.parametrize(name, list(cases[name].values()), ids=list(cases[name]))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Say how much there is to do."""
    ours = session.config.stash.get(_SESSION, None)
    if ours is not None:
        ours.tell("planned", count=len(ours.planned))


def pytest_deselected(items: list[pytest.Item]) -> None:
    """A part of the suite is no evidence about the whole, and need not be."""
    for item in items[:1]:
        if (session := item.config.stash.get(_SESSION, None)) is not None:
            session.whole = False


@pytest.fixture(scope="session")
def mockingbill_run(request: pytest.FixtureRequest) -> Run:
    """The run against the implementation named on the command line."""
    from conformance.finding import Unreachable
    from conformance.target import BadTarget

    session = request.config.stash.get(_SESSION, None)
    if session is None:
        pytest.skip(NO_TARGET)
    try:
        return session.started()
    except (Unreachable, BadTarget) as error:
        session.fatal = str(error)
        pytest.exit(f"could not tell: {error}", returncode=2)


@pytest.fixture(scope="session")
def mockingbill_client(mockingbill_run: Run) -> Iterator[Client]:
    """The client that all promises share: what one makes, the next may find."""
    with mockingbill_run.client("promises") as client:
        yield client


@pytest.fixture(scope="session")
def mockingbill_responses(mockingbill_run: Run) -> dict[str, Outcome]:
    """What came of every operation in the responses layer, run once."""
    from conformance.responses import execute

    return {outcome.subject: outcome for outcome in execute(mockingbill_run)}


@pytest.fixture(scope="session")
def mockingbill_fuzzing(mockingbill_run: Run) -> dict[str, Outcome]:
    """What came of every operation in the fuzzing layer, run once."""
    from conformance.responses import execute

    return {outcome.subject: outcome for outcome in execute(mockingbill_run, "fuzzing")}


def settle(outcome: Outcome) -> None:
    """Turn an outcome into pytest's terms: a failure, an expected one, or a skip with its reason."""
    if outcome.status == "not tested":
        pytest.skip(f"not tested: {outcome.reason}")
    if outcome.status == "apart":
        pytest.xfail(f"inferred, reported apart: {outcome.reason[:300]}")
    if outcome.status == "broken":
        pytest.fail("\n\n".join(str(finding) for finding in outcome.findings), pytrace=False)


class Watch:
    """Stops a session whose target is gone: what is left cannot be judged. Registered only where there is a target."""

    def __init__(self, session: Session) -> None:
        self.session = session

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        """Around each test."""
        from conformance.finding import Unreachable

        try:
            return (yield)
        except Unreachable as error:
            self.session.fatal = str(error)
            pytest.exit(f"could not tell: {error}", returncode=2)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int | pytest.ExitCode) -> None:
    """A run that is no evidence does not pass: exit 2."""
    ours = session.config.stash.get(_SESSION, None)
    if ours is None or (exitstatus == pytest.ExitCode.INTERRUPTED and not ours.fatal):
        return
    doubts = ours.doubts()
    run = ours.run
    counts = {name: dict(counter) for name, counter in run.ledger.counts.items()} if run else {}
    fields = {name: sorted(found) for name, found in run.ledger.fields.items()} if run else {}
    place = run.target.base_url if run else ""
    hidden = [run.mask.text(doubt) for doubt in doubts] if run else doubts
    told = {"doubts": hidden, "fatal": bool(ours.fatal), "counts": counts, "fields": fields, "base_url": place}
    ours.tell("finished", **told)
    if doubts and exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        session.exitstatus = pytest.ExitCode.INTERRUPTED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say what stayed in doubt."""
    session = config.stash.get(_SESSION, None)
    if session is not None and (doubts := session.doubts()):
        terminalreporter.section("could not tell")
        for doubt in doubts:
            terminalreporter.write_line(doubt)
