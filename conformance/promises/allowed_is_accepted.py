"""What a schema allows at its limits is accepted.

The longest and the shortest text, the largest and the least number, and the values of an enumeration are sent, all fields at once. Where that
is refused, each stands alone in the place of an example's own value: refused there too, in every named example, it is refused for itself.
Where records are listed, each parameter of the query is sent at its limits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from conformance.client import ABSENT, Answer, Client
from conformance.finding import Broken, NotTested
from conformance.moments import shows_moments
from conformance.promise import Promise, Subject
from conformance.records import base_body, makers, ready, resolve_path, unique_fields
from conformance.schemas import put
from conformance.scope import Scope
from conformance.sights import upon
from conformance.values import edges
from conformance.wire import FORM
from mock_server.contract import Json, Operation, Parameter

_MOST = 12
"""How many values of an enumeration are sent."""
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Refused:
    """A value that was refused in an example's place, about a record that another example makes."""

    path: Path
    value: Json
    example: str | None
    maker: str | None

    def __str__(self) -> str:
        return f"{'.'.join(map(str, self.path))}: {_shown(self.value)}"


def _subjects(scope: Scope) -> Iterator[Subject]:
    for operation in scope.acting("create", "update"):
        bodies = [body for _, _, body in scope.examples(operation)] or [{}]
        if operation.body and operation.action.resource != "Credential" and any(_limits(scope, operation, bodies[0])):
            yield Subject(operation.id, operation, operation.body.pointer)
    for operation in scope.acting("list", "search", "filter"):
        for parameter, values in _parameters(scope, operation):
            yield Subject(f"{operation.id} {parameter.name}", operation, parameter.pointer, {parameter.name: values})


def _parameters(scope: Scope, operation: Operation) -> Iterator[tuple[Parameter, list[Json]]]:
    """The parameters of a query, and the values at their limits; no page so far behind the last."""
    pages, tenant = scope.contract.pagination, scope.contract.tenancy
    for parameter in operation.parameters:
        if parameter.where == "query" and not parameter.references and parameter.name != tenant.name:
            schema = scope.schemas.follow(parameter.schema)
            far = schema.get("maximum") if pages and parameter.name == pages.parameter else None
            if values := [value for value in edges(schema) if value != far]:
                yield parameter, values


def _probe(subject: Subject, client: Client) -> None:
    if subject.detail:
        _ask(subject, client)
    else:
        _send(subject, client)


def _ask(subject: Subject, client: Client) -> None:
    """A list, with a parameter at its limits."""
    ((name, values),) = subject.detail.items()
    operation = subject.operation
    media, body = base_body(client, operation) if operation.body and operation.body.required else (None, ABSENT)
    made = ready(client, operation) if operation.action.by else None
    for value in values:
        given = {**(upon(client, operation, made)["given"] if made else {}), name: value}
        answer = client.call(operation, given=given, body=body, media=media)
        if not answer.ok:
            raise Broken(f"{operation.success.status} with {name} {_shown(value)}", str(answer))


def _send(subject: Subject, client: Client) -> None:
    """What makes and changes records, with each field at its limits."""
    operation = subject.operation
    _, whole = base_body(client, operation)
    limits = dict(_limits(client.scope, operation, whole))
    once = {path: limits.pop(path) for name in unique_fields(client, operation) if (path := (name,)) in limits}
    refused: list[Refused] = []
    accepted: set[tuple[Path, str]] = set()
    for number in range(max(map(len, limits.values()), default=0)):
        chosen = {path: values[number % len(values)] for path, values in limits.items()}
        together = _sent(client, operation, None, chosen)
        if together is None or not together.ok:
            new = {path: value for path, value in chosen.items() if (path, repr(value)) not in accepted}
            refused += _refused(client, operation, new)
        accepted |= {(path, repr(value)) for path, value in chosen.items()}
    refused += _refused(
        client, operation, {path: _never_used(client, operation, path, texts) for path, texts in once.items()}
    )
    for first in refused[:1]:  # once more, so that the last call of the finding is what it is about
        answer, due = _sent(client, operation, first.example, {first.path: first.value}, first.maker), operation.success
        observed = f"refused with every example: {', '.join(map(str, refused))}; the first with {answer}"
        raise Broken(f"{due.status} for what the schema allows", observed, status=due.status)


