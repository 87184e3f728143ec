"""The fixture `mockingbill`, used as the tests of an application use it, and what pytest does with it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import http.server
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from mock_server.testing import Refused, Sandbox, World
from mock_server.testing.world import name_for

ADA = {"external_id": "crm-1", "full_name": "Ada Example", "status": "active"}
SUBSCRIBERS = "/api/v1/subscribers"
CUSTOMERS = "/v1/company/COM-0SANDB0XAC0R1/country/CON-0SANDB0XEARTH/customer"
ELSEWHERE = """
import json, sys, urllib.request
url, body, headers = sys.argv[1:]
urllib.request.urlopen(urllib.request.Request(url, body.encode(), json.loads(headers)))
"""
TRIAL = {"email": "ada@example.com", "customer_identifier": "ada", "country_code": "DE", "trial_days": 14}


def test_any_client_calls_the_port(mockingbill: World) -> None:
    api = mockingbill("wispgate")
    answer = httpx.post(api.url + SUBSCRIBERS, json=ADA, headers=api.headers)
    assert (answer.status_code, answer.json()["data"]["full_name"]) == (201, "Ada Example")


def test_another_process_calls_the_port(mockingbill: World) -> None:
    api = mockingbill("wispgate")
    headers = {"Content-Type": "application/json", **api.headers}
    given = [api.url + SUBSCRIBERS, json.dumps(ADA), json.dumps(headers)]
    subprocess.run([sys.executable, "-c", ELSEWHERE, *given], check=True)
    assert [(call.operation, call.status) for call in api.calls] == [("createSubscriber", 201)]


@pytest.mark.parametrize("attempt", ["first", "second"])
def test_each_test_has_a_world_of_its_own(mockingbill: World, attempt: str) -> None:
    answer = mockingbill("wispgate").client.post(SUBSCRIBERS, json=ADA)
    assert (answer.status_code, answer.json()["data"]["id"]) == (201, "sub_000003"), "or the other test's is in the way"


def test_port_and_client_meet_in_the_same_world(mockingbill: World) -> None:
    api = mockingbill("wispgate")
    assert api.client.post(SUBSCRIBERS, json=ADA).status_code == 201
    assert httpx.post(api.url + SUBSCRIBERS, json=ADA, headers=api.headers).status_code == 409


def test_an_asynchronous_client_calls_it_many_times_at_once(mockingbill: World) -> None:
    api = mockingbill("wispgate")

    async def sign_up(number: int) -> int:
        answer = await api.async_client.post(SUBSCRIBERS, json={**ADA, "external_id": f"crm-{number % 10}"})
        return answer.status_code

    async def all_of_them() -> list[int]:
        return await asyncio.gather(*map(sign_up, range(20)))

    assert sorted(asyncio.run(all_of_them())) == [201] * 10 + [409] * 10


def test_threads_share_a_client(mockingbill: World) -> None:
    api = mockingbill("wispgate")
    with ThreadPoolExecutor(8) as pool:
        statuses = pool.map(lambda _: api.client.post(SUBSCRIBERS, json=ADA).status_code, range(20))
    assert sorted(statuses) == [201] + [409] * 19


def test_an_applications_own_client_needs_only_the_transport(mockingbill: World) -> None:
    api = mockingbill("subscriptionflow")
    with httpx.Client(transport=api.transport, base_url="https://api.example.com/", headers=api.headers) as client:
        page = client.get("/api/v1/customers?page=1").json()
        again = client.get(page["links"]["first"])
    assert page["links"]["first"].startswith("https://api.example.com/")
    assert again.json() == page, "a link of an answer leads back here"


def test_the_clock_moves_trials_and_what_happened_is_told(mockingbill: World) -> None:
    api = mockingbill("stykite")
    api.clock.freeze(datetime(2031, 1, 31, tzinfo=UTC))
    assert api.client.post(CUSTOMERS, json=TRIAL).is_success
    happened = api.clock.advance("P1M")
    assert [(one["name"], one["to"]) for one in happened] == [("trial-end", "ACTIVE")]
    assert api.clock.now == datetime(2031, 2, 28, tzinfo=UTC)
    api.clock.advance(timedelta(hours=1, microseconds=1))
    assert api.clock.now == datetime(2031, 2, 28, 1, 0, 1, tzinfo=UTC), "a part of a second is a whole one"
    api.clock.move_to("2031-03-01T00:00:00Z")
    api.clock.resume()
    assert api.clock.now >= datetime(2031, 3, 1, tzinfo=UTC)


def test_webhooks_are_kept_as_they_would_be_sent(mockingbill: World) -> None:
    api = mockingbill("stykite")
    api.client.post(CUSTOMERS, json=TRIAL)
    api.clock.advance("P15D")
    assert [(one.event, one.json()["data"]["status"]) for one in api.webhooks.received] == [
        ("customer.subscription_status.update", "TRIAL"),
        ("customer.subscription_status.update", "ACTIVE"),
    ]
    assert api.webhooks.received[0].headers["x-api-key"] == api.webhooks.secret


def test_webhooks_can_be_signed_and_checked(mockingbill: World) -> None:
    api = mockingbill("pelcro")
    body = {"plan_id": 204051, "gateway_token": "tok-sandbox-succeed"}
    api.client.post("/api/v1/sdk/subscription?site_id=1101", json=body).raise_for_status()
    first = api.webhooks.received[0]
    signature = hmac.new(api.webhooks.secret.encode(), first.content, hashlib.sha256).digest()
    assert first.headers["X-Pelcro-Hmac-SHA256"] == base64.b64encode(signature).decode()


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[bytes]]]:
    """A server of the application's own, for webhooks: its address, and the bodies that came."""
    bodies: list[bytes] = []

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *args: object) -> None: ...

    with http.server.HTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/hooks", bodies
        server.shutdown()
        thread.join()


