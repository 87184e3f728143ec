"""The courier: real servers, real receivers. What is down, slow or endless never slows the API, and is tried again on the world's clock."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from serving import serving

TOKEN = {"Authorization": "Bearer stykite-sandbox-acme"}
CUSTOMERS = "/v1/company/COM-0SANDB0XAC0R1/country/CON-0SANDB0XEARTH/customer"


class Receiver:
    """A receiver on a free port: answers with `statuses`, then 204; `behave` may do something else first."""

    def __init__(self, *statuses, behave=None):
        self.got = []
        self.statuses = list(statuses)
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                owner.got.append((dict(self.headers), body))
                if behave is not None and behave(self):
                    return
                self.send_response(owner.statuses.pop(0) if owner.statuses else 204)
                self.send_header("Location", owner.url + "elsewhere")
                self.end_headers()

            def log_message(self, *arguments):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *reason):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def server():
    with serving("stykite", "--freeze", "2026-01-31T00:00:00Z") as running:
        yield running


class World:
    """A world of a running server, with one endpoint."""

    def __init__(self, server, name, url, **values):
        self.control = httpx.Client(base_url=f"{server.url}/w/{name}/_mock", trust_env=False)
        self._api = httpx.Client(base_url=f"{server.url}/w/{name}/stykite", trust_env=False)
        answer = self.control.post("/webhooks/endpoints", json={"vendor": "stykite", "url": url, **values})
        assert answer.status_code == 201, answer.text

    def __enter__(self):
        return self

    def __exit__(self, *reason):
        self.control.close()
        self._api.close()

    def act(self, number=1):
        """Do something that gives off one event."""
        body = {"email": f"person{number}@example.com", "customer_identifier": f"person-{number}", "country_code": "IN"}
        answer = self._api.post(CUSTOMERS, json=body, headers=TOKEN)
        assert answer.status_code == 200, answer.text

    def log(self):
        return self.control.get("/webhooks/deliveries").json()["deliveries"]

    def settled(self, *statuses, seconds=15):
        """The log, once its deliveries have these statuses."""
        until = time.monotonic() + seconds
        while [delivery["status"] for delivery in self.log()] != list(statuses):
            assert time.monotonic() < until, self.log()
            time.sleep(0.02)
        return self.log()


@contextmanager
def a_world(server, name, receiver, **values) -> Iterator[World]:
    with receiver, World(server, name, receiver.url, **values) as world:
        yield world


def test_a_webhook_arrives_as_the_log_says(server):
    with a_world(server, "arrives", receiver := Receiver()) as world:
        world.act()
        (delivery,) = world.settled("delivered")
        ((headers, body),) = receiver.got
    assert json.loads(body) == json.loads(delivery["body"])
    assert headers["Content-Type"] == "application/json"
    (attempt,) = delivery["attempts"]
    assert (attempt["response"]["status"], attempt["error"], attempt["at"]) == (204, None, "2026-01-31T00:00:00Z")


def test_they_arrive_in_the_order_of_the_events(server):
    with a_world(server, "order", receiver := Receiver()) as world:
        for number in range(20):
            world.act(number)
        world.settled(*["delivered"] * 20)
    assert [json.loads(body)["data"]["customer_identifier"] for _, body in receiver.got] == [
        f"person-{number}" for number in range(20)
    ]


def test_a_refused_one_is_tried_again_when_the_world_s_clock_has_come_so_far(server):
    with a_world(server, "again", receiver := Receiver(500, 404), retries=["PT1M", "PT1H"]) as world:
        world.act()
        (delivery,) = world.settled("waiting")
        assert delivery["next_attempt_at"] == "2026-01-31T00:01:00Z"
        world.control.post("/clock", json={"advance": "PT59S"})
        assert world.log()[0]["status"] == "waiting"
        world.control.post("/clock", json={"advance": "PT1S"})
        while len(world.log()[0]["attempts"]) < 2:
            time.sleep(0.02)
        world.control.post("/clock", json={"advance": "PT1H"})
        (delivery,) = world.settled("delivered")
    assert [attempt["response"]["status"] for attempt in delivery["attempts"]] == [500, 404, 204]
    assert len({body for _, body in receiver.got}) == 1


def test_after_the_last_attempt_it_has_failed(server):
    with a_world(server, "failed", Receiver(500), retries=[]) as world:
        world.act()
        world.settled("failed")


def test_a_redirect_is_not_followed(server):
    with a_world(server, "redirect", receiver := Receiver(307), retries=[]) as world:
        world.act()
        world.settled("failed")
        assert len(receiver.got) == 1


def test_a_receiver_that_is_down_is_said_so(server):
    with Receiver() as gone:
        url = gone.url
    with World(server, "down", url) as world:
        world.act()
        (delivery,) = world.settled("waiting")
    assert delivery["attempts"][0]["error"].startswith("ConnectError")


def test_an_endless_answer_is_cut_off(server):
    def babble(handler):
        handler.send_response(200)
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b"more and more " * 1000)
        except OSError:
            return True

    with a_world(server, "endless", Receiver(behave=babble)) as world:
        world.act()
        (delivery,) = world.settled("delivered")
    assert len(delivery["attempts"][0]["response"]["body"]) == 16_384


def test_a_slow_receiver_slows_nobody(server):
    release = threading.Event()
    with (
        a_world(server, "slow", Receiver(behave=lambda handler: not release.wait(10))) as slow,
        Receiver() as quick,
        World(server, "quick", quick.url) as other,
    ):
        slow.act(1)
        for number in range(5):
            other.act(number)
            slow.act(number + 2)
        other.settled(*["delivered"] * 5)
        assert [delivery["status"] for delivery in slow.log()] == ["queued"] * 6
        release.set()
        slow.settled(*["delivered"] * 6)


def test_a_world_that_is_put_back_forgets_what_was_on_its_way(server):
    release = threading.Event()
    with a_world(server, "forgets", Receiver(behave=lambda handler: not release.wait(10))) as world:
        world.act()
        assert world.control.post("/reset").status_code == 200
        release.set()
        time.sleep(0.1)
        assert world.log() == []


def test_a_running_clock_tries_again_by_itself():
    with serving("stykite") as server, a_world(server, "runs", Receiver(500), retries=["PT1S"]) as world:
        world.act()
        (delivery,) = world.settled("delivered")
    assert len(delivery["attempts"]) == 2


def test_what_was_acknowledged_is_sent_before_a_clean_stop():
    def think(handler):
        time.sleep(0.1)

    with Receiver(behave=think) as receiver, serving("stykite") as server:
        with World(server, "stop", receiver.url) as world:
            for number in range(5):
                world.act(number)
        server.process.send_signal(signal.SIGINT)
        server.process.wait(10)
        assert len(receiver.got) == 5


def test_what_cannot_be_sent_before_a_stop_is_said():
    release = threading.Event()
    with Receiver(behave=lambda handler: not release.wait(20)) as receiver, serving("stykite") as server:
        with World(server, "stop", receiver.url) as world:
            world.act()
        begun = time.monotonic()
        server.process.send_signal(signal.SIGINT)
        _, errors = server.process.communicate(timeout=10)
        assert time.monotonic() - begun < 5
        assert "1 webhooks were not delivered" in errors
        release.set()
