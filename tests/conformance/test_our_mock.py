"""Our own mock, over a real socket, breaks no promise: every vendor, inferred operations included, on three seeds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from conformance import lifecycle, responses
from conformance.promise import all_promises
from conformance.run import Run, Settings, preflight, rehearse
from conformance.target import base_url, serve
from mock_server import create_app
from mock_server.contract import vendors


@pytest.fixture(scope="module")
def mock() -> Iterator[str]:
    with serve(create_app(inferred=True)) as url:
        yield url


def a_run(mock: str, vendor: str, seed: int) -> Run:
    run = Run.begin(Settings(vendor, base_url(mock, vendor), "smoke", seed, inferred=True, world=f"{vendor}-{seed}"))
    preflight(run)
    return run


def said(run: Run) -> list[str]:
    return [f"{finding.promise} {finding.subject}: {finding.observed}" for finding in run.findings()]


@pytest.mark.parametrize("vendor", vendors())
def test_it_keeps_every_promise(mock: str, vendor: str) -> None:
    run = a_run(mock, vendor, 1)
    rehearse(run, all_promises())
    assert said(run) == []
    assert run.unreached() == []
    assert run.doubts == []


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("vendor", vendors())
def test_its_records_live_as_the_model_says(mock: str, vendor: str, seed: int) -> None:
    run = a_run(mock, vendor, seed)
    for resource in lifecycle.resources(run.scope):
        lifecycle.execute(run, resource)
    assert said(run) == []


@pytest.mark.parametrize("vendor", ["wispgate", "stykite"])
def test_its_answers_are_as_documented(mock: str, vendor: str) -> None:
    run = a_run(mock, vendor, 1)
    responses.execute(run)
    assert said(run) == []
    assert run.doubts == []
