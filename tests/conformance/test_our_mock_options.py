"""Our own mock keeps its promises with every option there is, and from wherever it is seen. `make precision` does it with every vendor."""

from __future__ import annotations

import inspect
from typing import Any

import httpx
import pytest

from bench.precision.judging import judge
from bench.precision.mock import OPTIONS, grid, right
from conformance.promise import all_promises
from conformance.run import Run, rehearse
from conformance.settings import Settings
from conformance.target import serve
from mock_server import create_app
from mock_server.contract import vendors

ELSEWHERE = {"plain"}
"""What `test_our_mock` holds to everything."""


@pytest.mark.parametrize(
    ("vendor", "option"),
    [
        *((vendor, option) for vendor, option in grid(["wispgate"]) if option not in ELSEWHERE),
        *(("stykite", option) for option in ("frozen-world", "one-world-frozen", "one-world-ten-years")),
    ],
)
def test_it_keeps_every_promise(vendor: str, option: str) -> None:
    judged = judge(right(vendor, option), 1, "smoke", ["promises"])
    assert (judged.findings, judged.doubts, judged.unexpected) == ((), (), ())
    assert judged.calls["promises"] > 100


def test_every_option_is_tried_with_every_vendor_at_length() -> None:
    tried = set(grid(vendors()))
    assert {option for _, option in tried} == set(OPTIONS)
    assert all((vendor, option) in tried for vendor in vendors() for option in OPTIONS if not OPTIONS[option].small)


def test_a_world_that_the_url_names_is_not_the_suites_to_empty() -> None:
    sign_up = {"email": "ada@example.com", "customer_identifier": "ada", "country_code": "IN"}
    calls: dict[str, Any] = {"headers": {"Authorization": "Bearer stykite-sandbox-acme"}, "trust_env": False}
    with serve(create_app(["stykite"])) as url:
        theirs = f"{url}/w/monday/stykite"
        customers = f"{theirs}/v1/company/COM-0SANDB0XAC0R1/country/CON-0SANDB0XEARTH/customer"
        httpx.post(customers, json=sign_up, **calls).raise_for_status()
        run = Run.begin(Settings("stykite", theirs, "smoke", world="mine"))
        rehearse(run, tuple(promise for promise in all_promises() if promise.name == "time_moves_states"))
        assert run.findings() == []
        assert httpx.get(f"{customers}/ada", **calls).status_code == 200


NOT_OPTIONS = {
    "webhook_hosts": "the suite reads webhooks from the sink, and no other host",
    "extra": "vendors that are not ours: the miniatures have their own tests",
}


def test_no_option_of_the_server_is_left_out() -> None:
    tried = {name for option in OPTIONS.values() for name in option.settings} | {"names"}
    assert set(inspect.signature(create_app).parameters) == tried | set(NOT_OPTIONS)
