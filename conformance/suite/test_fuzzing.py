"""Every operation through Schemathesis with requests that are made up, alone and after one another."""

from __future__ import annotations

from conformance.plugin import settle
from conformance.run import Outcome
from mock_server.contract import Operation


def test_answers_to_what_is_made_up_are_as_documented(
    mockingbill_fuzzing: dict[str, Outcome], mockingbill_made_up: Operation
) -> None:
    """Whatever is made up, the answer is one the document describes."""
    settle(mockingbill_fuzzing[mockingbill_made_up.id])