def test_webhooks_come_to_the_application_without_a_port_of_ours(
    mockingbill: World, receiver: tuple[str, list[bytes]]
) -> None:
    address, bodies = receiver
    api = mockingbill("stykite")
    assert api.webhooks.send_to(address, secret="sandbox-secret") == "sandbox-secret"
    api.webhooks.trouble("duplicate")
    api.client.post(CUSTOMERS, json=TRIAL)
    patience = time.monotonic() + 10
    while not bodies and time.monotonic() < patience:
        time.sleep(0.01)
    assert bodies[0] == api.webhooks.received[0].content


def test_a_planned_fault_meets_the_next_call_and_no_other(mockingbill: World) -> None:
    api = mockingbill("wispgate")
    api.plan_fault(429, "createSubscriber")
    assert [api.client.post(SUBSCRIBERS, json=ADA).status_code for _ in range(2)] == [429, 201]


def test_a_client_that_waits_too_little_times_out_and_the_call_is_done(mockingbill: World) -> None:
    api = mockingbill("wispgate")
    api.plan_fault(delay=0.3)
    with pytest.raises(httpx.ReadTimeout):
        api.client.post(SUBSCRIBERS, json=ADA, timeout=0.05)
    patience = time.monotonic() + 10
    while not api.calls and time.monotonic() < patience:
        time.sleep(0.01)
    assert api.client.post(SUBSCRIBERS, json=ADA).status_code == 409


def test_a_seeded_record_is_changed_and_a_reset_undoes_it(mockingbill: World) -> None:
    api = mockingbill("wispgate")
    assert api.change("Tenant", "tenant_demo_001", duplicate_rules=[["full_name"]])["duplicate_rules"] == [
        ["full_name"]
    ]
    other = {**ADA, "external_id": "crm-2"}
    assert [api.client.post(SUBSCRIBERS, json=body).status_code for body in (ADA, other)] == [201, 409]
    api.reset()
    assert api.calls == ()
    assert [api.client.post(SUBSCRIBERS, json=body).status_code for body in (ADA, other)] == [201, 201]


def test_webhooks_are_kept_after_a_reset_too(mockingbill: World) -> None:
    api = mockingbill("stykite")
    for _ in range(2):
        api.reset()
        api.client.post(CUSTOMERS, json=TRIAL)
        assert len(api.webhooks.received) == 1


def test_the_journal_has_requests_and_answers(mockingbill: World) -> None:
    api = mockingbill("wispgate")
    api.client.post(SUBSCRIBERS, json=ADA, headers={"X-Idempotency-Key": "k-1"})
    api.client.get("/nowhere?x=1")
    first, second = api.calls
    assert json.loads(first.request.content) == ADA
    assert first.request.headers["X-Idempotency-Key"] == "k-1"
    assert first.response.json()["data"]["external_id"] == "crm-1"
    assert (second.operation, second.status, second.request.url.query) == ("", 404, b"x=1")
    assert mockingbill.calls == api.calls, "no other vendor was called"


def test_what_cannot_be_done_is_said(mockingbill: World) -> None:
    api = mockingbill("wispgate")
    with pytest.raises(Refused, match="there is no vendor 'wispgat'; there are pelcro, "):
        mockingbill("wispgat")
    with pytest.raises(Refused, match="names no operation"):
        api.plan_fault(500, "makeSubscriber")
    with pytest.raises(Refused, match="/advance"):
        api.clock.advance("a month")
    with pytest.raises(Refused, match="time zone"):
        api.clock.freeze(datetime(2031, 1, 1))


