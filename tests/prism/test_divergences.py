"""Where we differ from Prism on purpose: each case says why, what Prism does and what we do, and both are seen.

`docs/prism.md` tells the same list to people, by the same names.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from calls import Request, request
from real import PATIENCE
from serving import ROOT

from mock_server.contract import Contract, Fixtures

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("prism-wispgate")]

Look = Callable[[httpx.Response], Any]
LIST = Request("GET", "/api/v1/subscribers", headers={"Authorization": "Bearer wispgate-sandbox-001"})


@dataclass(frozen=True)
class Divergence:
    """One difference: the request that shows it, changed from a valid create, and what to look at in the two answers."""

    name: str
    reason: str
    change: Callable[[Request], Request]
    look: Look
    prism: Any
    ours: Any


def prefer(preference: str) -> Callable[[Request], Request]:
    return lambda valid: valid.with_headers(Prefer=preference)


def body(**properties: Any) -> Callable[[Request], Request]:
    return lambda valid: replace(valid, body=properties)


def status(response: httpx.Response) -> int:
    return response.status_code


def error_code(response: httpx.Response) -> Any:
    return response.json()["error"]["code"]


def header(name: str) -> Look:
    return lambda response: response.headers.get(name)


def full_name(response: httpx.Response) -> Any:
    return response.json()["data"]["full_name"]


DIVERGENCES = (
    Divergence(
        "missing example",
        "A status that is declared, but not with this example, is 404; falling back on another status hides a typing error.",
        prefer("code=409, example=prospect"), status, 201, 404,
    ),
    Divergence(
        "semicolons",
        "`;` separates preferences like `,`, as people write it; to Prism it makes `example` a parameter of `code`, and the first example comes.",
        prefer("code=409; example=key-in-use"), error_code, "duplicate_subscriber", "idempotency_key_in_use",
    ),
    Divergence(
        "query preferences beside a header",
        "`__code` and `__example` count even where an unrelated `Prefer` header is sent.",
        lambda valid: replace(valid.with_headers(Prefer="wait=5"), query={"__code": "409"}), status, 201, 409,
    ),
    Divergence(
        "preference applied",
        "An answer that was asked for by name says so in `Preference-Applied` (RFC 7240).",
        prefer("code=409"), header("preference-applied"), None, "code=409, example=duplicate",
    ),
    Divergence(
        "state",
        "Without a preference the answer is about what was really sent, and it is kept; Prism gives the first example.",
        body(full_name="Somebody Else", status="active"), full_name, "Jane Example", "Somebody Else",
    ),
    Divergence(
        "what is wrong",
        "A request that breaks a rule is told which, with the vendor's status; Prism gives an example of the first of 422 and 400 declared.",
        body(status="active"), lambda response: (response.status_code, response.json()["error"]["field"]), (422, "status"), (400, "full_name"),
    ),
    Divergence(
        "wishing away a mistake",
        "A broken request gets its own failure, not one that was asked for; Prism honours `example` when `code` is the status it expects.",
        lambda valid: replace(prefer("code=422, example=key-reused")(valid), body={"full_name": "Kim Example", "status": "gone"}),
        error_code, "idempotency_key_reused", "validation_failed",
    ),
    Divergence(
        "violations",
        "Every violation stands in the header `X-Mock-Violations`, with a JSON pointer; Prism's header is `sl-violations`.",
        body(status="active"), lambda response: [name for name in response.headers if "violations" in name],
        ["sl-violations"], ["x-mock-violations"],
    ),
    Divergence(
        "malformed body",
        "A body that cannot be read is refused in the vendor's envelope; Prism 5.14 has a shape of its own, 5.16 never answers.",
        lambda valid: replace(valid, body="{", media="application/json; charset=utf-8"),
        lambda response: (response.status_code, error_code(response)), (400, "invalid_json"), (400, "malformed_request"),
    ),
    Divergence(
        "envelope",
        "What the server itself has to say, such as a preference nothing fits, wears the vendor's envelope; Prism's is problem+json.",
        prefer("code=418"), header("content-type"), "application/problem+json", "application/json",
    ),
    Divergence(
        "allow",
        "405 names the methods that the path has.",
        lambda valid: replace(valid, method="DELETE"), lambda response: (response.status_code, response.headers.get("allow")),
        (405, None), (405, "GET, HEAD, POST"),
    ),
    Divergence("head", "HEAD is answered wherever GET is.", lambda _: replace(LIST, method="HEAD"), status, 405, 200),
    Divergence(
        "slash at the end",
        "A path with an empty last segment is no path of the document; Prism takes the emptiness for an identifier.",
        lambda _: replace(LIST, path=LIST.path + "/"),
        status,
        400,
        404,
    ),
    Divergence(
        "credentials",
        "The sandbox knows who may call; to Prism any bearer token is right.",
        lambda valid: valid.with_headers(Authorization="Bearer somebody"), status, 201, 401,
    ),
    Divergence(
        "generated answers",
        "Answers are never made up from a schema: `dynamic` and `seed` are ignored, and the answer is about what was sent.",
        prefer("dynamic=true"), lambda response: full_name(response) == "Maria Sample", False, True,
    ),
    Divergence(
        "other origins",
        "A page of another site may not call the sandbox from a browser: no CORS headers, and a preflight is 405.",
        lambda valid: Request("OPTIONS", valid.path, headers={"Origin": "https://app.example.com", "Access-Control-Request-Method": "POST"}),
        status, 204, 405,
    ),
)  # fmt: skip


@pytest.mark.parametrize("contract", ["wispgate"], indirect=True)
@pytest.mark.parametrize("divergence", DIVERGENCES, ids=lambda divergence: divergence.name.replace(" ", "-"))
def test_each_divergence_is_as_described(
    divergence: Divergence, contract: Contract, fixtures: Fixtures, prism: str, ours: str
) -> None:
    prepared = divergence.change(request(contract, fixtures, contract.operations["createSubscriber"]))
    with httpx.Client(timeout=PATIENCE) as client:
        found = {name: divergence.look(prepared.send(client, url)) for name, url in (("Prism", prism), ("ours", ours))}
    assert found == {"Prism": divergence.prism, "ours": divergence.ours}, divergence.reason


@pytest.mark.parametrize("contract", ["wispgate"], indirect=True)
def test_an_answer_that_was_asked_for_changes_nothing(contract: Contract, fixtures: Fixtures, ours: str) -> None:
    prepared = request(contract, fixtures, contract.operations["createSubscriber"])
    with httpx.Client(timeout=PATIENCE) as client:
        before = LIST.send(client, ours).json()["data"]
        assert prepared.with_headers(Prefer="code=201").send(client, ours).status_code == 201
        assert LIST.send(client, ours).json()["data"] == before


def test_each_divergence_is_told_in_the_documentation() -> None:
    text = (ROOT / "docs" / "prism.md").read_text()
    assert [divergence.name for divergence in DIVERGENCES if f"**{divergence.name}**" not in text] == []
