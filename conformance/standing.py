"""Records that are there already: all that can be judged where none may be made, and others may make and delete some meanwhile.

A list is read twice, and a page counts that shows the same both times: what came or went is nobody's fault. What is found so is looked for once more.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from conformance.client import Answer, Client
from conformance.finding import Broken, NotTested, Withheld
from conformance.limits import READ_ONLY
from conformance.promise import Promise, Subject
from conformance.scope import Sight
from conformance.sights import at, paged, pages
from mock_server.contract import Operation

MOST = 10
"""How many pages of a list are read at most: there may be any number."""
CHANGED = f"{READ_ONLY}, and records came and went whenever it was read"
_TIMES = 3
"""How often a list that changes is read again."""


@dataclass(frozen=True)
class Page:
    """A page as it was shown: its answer, how many records it has, their keys, and the total it tells."""

    answer: Answer
    count: int
    keys: tuple[Any, ...]
    total: Any = None

    def like(self, other: Page) -> bool:
        """Whether it shows the same records, in whatever order."""
        return sorted(map(repr, self.keys)) == sorted(map(repr, other.keys))


@dataclass(frozen=True)
class Listing:
    """A list that was read twice: its pages by number where they were the same both times, the one after the last among them.

    `whole`: these are all it has; `ended`: all were read; `count`: how many records stood there the last time.
    """

    pages: Mapping[int, Page]
    whole: bool
    ended: bool
    count: int

    def twice(self) -> tuple[Any, list[int]] | None:
        """A key that stands twice, and on which pages; pages that tell another total were shown at another time."""
        stands: dict[tuple[Any, str], int] = {}
        for number, page in self.pages.items():
            for key in page.keys:
                if before := stands.get((key, repr(page.total))):
                    return key, [before, number]
                stands[key, repr(page.total)] = number
        return None

    def times(self, key: Any) -> int:
        """How often a key stands there."""
        return sum(page.keys.count(key) for page in self.pages.values())


def read_twice(client: Client, sight: Sight) -> Listing:
    """A list, read until it is the same twice in a row; after a few times, as far as it was."""
    before, _ = _read(client, sight)
    found: list[Listing] = []
    for _ in range(_TIMES):
        now, ended = _read(client, sight)
        same = {number: page for number, page in now.items() if number in before and page.like(before[number])}
        quiet = len(same) == len(now) == len(before) and len({repr(page.total) for page in now.values()}) == 1
        found.append(Listing(same, ended and quiet, ended, sum(page.count for page in now.values())))
        if quiet:
            break
        before = now
    return max(reversed(found), key=lambda listing: sum(page.count for page in listing.pages.values()))


def _read(client: Client, sight: Sight) -> tuple[dict[int, Page], bool]:
    """The pages of a list, and whether these are all; then with the one after the last, else with the last that the total promises."""
    found: dict[int, Page] = {}
    ended = True
    try:
        for number, answer in enumerate(pages(client, sight, limit=MOST), start=1):
            found[number] = _page(client, sight, answer)
    except NotTested:
        ended = False
    paging = client.scope.contract.pagination
    if not found or not paging or not paged(client, sight.operation):
        return found, ended
    total = found[len(found)].total
    far = len(found) + 1 if ended else -(-total // paging.size) if isinstance(total, int) else 0
    if far > len(found) and (answer := client.call(sight.operation, given={paging.parameter: far})).ok:
        found[far] = _page(client, sight, answer)
    return found, ended


def _page(client: Client, sight: Sight, answer: Answer) -> Page:
    paging, key = client.scope.contract.pagination, client.scope.resource(sight.operation).key
    records = answer.records(sight.view)
    keys = tuple(record[key] for record in records if _keyed(record, key))
    return Page(answer, len(records), keys, at(answer, paging.total) if paging and paging.total else None)


def _keyed(record: Any, key: str) -> bool:
    return isinstance(record, Mapping) and isinstance(record.get(key), str | int)


def standing(client: Client, resource: str) -> dict[Any, Mapping[str, Any]]:
    """The records that are there, by key, as a list of all of them shows them; those known beforehand where there is none."""
    key = client.scope.contract.resources[resource].key
    records: Iterable[Any] = client.caller.records(resource)
    for sight in client.scope.listings(resource):
        if of_all(client, sight.operation):
            shown = _read(client, sight)[0].values()
            records = [record for page in shown for record in page.answer.records(sight.view)]
            break
    return {record[key]: record for record in records if _keyed(record, key)}


def of_all(client: Client, operation: Operation) -> bool:
    """Whether a list is one of all records of the caller's, and not of those inside another record."""
    tenancy = client.scope.contract.tenancy
    return not any(p.required and (p.where, p.name) != (tenancy.where, tenancy.name) for p in operation.parameters)


