"""Our own mock with one fault each is caught, by the promise that the fault breaks."""

from __future__ import annotations

import pytest
import wrapped

from conformance.promise import all_promises
from conformance.run import Run, Settings, preflight, rehearse
from conformance.target import base_url, serve


@pytest.mark.parametrize("name", wrapped.FAULTS)
def test_our_mock_with_one_fault_is_caught_by_the_promise_it_breaks(name: str) -> None:
    fault = wrapped.FAULTS[name]
    with serve(wrapped.behind(fault)) as url:
        run = Run.begin(Settings(fault.vendor, base_url(url, fault.vendor), "smoke", inferred=True, world="wrapped"))
        preflight(run)
        rehearse(run, tuple(promise for promise in all_promises() if promise.name == fault.promise))
    assert {finding.promise for finding in run.findings()} == {fault.promise}


@pytest.mark.parametrize("vendor", ["wispgate", "stykite", "pelcro"])
def test_the_wrapper_alone_breaks_nothing(vendor: str) -> None:
    with serve(wrapped.behind(wrapped.Fault(vendor, ""))) as url:
        run = Run.begin(Settings(vendor, base_url(url, vendor), "smoke", inferred=True, world="wrapped"))
        rehearse(run, all_promises())
    assert [f"{finding.promise} {finding.subject}: {finding.observed}" for finding in run.findings()] == []
