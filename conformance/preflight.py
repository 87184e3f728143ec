"""What is looked at before a run: that the target answers, takes the credentials, and, where it may only be read, what there is to read."""

from __future__ import annotations

from conformance.address import shown
from conformance.answer import Answer
from conformance.cleaning import in_own_world
from conformance.client import Client
from conformance.finding import Broken, NotTested, Unreachable, Withheld
from conformance.limits import READ_ONLY
from conformance.records import base_body
from conformance.run import Run
from conformance.standing import find
from mock_server.contract import Operation


def preflight(run: Run) -> None:
    """See that the target answers and takes the credentials. Raises Unreachable."""
    secured = [operation for operation in run.scope.operations if operation.secured]
    order = {"list": 0, "retrieve": 1, "create": 2}
    operations = (
        sorted(secured, key=lambda operation: order.get(operation.action.verb, 3))[:4] or run.scope.operations[:1]
    )
    refused: list[str] = []
    elsewhere: set[str] = set()
    with run.client("preflight") as client:
        for operation in operations:
            try:
                arguments = (
                    dict(zip(("media", "body"), base_body(client, operation), strict=True)) if operation.body else {}
                )
                answer = client.call(operation, **arguments)
            except (Broken, NotTested, Withheld):
                continue
            if place := _elsewhere(operation, answer):
                elsewhere.add(place)
            elif answer.status not in (401, 403):
                break
            else:
                refused.append(f"{operation.id}: {answer}")
        else:
            if elsewhere and not refused:
                raise Unreachable(
                    f"the target sends every call elsewhere, to {sorted(elsewhere)[0]}: name the URL of the API itself"
                )
        if len(refused) == len(operations):
            raise Unreachable(f"the target refuses the credentials; {refused[0]}")
        if run.target.limits.read_only:
            _find(run, client)
        run.in_own_worlds = in_own_world(client)


def _elsewhere(operation: Operation, answer: Answer) -> str:
    """Where an answer sends the caller to, though no redirect is documented."""
    if answer.status not in (301, 302, 303, 307, 308) or any(status // 100 == 3 for status in operation.responses):
        return ""
    return shown(answer.headers.get("location", "")).partition("?")[0] or "nowhere"


def _find(run: Run, client: Client) -> None:
    """Learn which records there are, where none may be made; what reads one of which none is known is excused."""
    find(client)
    run.target = client.target
    for operation in run.scope.operations:
        by = operation.action.by
        if by and by[0] != "credential" and not run.target.caller.known.get(operation.action.resource):
            run.excused.setdefault(operation.id, f"{READ_ONLY}, and no {operation.action.resource} is known")
