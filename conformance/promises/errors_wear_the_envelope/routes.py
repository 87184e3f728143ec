"""What lies outside the operations: paths that are not there, methods that a path does not have."""

from __future__ import annotations

from collections.abc import Mapping

from conformance.client import Client
from conformance.finding import Broken
from conformance.promise import Subject
from conformance.promises.errors_wear_the_envelope.envelope import wears

_METHODS = ("GET", "PUT", "POST", "DELETE", "PATCH")


def unknown_paths(subject: Subject, client: Client) -> None:
    """Paths of which the contract knows nothing are 404."""
    _, headers = client.credentials(subject.operation, client.caller.token)
    for path in ("/mockingbill-no-such-path", "/%00", "/%ff", "/mockingbill//x", "/..%2f"):
        answer = client.send("GET", path, "", {**client.caller.headers, **headers})
        if answer.ok:
            raise Broken(f"404 for {path}", str(answer), status=404)
        wears(client, None, answer, f"the path {path}")
    answer = client.send("GET", "/mockingbill-no-such-path", "", {**client.caller.headers, **headers})
    if answer.status != 404:
        raise Broken("404 for a path that is not there", str(answer), status=404)


def wrong_methods(subject: Subject, client: Client) -> None:
    """A method that a path does not have is 405, and `Allow` says which it has."""
    contract = client.scope.contract
    offered: dict[str, set[str]] = {}
    for operation in contract.operations.values():
        offered.setdefault(operation.path, set()).add(operation.method.upper())
    for operation in {operation.path: operation for operation in client.scope.operations}.values():
        path, query, headers = client.parameters(operation, {}, client.caller)
        extra, authority = client.credentials(operation, client.caller.token) if operation.secured else ([], {})
        for name in ("HEAD", "OPTIONS"):
            _answered(client, name, path, query + extra, {**client.caller.headers, **headers, **authority})
        method = next((name for name in reversed(_METHODS) if name not in _reachable(offered, operation.path)), None)
        if method is None:
            continue
        answer = client.send(method, path, query + extra, {**client.caller.headers, **headers, **authority})
        if answer.status != 405:
            raise Broken(f"405 for {method} {operation.path}", str(answer), pointer=operation.pointer)
        allow = {name.strip().upper() for name in answer.headers.get("allow", "").split(",") if name.strip()}
        stated = {o.method.upper() for o in client.scope.operations if o.path == operation.path}
        if not stated <= allow or allow - offered[operation.path] - {"HEAD", "OPTIONS"}:
            raise Broken(
                f"Allow: {', '.join(sorted(stated))} for {operation.path}",
                f"Allow: {answer.headers.get('allow')}",
                pointer=operation.pointer,
            )
        wears(client, None, answer, f"{method} {operation.path}")


def _answered(client: Client, method: str, path: str, query: list[tuple[str, str]], headers: dict[str, str]) -> None:
    """What HEAD and OPTIONS answer is HTTP's business, and 501 is an answer; a crash is ours."""
    try:
        client.send(method, path, query, headers)
    except Broken:
        if client.transcript[-1].status != 501:
            raise


def _reachable(offered: Mapping[str, set[str]], path: str) -> set[str]:
    """The methods of every path template that the same request could mean."""
    shape = path.split("/")

    def alike(other: str) -> bool:
        parts = other.split("/")
        pairs = zip(shape, parts, strict=True) if len(parts) == len(shape) else iter([("a", "b")])
        return all(one == two or "{" in one or "{" in two for one, two in pairs)

    return {method for other, methods in offered.items() if alike(other) for method in methods}
