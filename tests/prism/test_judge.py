"""Prism as a judge: a proxy in front of our mock turns every answer that breaks the document into a 500.

Each operation is walked in a world of its own: its success for every example of its body, what can then be read, and its refusals.
"""

from __future__ import annotations

import http.server
import json
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from calls import Request, request, requests
from real import PATIENCE, judge

from mock_server.contract import Contract, Fixtures, Operation

pytestmark = pytest.mark.slow

READING = ("retrieve", "list", "search", "filter", "related")


def walk(contract: Contract, fixtures: Fixtures, operation: Operation) -> Iterator[tuple[Operation, Request]]:
    """What is asked in the operation's world, in order."""
    for name, prepared in requests(contract, fixtures, operation):
        here = prepared.with_headers(X_Mock_World=f"{operation.id}.{name}")
        yield operation, here
        for other in contract.operations.values():
            if other.action.verb in READING and other.action.resource == operation.action.resource:
                yield other, request(contract, fixtures, other).with_headers(X_Mock_World=f"{operation.id}.{name}")
        yield operation, here
    here = request(contract, fixtures, operation).with_headers(X_Mock_World=operation.id)
    yield operation, here.without_credentials()
    yield operation, here.with_headers(Prefer="code=418")
    if operation.body:
        yield operation, replace(here, body={})
        yield operation, replace(here, body="{", media="application/json; charset=utf-8")
        yield operation, replace(here, body="x", media="text/plain")
    if operation.action.by and operation.action.by[0] == "path":
        yield operation, replace(here, path=here.path.rpartition("/")[0] + "/no-such-key")


def test_no_answer_of_ours_breaks_the_document(contract: Contract, fixtures: Fixtures, judged: str) -> None:
    complaints = []
    answered: dict[str, Counter[int]] = {name: Counter() for name in contract.operations}
    with httpx.Client(timeout=PATIENCE) as client:
        for operation in contract.operations.values():
            for asked, prepared in walk(contract, fixtures, operation):
                answer = prepared.send(client, judged)
                answered[asked.id][answer.status_code] += 1
                violations = json.loads(answer.headers.get("sl-violations", "[]"))
                graver = [
                    violation
                    for violation in violations
                    if violation["severity"] == "Error" and violation["location"][0] == "response"
                ]
                if answer.status_code >= 500 or graver:
                    complaints.append(
                        f"{asked.id}: {prepared.method} {prepared.path} {prepared.body}\n  {answer.status_code} {graver} {answer.text}"
                    )
    assert not complaints, "\n".join(complaints)
    assert {
        name: counts for name, counts in answered.items() if not any(200 <= status < 300 for status in counts)
    } == {}
    assert sum(counts[400] + counts[401] + counts[404] + counts[422] for counts in answered.values()) > len(
        contract.operations
    )


class Liar(http.server.BaseHTTPRequestHandler):
    """Answers every call with an empty object."""

    def do_POST(self) -> None:
        self.send_response(201)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        return


@pytest.mark.parametrize("contract", ["wispgate"], indirect=True)
def test_the_judge_sees_an_answer_that_breaks_the_document(
    contract: Contract, fixtures: Fixtures, document: Path, prism_command: str
) -> None:
    prepared = request(contract, fixtures, contract.operations["createSubscriber"])
    with http.server.HTTPServer(("127.0.0.1", 0), Liar) as server, httpx.Client(timeout=PATIENCE) as client:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with judge(prism_command, document, f"http://127.0.0.1:{server.server_port}") as url:
            answer = prepared.send(client, url)
        server.shutdown()
    assert answer.status_code == 500
    assert answer.json()["type"].endswith("#VIOLATIONS")
