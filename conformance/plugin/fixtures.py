"""The fixtures that the packaged tests run on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from conformance.plugin.session import NO_TARGET, SESSION, give_up

if TYPE_CHECKING:
    from conformance.client import Client
    from conformance.run import Outcome, Run


@pytest.fixture(scope="session")
def mockingbill_run(request: pytest.FixtureRequest) -> Run:
    """The run against the implementation that is named."""
    from conformance.finding import Unreachable
    from conformance.target import BadTarget

    session = request.config.stash.get(SESSION, None)
    if session is None:
        pytest.skip(NO_TARGET)
    try:
        return session.started()
    except (Unreachable, BadTarget) as error:
        give_up(request.session, session, error)


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
