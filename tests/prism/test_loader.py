"""The stock Prism takes every document as it stands in the checkout, fixtures included."""

from __future__ import annotations

import re

import httpx
import pytest
from calls import request

from mock_server.contract import Contract, Fixtures

pytestmark = pytest.mark.slow


def test_prism_serves_every_operation_of_the_document(contract: Contract, started: tuple[str, str]) -> None:
    listed = re.findall(r"\b(GET|POST|PUT|PATCH|DELETE) +http://[^/]+(/\S*)", started[1])
    assert len(listed) == len(contract.operations)


def test_prism_answers_the_documents_own_requests_with_success(
    contract: Contract, fixtures: Fixtures, prism: str
) -> None:
    with httpx.Client(timeout=60) as client:
        for operation in contract.operations.values():
            answer = request(contract, fixtures, operation).send(client, prism)
            assert answer.status_code == operation.success.status, f"{operation.id}: {answer.text}"
            assert "sl-violations" not in answer.headers, f"{operation.id}: {answer.headers['sl-violations']}"
