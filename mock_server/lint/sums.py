"""Rules about what adds up."""

from __future__ import annotations

from collections.abc import Iterator

from mock_server.contract import Contract, ContractError, Json, Response, escape, load_fixtures, resolve
from mock_server.lint.finding import Finding, in_file
from mock_server.lint.subject import Subject

_AMOUNTS = ("number", "integer", "string")
_WORDS = {"enum", "format", "x-references"}


def stated(subject: Subject, contract: Contract) -> Iterator[Finding]:
    """sum-fact."""
    for resource in contract.resources.values():
        for total in resource.sums:
            at = f"{resource.pointer}/x-sums/{escape(total.name)}"
            direct = [total.name, *(term.path[0] for term in total.terms if len(term.path) == 1)]
            for name in direct:
                item = resource.properties[name]
                if item.get("type") not in _AMOUNTS or (item["type"] == "string" and _WORDS & item.keys()):
                    yield subject.find(at, "sum-fact", f"{name} is no amount")


def shown(subject: Subject, contract: Contract) -> Iterator[Finding]:
    """example-sum."""
    try:
        fixtures = load_fixtures(contract)
    except ContractError:
        return  # said by fixture-shape
    for resource in contract.resources.values():
        for record in fixtures.records.get(resource.name, ()) if resource.sums else ():
            for total in resource.sums:
                if fault := total.fault(record.value):
                    pointer = f"{record.pointer}/value/{escape(total.name)}"
                    yield in_file(record.path, pointer, "example-sum", f"{record.name}: {fault}")
    for operation in contract.operations.values():
        for response in operation.responses.values():
            for media, examples in response.examples.items():
                for name, example in examples.items():
                    pointer = f"{response.pointer}/content/{escape(media)}/examples/{escape(name)}"
                    for fault in _faults(contract, response, example.get("value")):
                        place = subject.follow(resolve(subject.document, pointer), pointer)[1]
                        yield subject.find(f"{place}/value", "example-sum", fault)


def _faults(contract: Contract, response: Response, body: Json) -> Iterator[str]:
    for view in response.views:
        for total in contract.resources[view.resource].sums:
            yield from filter(None, (total.fault(record) for record in view.records(body)))
