"""What a failure is answered with: a documented status, and the vendor's envelope."""

from __future__ import annotations

from typing import Any

from conformance.client import Answer, Client
from conformance.finding import Broken
from mock_server.contract import Operation

Failure = tuple[str, set[int], Answer]
"""What was wrong with a call, the statuses that are due (any, where there are none), and what it was answered."""


def documented(operation: Operation, status: int | None) -> set[int]:
    """The status that is due, where the operation documents it."""
    return {status} if status in operation.responses and status is not None else set()


def wears(client: Client, operation: Operation | None, answer: Answer, what: str) -> None:
    """Hold a failed answer against the envelope: the schema its operation documents for the status, or the vendor's own."""
    if answer.status >= 500:
        raise Broken("no server error", str(answer))
    contract, schemas = client.scope.contract, client.scope.schemas
    response = operation.responses.get(answer.status) if operation else None
    schema: Any = next(iter(response.content.values()), None) if response else None
    schema = schema or {"$ref": f"#/components/schemas/{contract.error}"}
    if "json" not in answer.headers.get("content-type", "").lower():
        raise Broken(
            f"the error envelope as JSON for {what}",
            f"{answer.status} as {answer.headers.get('content-type')}",
            status=answer.status,
        )
    faults = schemas.faults(_kept(client, schema), answer.body)
    if answer.body is None or faults:
        raise Broken(f"the error envelope for {what}", f"{answer}; {'; '.join(faults[:3])}", status=answer.status)


def _kept(client: Client, schema: Any) -> Any:
    """The same schema object each time, so that its validator is made once."""
    name = schema.get("$ref", "")
    return client.scope.schemas.follow(schema) if name else schema
