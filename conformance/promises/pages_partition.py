"""Pages divide a list: nothing twice, nothing left out.

More records than a page holds are made; all pages are read, the first of them twice, and one after the last.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

from conformance.client import Answer, Client
from conformance.finding import Broken, NotTested
from conformance.promise import Promise, Subject
from conformance.records import make
from conformance.scope import Scope, Sight
from conformance.sights import pages
from mock_server.contract import Pagination, resolve


def _subjects(scope: Scope) -> Iterator[Subject]:
    paging = scope.contract.pagination
    for operation in scope.acting("list") if paging else ():
        view = operation.view(operation.action.resource)
        if view and view.is_list and paging and any(p.name == paging.parameter for p in operation.parameters):
            yield Subject(operation.id, operation, "/x-vendor/pagination")


def _probe(subject: Subject, client: Client) -> None:
    operation, resource = subject.operation, client.scope.resource(subject.operation)
    paging, view = client.scope.contract.pagination, operation.view(resource.name)
    assert paging is not None and view is not None, "a subject has both"
    sight = Sight(operation, view, "list")
    ours = populate(client, resource.name, paging.size + 3)
    answers = list(pages(client, sight))
    keys = [[record.get(resource.key) for record in answer.records(view)] for answer in answers]
    if len(keys) < 2:
        raise Broken(f"at least two pages for {len(ours)} records", f"{len(keys)} page of {len(keys[0])}")
    for number, page in enumerate(keys[:-1], start=1):
        if len(page) != paging.size:
            raise Broken(f"{paging.size} records on page {number} of {len(keys)}", f"{len(page)}")
    flat = [key for page in keys for key in page]
    if len(set(flat)) != len(flat):
        twice = next(key for key in flat if flat.count(key) > 1)
        raise Broken("no record on two pages", f"{twice!r} on {[n for n, page in enumerate(keys, 1) if twice in page]}")
    lost = set(ours) - set(flat)
    if lost:
        raise Broken("every record on some page", f"{sorted(map(str, lost))[:3]} on none")
    _links(paging, answers, len(flat))
    beyond = client.call(operation, given={paging.parameter: len(keys) + 1})
    if beyond.ok and beyond.records(view):
        raise Broken(f"no records on page {len(keys) + 1} of {len(keys)}", f"{len(beyond.records(view))}")
    again = client.call(operation, given={paging.parameter: 1}).records(view)
    if [record.get(resource.key) for record in again] != keys[0]:
        raise Broken("page 1 as it was, nothing having changed", "another order or other records")


def _links(paging: Pagination, answers: list[Answer], count: int) -> None:
    for number, answer in enumerate(answers, start=1):
        last = number == len(answers)
        if paging.total and (total := _at(answer, paging.total)) != count:
            raise Broken(f"a total of {count} on page {number}", f"{total!r}")
        if not paging.next:
            continue
        following = _at(answer, paging.next)
        if last and following:
            raise Broken("no next link on the last page", f"{following!r}")
        if not last:
            shown = parse_qs(urlsplit(str(following)).query).get(paging.parameter) if following else None
            if shown != [str(number + 1)]:
                raise Broken(f"a next link to {paging.parameter}={number + 1} on page {number}", f"{following!r}")


def _at(answer: Answer, pointer: str) -> Any:
    try:
        return resolve(answer.body, pointer)
    except KeyError:
        return None


def populate(client: Client, resource: str, count: int) -> list[Any]:
    """The keys of at least `count` records, made once for all that need many."""
    if not client.scope.creates(resource):
        raise NotTested(f"no operation in scope creates a {resource}, and more than a page of them is needed")
    keys = client.populated.setdefault((resource, client.caller.name), [])
    while len(keys) < count:
        keys.append(make(client, resource).key)
    return keys


PROMISE = Promise(
    "pages_partition",
    "The pages of a list divide it: each but the last is full, each record stands on one, none on a page after the last; links and totals agree.",
    ("x-vendor",),
    _subjects,
    _probe,
)
