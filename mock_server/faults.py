"""Trouble that was planned through the control API, and the calls that meet it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mock_server.contract import Kind, Operation
from mock_server.problems import Problem
from mock_server.store import StoredRecord, TableName, Transaction
from mock_server.vendor import SHARED, next_number

FAULTS: TableName = (SHARED, "_faults")


def plan(transaction: Transaction, fault: Mapping[str, Any]) -> None:
    """Keep a fault: its `operation` (None for any), `delay` in seconds, `status` (None to perform the call) and `times`."""
    number = next_number(transaction, "_faults")
    transaction.put(FAULTS, number, {"id": number, **fault})
    transaction.commit()


def meet(operation: Operation, transaction: Transaction) -> StoredRecord | None:
    """The first fault that fits the operation; one use less of it is left."""
    if not transaction.count(FAULTS):
        return None
    for fault in transaction.scan(FAULTS):
        if fault["operation"] not in (None, operation.id):
            continue
        if fault["times"] > 1:
            transaction.put(FAULTS, fault["id"], {**fault, "times": fault["times"] - 1})
        else:
            transaction.delete(FAULTS, fault["id"])
        return fault
    return None


def problem(status: int) -> Problem:
    """A planned failure, of the kind that a vendor's real one would be."""
    if status == 429:
        return Problem("rate-limited", "A planned fault.", status=status, headers={"Retry-After": "1"})
    kinds: Mapping[int, Kind] = {401: "unauthenticated", 403: "forbidden"}
    return Problem(kinds.get(status, "planned"), "A planned fault.", status=status)
