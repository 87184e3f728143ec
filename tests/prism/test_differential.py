"""The same request to the real Prism and to us: status, media type and body are the same for every documented answer.

What differs on purpose is in `test_divergences.py` and in `docs/prism.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from calls import JSON, Request, request
from real import PATIENCE

from mock_server.contract import Contract, Fixtures, Operation, Response

pytestmark = pytest.mark.slow

UNDECLARED = 418
"""A status that no document declares."""


def media_type(response: httpx.Response) -> str:
    return response.headers.get("content-type", "").partition(";")[0]


def seen(response: httpx.Response) -> tuple[int, str, Any]:
    """What has to be the same; a body that is no JSON as its bytes."""
    media = media_type(response)
    return response.status_code, media, response.json() if media == JSON else response.content


def examples(response: Response) -> Iterator[str]:
    yield from next(iter(response.examples.values()), {})


def preferences(operation: Operation) -> Iterator[str]:
    """Every way to ask for a documented answer of an operation."""
    yield from (f"code={status}" for status in operation.responses)
    yield from (
        f"code={status}, example={name}"
        for status, response in operation.responses.items()
        for name in examples(response)
    )
    yield from (f"example={name}" for name in examples(operation.success))


def asked(client: httpx.Client, url: str, prepared: Request, preference: str) -> httpx.Response:
    return prepared.with_headers(Prefer=preference).send(client, url)


def test_every_documented_answer_is_prisms(contract: Contract, fixtures: Fixtures, prism: str, ours: str) -> None:
    different, compared = [], 0
    with httpx.Client(timeout=PATIENCE) as client:
        for operation in contract.operations.values():
            prepared = request(contract, fixtures, operation)
            for preference in preferences(operation):
                theirs, mine = (seen(asked(client, url, prepared, preference)) for url in (prism, ours))
                compared += 1
                if theirs != mine:
                    different.append(f"{operation.id}, Prefer: {preference}\n  Prism {theirs}\n  ours  {mine}")
    named = sum(
        len(list(examples(response)))
        for operation in contract.operations.values()
        for response in operation.responses.values()
    )
    assert compared > named, "every named example was asked for, and more"
    assert not different, "\n".join(different)


def test_each_named_example_comes_back_as_it_is_written(contract: Contract, fixtures: Fixtures, ours: str) -> None:
    """So that Prism and we are not wrong together."""
    with httpx.Client(timeout=PATIENCE) as client:
        for operation in contract.operations.values():
            prepared = request(contract, fixtures, operation)
            for status, response in operation.responses.items():
                for name in examples(response):
                    answer = asked(client, ours, prepared, f"code={status}, example={name}")
                    assert answer.json() == response.examples[JSON][name]["value"], f"{operation.id} {status} {name}"


@pytest.mark.parametrize(
    ("preference", "due"),
    [(f"code={UNDECLARED}", 404), ("code=999", 404), ("code=4x", 422), ("example=no-such-example", 404)],
)
def test_a_preference_that_nothing_fits_has_prisms_status(
    contract: Contract, fixtures: Fixtures, prism: str, ours: str, preference: str, due: int
) -> None:
    with httpx.Client(timeout=PATIENCE) as client:
        for operation in contract.operations.values():
            if not operation.success.content and "example" in preference:
                continue
            prepared = request(contract, fixtures, operation)
            statuses = {url: asked(client, url, prepared, preference).status_code for url in (prism, ours)}
            assert statuses == {prism: due, ours: due}, operation.id


@pytest.mark.parametrize(
    ("change", "due"),
    [
        pytest.param(lambda valid: valid.without_credentials(), 401, id="no credentials"),
        pytest.param(lambda valid: replace(valid, body="x", media="text/plain"), 415, id="another media type"),
        pytest.param(lambda valid: valid.with_headers(Accept="text/html"), 406, id="nothing acceptable"),
        pytest.param(lambda valid: replace(valid, path="/nowhere"), 404, id="an unknown path"),
        pytest.param(lambda valid: replace(valid, method="PATCH"), 405, id="an unknown method"),
    ],
)
def test_a_call_that_http_refuses_has_prisms_status(
    contract: Contract, fixtures: Fixtures, prism: str, ours: str, change: Callable[[Request], Request], due: int
) -> None:
    with httpx.Client(timeout=PATIENCE) as client:
        for operation in contract.operations.values():
            if not applies(contract, operation, due):
                continue
            prepared = change(request(contract, fixtures, operation))
            statuses = {url: prepared.send(client, url).status_code for url in (prism, ours)}
            assert statuses == {prism: due, ours: due}, operation.id


def applies(contract: Contract, operation: Operation, due: int) -> bool:
    """Whether an operation can be refused in this way at all."""
    if due == 405:
        return "patch" not in contract.document["paths"][operation.path]
    facts = {401: operation.secured, 415: operation.body is not None, 406: bool(operation.success.content)}
    return facts.get(due, True)
