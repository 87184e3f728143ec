"""A list holds every record once.

Records are made and every page of the list is read: each of them stands there once, and the total is what was counted. A list without pages
is asked to hold a hundred and one. Where the target may only be read, the list is read twice, and must show what is known to be there: what can
be retrieved by its key before and afterwards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from conformance.client import Client
from conformance.finding import Broken, NotTested
from conformance.limits import READ_ONLY
from conformance.promise import Promise, Subject, of
from conformance.promises.pages_partition import populate
from conformance.records import make
from conformance.scope import Scope, Sight
from conformance.sights import pages
from conformance.standing import CHANGED, lack, of_all, read_twice, retrieved, too_few
from mock_server.contract import resolve

_USUAL_LIMIT = 100
"""Where a list without pages is often cut off."""


def _subjects(scope: Scope) -> Iterator[Subject]:
    for operation in scope.acting("list"):
        if (view := operation.view(operation.action.resource)) and view.is_list:
            yield of(operation)


def _probe(subject: Subject, client: Client) -> None:
    operation, resource = subject.operation, client.scope.resource(subject.operation)
    view = operation.view(resource.name)
    assert view is not None, "a subject has one"
    sight, paging = Sight(operation, view, "list"), client.scope.contract.pagination
    whole = not any((p.where, p.name) == ("query", getattr(paging, "parameter", "")) for p in operation.parameters)
    if client.scope.creates(resource.name) and whole:
        ours = populate(client, resource.name, _USUAL_LIMIT + 1)
    elif client.scope.creates(resource.name):
        ours = [make(client, resource.name).key for _ in range(3)]
    else:
        ours = [record[resource.key] for record in client.caller.records(resource.name)]
    if not ours:
        raise NotTested(f"no {resource.name} can be made, and none is known")
    answers = list(pages(client, sight))
    counted = Counter(record.get(resource.key) for answer in answers for record in answer.records(view))
    for key in ours:
        if counted[key] != 1:
            raise Broken(f"{key!r} once", f"{counted[key]} times")
    twice = [key for key, times in counted.items() if times > 1]
    if twice:
        raise Broken("each record once", f"{twice[:3]!r} more than once")
    if paging and paging.total:
        try:
            total = resolve(answers[0].body, paging.total)
        except KeyError:
            return
        if total != sum(counted.values()):
            raise Broken(f"a total of {sum(counted.values())}, as many as are shown", f"{total!r} at {paging.total}")


def _read(subject: Subject, client: Client) -> None:
    operation, resource = subject.operation, client.scope.resource(subject.operation)
    view = operation.view(resource.name)
    assert view is not None, "a subject has one"
    before = retrieved(client, resource.name) if of_all(client, operation) else []
    listing = read_twice(client, Sight(operation, view, "list"))
    if not listing.pages:
        raise NotTested(CHANGED)
    if twice := listing.twice():
        raise Broken(f"{twice[0]!r} once", f"on pages {twice[1]}")
    known = [key for key in retrieved(client, resource.name) if key in before]
    total = listing.pages[1].total if listing.whole else None
    for key in known if listing.whole else ():
        if listing.times(key) != 1:
            raise Broken(f"{key!r} once", f"{listing.times(key)} times")
    if total is not None and total != listing.count:
        raise Broken(f"a total of {listing.count}, as many as are shown", f"{total!r}")
    if listing.count < 2:
        raise too_few(listing.count, "nothing could stand there twice")
    lack(client, listing)
    if listing.whole and not known and total is None:
        client.lacks("with all that is there", f"{READ_ONLY}, and nothing but the list says what is there")


PROMISE = Promise(
    "list_holds_each_once",
    "A list holds every record of the caller's once, and its total is their number.",
    ("x-action", "x-vendor"),
    _subjects,
    _probe,
    _read,
)
