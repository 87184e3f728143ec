"""Which tests there are: one for each operation, resource, promise and subject of the contract that is named."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.plugin.session import NO_TARGET, SESSION, Session, begin

_PARAMETERS = ("mockingbill_operation", "mockingbill_made_up", "mockingbill_resource", "mockingbill_promise")
NOBODY = pytest.StashKey[str]()
"""Why there is nobody to hold to anything, where the suite was collected all the same."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each operation, resource, promise and subject; one that says what is missing, where no implementation is named."""
    names = set(_PARAMETERS) & set(metafunc.fixturenames)
    if not names:
        return
    session = None
    try:
        session = begin(metafunc.config)
        nobody = NO_TARGET
    except pytest.UsageError as error:  # of an ini file's; that of an option ended pytest before
        nobody = str(error)
    if session is None:
        metafunc.config.stash[NOBODY] = nobody
    cases = _cases(session) if session else {}
    for name in names:
        if found := cases.get(name):
            assert session is not None, "there are no cases without one"
            session.planned += found
            metafunc.parametrize(name, list(found.values()), ids=list(found))
        else:  # a project may forbid empty parameter sets
            reason = "the contract and the profile leave nothing to do here" if session else nobody
            metafunc.parametrize(name, [pytest.param(None, marks=pytest.mark.skip(reason=reason))], ids=["none"])


def _cases(session: Session) -> dict[str, dict[str, Any]]:
    """The values of each parameter, by their names."""
    from conformance.lifecycle import resources
    from conformance.promise import all_promises
    from conformance.settings import AMOUNTS

    scope = session.scope
    made_up = scope.operations if AMOUNTS[session.settings.profile] else ()
    return {
        "mockingbill_operation": {f"responses-{o.id}": o for o in scope.operations},
        "mockingbill_made_up": {f"fuzzing-{o.id}": o for o in made_up},
        "mockingbill_resource": {f"lifecycle-{name}": name for name in resources(scope)},
        "mockingbill_promise": {
            f"{promise.name}-{subject.name}": (promise, subject)
            for promise in all_promises()
            for subject in promise.subjects(scope)
        },
    }


def pytest_collection_finish(session: pytest.Session) -> None:
    """Say how much there is to do."""
    ours = session.config.stash.get(SESSION, None)
    if ours is not None and not hasattr(session.config, "workerinput"):
        ours.tell("planned", count=len(ours.planned))
        ours.plugins = session.config.pluginmanager


def pytest_deselected(items: list[pytest.Item]) -> None:
    """A part of the suite is no evidence about the whole, and need not be."""
    for item in items[:1]:
        if (session := item.config.stash.get(SESSION, None)) is not None:
            session.whole = False
