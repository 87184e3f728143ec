"""Pages divide a list: nothing twice, nothing left out.

More records than a page holds are made; all pages are read, the first of them twice, and one after the last. Where the target may only be
read, the pages of what is there are read, the first ten at most: what came or went meanwhile is left out.
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
from conformance.sights import at, pages
from conformance.standing import CHANGED, Listing, lack, read_twice, too_few
from mock_server.contract import Pagination


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
        if paging.total and (total := at(answer, paging.total)) != count:
            raise Broken(f"a total of {count} on page {number}", f"{total!r}")
        if not paging.next:
            continue
        following = at(answer, paging.next)
        if last and following:
            raise Broken("no next link on the last page", f"{following!r}")
        if not last:
            _leads_on(paging, number, following)


def _leads_on(paging: Pagination, number: int, following: Any) -> None:
    shown = parse_qs(urlsplit(str(following)).query).get(paging.parameter) if following else None
    if shown != [str(number + 1)]:
        raise Broken(f"a next link to {paging.parameter}={number + 1} on page {number}", f"{following!r}")


def _read(subject: Subject, client: Client) -> None:
    operation, paging = subject.operation, client.scope.contract.pagination
    view = operation.view(operation.action.resource)
    assert paging is not None and view is not None, "a subject has both"
    listing = read_twice(client, Sight(operation, view, "list"))
    if twice := listing.twice():
        raise Broken("no record on two pages", f"{twice[0]!r} on {twice[1]}")
    for number in listing.pages:
        _size(paging, listing, number)
        _next(paging, listing, number)
    if len([page for page in listing.pages.values() if page.count]) < 2:
        few = listing.count <= paging.size
        raise too_few(listing.count, "pages cannot be told apart") if few else NotTested(CHANGED)
    lack(client, listing)


def _size(paging: Pagination, listing: Listing, number: int) -> None:
    """What is shown on a page that was the same twice: as many records as its own total says, or a full page where another follows."""
    page = listing.pages[number]
    follows = any(other.count for beyond, other in listing.pages.items() if beyond > number)
    if not paging.total:
        due, said = (paging.size if follows else min(page.count, paging.size)), ""
    elif isinstance(page.total, int):
        due, said = max(0, min(paging.size, page.total - (number - 1) * paging.size)), f", of a total of {page.total}"
    else:
        raise Broken(f"a total on page {number}", f"{page.total!r}")
    if page.count != due:
        raise Broken(f"{due} records on page {number}{said}", f"{page.count}")


def _next(paging: Pagination, listing: Listing, number: int) -> None:
    """Whether a page that was the same twice has a next link, as its own total says or the page that follows."""
    page = listing.pages[number]
    if not paging.next or not page.count:
        return
    following = at(page.answer, paging.next)
    if page.total is None and number + 1 not in listing.pages:
        return
    more = bool(listing.pages[number + 1].count) if page.total is None else page.total > number * paging.size
    if more:
        _leads_on(paging, number, following)
    elif following:
        told = "" if page.total is None else f", of a total of {page.total}"
        raise Broken(f"no next link on page {number}, the last{told}", f"{following!r}")


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
    _read,
)