def test_worlds_of_one_name_do_not_meet_and_nothing_of_them_is_kept() -> None:
    with Sandbox(["wispgate"], inferred=True) as sandbox:
        with sandbox.world("same") as one, sandbox.world("same") as other:
            assert (one.name, other.name) == ("same", "same-2")
            for world in (one, other):
                assert world("wispgate").client.post(SUBSCRIBERS, json=ADA).status_code == 201
            assert len(one("wispgate").client.get(SUBSCRIBERS).json()["data"]) == 2, "inferred operations are served"
            health = one.control("GET", "/health")
            assert {"same", "same-2"} <= set(health["worlds"])
        with sandbox.world("after") as world:
            assert set(world.control("GET", "/health")["worlds"]) == {"default", "after"}
    sandbox.close()  # again, and nothing happens


def test_a_port_is_opened_while_a_test_has_stopped_its_process_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = time.monotonic()
    with Sandbox(["wispgate"]) as sandbox, sandbox.world("stopped") as world:
        with monkeypatch.context() as patch:
            patch.setattr(time, "monotonic", lambda: stopped)
            answer = httpx.get(f"{world.url}/_mock/health")
        assert answer.json()["status"] == "up"


def test_a_client_that_is_left_open_does_not_hold_the_end_up() -> None:
    with httpx.Client() as client:
        with Sandbox(["wispgate"]) as sandbox, sandbox.world("open") as world:
            world("wispgate").plan_fault(delay=30)
            assert client.get(f"{world.url}/_mock/health").status_code == 200
            with pytest.raises(httpx.ReadTimeout):
                world("wispgate").client.post(SUBSCRIBERS, json=ADA, timeout=0.05)
            began = time.monotonic()
        assert time.monotonic() - began < 5


@pytest.mark.parametrize("test", ["tests/test_a.py::test_sign_up[a/b é]", "test_b.py::TestX::test_" + "y" * 200, "☃"])
def test_a_world_is_named_after_its_test(test: str) -> None:
    with Sandbox(["wispgate"]) as sandbox, sandbox.world(name_for(test)) as world:
        assert world("wispgate").client.post(SUBSCRIBERS, json=ADA).status_code == 201
    assert name_for(test) != name_for(f"other/{test}")


# In pytest --------------------------------------------------------------------------------------------------------------

QUICK = ("--assert=plain", "-p", "no:schemathesis", "-p", "no:hypothesispytest", "-p", "no:anyio")
"""Without what other plugins read in at the start of each process."""
STRICT = "[pytest]\naddopts = --strict-markers --strict-config -p no:cacheprovider\nfilterwarnings = error\n"
PROJECT = """
import httpx
import pytest

ADA = {"external_id": "crm-1", "full_name": "Ada Example", "status": "active"}


@pytest.fixture(scope="session")
def mockingbill_options():
    return {"vendors": ["wispgate", "subscriptionflow"], "seed": 7}


@pytest.mark.parametrize("number", range(6))
def test_port(mockingbill, number):
    api = mockingbill("wispgate")
    with httpx.Client(base_url=api.url, headers=api.headers) as client:
        assert client.post("/api/v1/subscribers", json=ADA).status_code == 201


def test_that_fails(mockingbill):
    api = mockingbill("subscriptionflow")
    assert api.oauth is not None
    body = {"grant_type": "client_credentials", "client_id": api.oauth["client_id"], "client_secret": api.oauth["client_secret"]}
    assert api.client.post("/oauth/token", json=body).status_code == 200
    assert api.client.get("/api/v1/customers/nobody").status_code == 200
"""


def ran(folder: Path, content: str, *options: str) -> tuple[int, str]:
    """The exit status of pytest in a project of its own with strict settings, and what it said."""
    (folder / "pytest.ini").write_text(STRICT)
    (folder / "test_project.py").write_text(content)
    clean = {name: text for name, text in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options], cwd=folder, env=clean, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "in two processes"])
def test_a_project_with_strict_settings(tmp_path: Path, options: tuple[str, ...]) -> None:
    code, said = ran(tmp_path, PROJECT, *QUICK, *options)
    assert code == pytest.ExitCode.TESTS_FAILED, said
    assert "1 failed, 6 passed" in said
    assert "calls of the sandbox, world test-that-fails-" in said
    assert "GET /subscriptionflow/api/v1/customers/nobody -> 404 getCustomer" in said
    assert "sf-sandbox-secret" not in said.partition("calls of the sandbox")[2], "secrets stay out of reports"


def test_nothing_is_read_in_before_a_test_asks(tmp_path: Path) -> None:
    heavy = (
        "connexion",
        "schemathesis",
        "hypothesis",
        "httpx",
        "starlette",
        "uvicorn",
        "mock_server.app",
        "conformance.run",
    )
    project = f"import sys\n\ndef test_nothing():\n    assert not set(sys.modules) & {set(heavy)!r}\n"
    code, said = ran(tmp_path, project, *QUICK)
    assert code == pytest.ExitCode.OK, said
