"""Scripted promises: what no schema can state, each rule on its own."""

from __future__ import annotations

from conformance.client import Client
from conformance.plugin import settle
from conformance.promise import Promise, Subject
from conformance.run import Run


def test_promise_is_kept(
    mockingbill_run: Run, mockingbill_client: Client, mockingbill_promise: tuple[Promise, Subject]
) -> None:
    """The implementation keeps the promise."""
    promise, subject = mockingbill_promise
    settle(mockingbill_run.hold(promise, subject, mockingbill_client))