def retrieved(client: Client, resource: str) -> list[Any]:
    """The keys, among those known, of records that can be retrieved by it now."""
    key = client.scope.contract.resources[resource].key
    for sight in client.scope.sights(resource):
        where, name = sight.operation.action.by or ("", "")
        if sight.how == "key" and where in ("path", "query", "header"):
            known = [record[key] for record in client.caller.records(resource) if _keyed(record, key)]
            return [one for one in known if client.call(sight.operation, given={name: one}).ok]
    return []


def too_few(count: int, what: str) -> NotTested:
    """Why what takes more records than there are is not tested."""
    return NotTested(f"{READ_ONLY}, and only {count} {'is' if count == 1 else 'are'} there: {what}")


def lack(client: Client, listing: Listing) -> None:
    """Tell which part of a list was not judged."""
    if not listing.ended:
        client.lacks("to its end", f"{READ_ONLY}, and it has more than {MOST} pages")
    elif not listing.whole:
        client.lacks("as a whole", CHANGED)


def find(client: Client) -> None:
    """Learn from lists which records there are: some from the middle of a page, for what is new or old may soon be gone."""
    known = {name: dict(records) for name, records in client.caller.known.items()}
    for name, resource in client.scope.contract.resources.items():
        lists = sorted(client.scope.listings(name), key=lambda sight: not of_all(client, sight.operation))
        if not resource.known and lists:
            known[name] = {}
            with contextlib.suppress(Broken, NotTested, Withheld):
                shown = next(pages(client, lists[0])).records(lists[0].view)
                found = [record for record in shown if _keyed(record, resource.key)]
                some = found[max(0, min(len(found) // 2, len(found) - 3)) :][:3]
                known[name] = {f"found-{number}": record for number, record in enumerate(some, start=1)}
    client.target = replace(client.target, caller=replace(client.caller, known=known))


def put_to_the_test(promise: Promise, subject: Subject, client: Client) -> None:
    """Probe a promise. Where records may come and go meanwhile, a finding counts when it is made twice. Raises what a probe does."""
    if not client.sending.read_only:
        promise.probe(subject, client)
        return
    told = ""
    for _ in range(_TIMES):
        client.transcript.clear()
        try:
            (promise.reading or promise.probe)(subject, client)
            return
        except Broken as broken:
            if not client.transcript or _refused(client.transcript[-1]):
                raise
            if not _moved(client) and broken.expected == told:
                raise
            told = broken.expected
    raise NotTested(CHANGED)


def _refused(last: Answer) -> bool:
    """Whether an answer is a failure that no record that is gone explains."""
    return not last.ok and not _unknown(last)


def _unknown(last: Answer) -> bool:
    return last.operation is not None and last.status == last.operation.statuses.get("unknown")


def _moved(client: Client) -> bool:
    """Whether what was asked for last, and is not found, may be gone: others are known from here on."""
    before, calls = _known(client), list(client.transcript)
    if not _unknown(calls[-1]):
        return False
    find(client)
    client.transcript[:] = calls
    return _known(client) != before


def _known(client: Client) -> list[tuple[str, Any]]:
    resources = client.scope.contract.resources
    return [
        (name, record.get(resources[name].key))
        for name, records in client.caller.known.items()
        if name in resources
        for record in records.values()
    ]
