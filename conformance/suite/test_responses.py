"""Every operation through Schemathesis with examples and boundaries: statuses, schemas, refusals, credentials."""

from __future__ import annotations

from conformance.plugin import settle
from conformance.run import Outcome
from mock_server.contract import Operation


def test_answers_are_as_documented(mockingbill_responses: dict[str, Outcome], mockingbill_operation: Operation) -> None:
    """Whatever is sent, the answer is one the document describes."""
    settle(mockingbill_responses[mockingbill_operation.id])