def _limits(scope: Scope, operation: Operation, body: Json) -> Iterator[tuple[Path, list[Json]]]:
    """The values at the limits of each field that a body may have, and of those inside the structures that it has.

    Neither where a record may move to nor what lies behind now is a matter of limits.
    """
    action, contract = operation.action, scope.contract
    ruled: set[str | None] = {contract.tenancy.name, *([action.by[1]] if action.by else [])}
    ruled |= {scope.resource(operation).state, *action.moves} if action.verb == "update" else set()
    bodies = [example for _, _, example in scope.examples(operation) if isinstance(example, Mapping)]
    assert operation.body is not None, "callers ask for operations with a body"
    for path, schema in _places(scope, operation.body.schema, body):
        values, name = edges(schema), path[-1]
        moment = shows_moments(contract, [schema.get("example"), *(example.get(name) for example in bodies)])
        if values and name not in ruled and not moment:
            yield path, values if len(values) <= _MOST else values[:: -(-len(values) // _MOST)]


def _places(scope: Scope, schema: Any, value: Json, at: Path = ()) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    if isinstance(value, list) and value:
        yield from _places(scope, scope.schemas.at(schema, ("-",)), value[0], (*at, 0))
    elif isinstance(value, Mapping):
        for name, item in scope.schemas.properties(schema).items():
            if isinstance(value.get(name), list | Mapping):
                yield from _places(scope, item, value[name], (*at, name))
            else:
                yield (*at, name), item


def _never_used(client: Client, operation: Operation, path: Path, texts: list[Json]) -> Json:
    """A text for a field that must not repeat, as long as the longest."""
    schema = client.scope.fields(operation)[str(path[0])]
    return client.fresh.value({**schema, "minLength": len(str(texts[0]))}, texts[0])


def _refused(client: Client, operation: Operation, values: Mapping[Path, Json]) -> list[Refused]:
    """Those of these values that are refused for themselves."""
    found = (_refusal(client, operation, path, value) for path, value in values.items())
    return [refusal for refusal in found if refusal is not None]


def _refusal(client: Client, operation: Operation, path: Path, value: Json) -> Refused | None:
    """A value that is refused in the place of the examples' own, whatever record it is about.

    None where one of them takes it, or where none of them is taken by itself: something is used up.
    """
    names: list[str | None] = [name for name, media, _ in client.scope.examples(operation) if media != FORM]
    names = names or [None]
    refused: list[Refused] = []
    for name in names:
        for maker in makers(client, operation):
            answer = _sent(client, operation, name, {path: value}, maker)
            if answer is not None and answer.ok:
                return None
            refused += [] if answer is None else [Refused(path, value, name, maker)]
    plain = (_sent(client, operation, name, {}) for name in names)
    return next(iter(refused), None) if any(answer is not None and answer.ok for answer in plain) else None


def _sent(
    client: Client, operation: Operation, example: str | None, changes: Mapping[Path, Json], maker: str | None = None
) -> Answer | None:
    """The answer to an example with these changes, about a new record made with another example; None where it has no place for them."""
    media, body = base_body(client, operation, example)
    for path, value in changes.items():
        if not _reaches(body, path):
            return None
        body = put(body, path, value)
    if not operation.action.by or operation.action.verb == "create":
        return client.call(operation, body=body, media=media)
    try:
        made = ready(client, operation, maker)
    except NotTested:
        if maker is None:
            raise
        return None
    return client.call(operation, **upon(client, operation, made, body=body), media=media)


def _reaches(body: Json, path: Path) -> bool:
    """Whether a body has the structure that a path stands in."""
    try:
        return isinstance(resolve_path(body, path[:-1]), Mapping)
    except (KeyError, IndexError, TypeError):
        return False


def _shown(value: Json) -> str:
    return f"a text of {len(value)}" if isinstance(value, str) and len(value) > 40 else repr(value)


PROMISE = Promise(
    "allowed_is_accepted",
    "What a schema allows at its limits is accepted: the longest and the shortest text, the largest and the least number, an enumeration's values.",
    ("x-action",),
    _subjects,
    _probe,
)
