"""The server as a process: its port, its first words, its end, and what arrives at the same time."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPResponse

import httpx
import pytest

from mock_server.app.serving import CannotListen, bind

SUBSCRIBERS = "/wispgate/api/v1/subscribers"
TOKEN = {"Authorization": "Bearer wispgate-sandbox-001"}
NOOR = {"full_name": "Noor Example", "status": "active"}
BUSY = 5.0
"""Seconds that half a second may become where the machine has much else to do."""


# Listening ------------------------------------------------------------------------------------------------------------


def test_port_0_takes_a_free_port():
    with bind("127.0.0.1", 0) as first, bind("127.0.0.1", 0) as second:
        assert 0 < first.getsockname()[1] != second.getsockname()[1] > 0


def test_a_port_in_use_is_said_with_what_to_do():
    with bind("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(CannotListen, match=f"the port {port} is in use; choose another with --port"):
            bind("127.0.0.1", port)


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid", "::2", "\udce9", "", "a" * 70])
def test_an_address_that_is_not_ours_is_said_in_one_line(host):
    if not host:
        bind(host, 0).close()  # every address of this machine
        return
    with pytest.raises(CannotListen) as caught:
        bind(host, 0)
    assert str(caught.value).startswith(f"cannot listen on {host}:0: ")
    assert "\n" not in str(caught.value)


# Serving --------------------------------------------------------------------------------------------------------------


def test_the_start_page_says_where_it_is_and_who_may_call(running):
    with running("wispgate") as server:
        shown = server.process.stdout.readline() + "".join(server.process.stdout.readline() for _ in range(2))

        assert f"{server.url}/wispgate" in shown
        assert "Bearer wispgate-sandbox-001" in shown
        assert httpx.get(f"{server.url}/_mock/health").json()["status"] == "up"


def test_only_the_vendors_that_were_named_are_served(running):
    with running("wispgate", "stykite") as server:
        found = httpx.get(server.url).json()

        assert [entry["vendor"] for entry in found["vendors"]] == ["wispgate", "stykite"]
        assert httpx.get(f"{server.url}/pelcro/openapi.json").status_code == 404


def test_a_frozen_server_of_one_seed_gives_the_same_bytes_over_the_socket(running):
    def answers():
        with running("wispgate", "--freeze", "2026-01-01T00:00:00Z", "--seed", "7") as server:
            made = [httpx.post(server.url + SUBSCRIBERS, json=NOOR, headers=TOKEN) for _ in range(2)]
            refused = httpx.post(server.url + SUBSCRIBERS, json={}, headers=TOKEN)
            return [(answer.status_code, answer.headers.raw, answer.content) for answer in (*made, refused)]

    first = answers()
    assert first == answers()
    assert b"2026-01-01T00:00:00Z" in first[0][2]


def test_the_control_api_refuses_a_client_of_another_host_behind_a_proxy(live):
    assert live.post("/_mock/reset", headers={"X-Forwarded-For": "203.0.113.7"}).status_code == 403
    assert live.post("/_mock/reset", headers={"Origin": "https://evil.example.com"}).status_code == 403
    assert live.post("/_mock/reset").status_code == 200


def test_ipv6_is_served_where_the_machine_has_it(running):
    if not _has_ipv6():
        return
    with running("wispgate", "--host", "::1") as server:
        assert server.url.startswith("http://[::1]:")
        assert httpx.get(f"{server.url}/_mock/health").status_code == 200


def _has_ipv6() -> bool:
    try:
        bind("::1", 0).close()
    except CannotListen:
        return False
    return True


# At the same time -----------------------------------------------------------------------------------------------------


def test_thirty_creates_with_one_key_at_once_make_one(live):
    headers = {**TOKEN, "X-Idempotency-Key": "once"}
    start = threading.Barrier(30)

    def create(_):
        start.wait()
        return live.post(SUBSCRIBERS, json=NOOR, headers=headers)

    with ThreadPoolExecutor(30) as pool:
        answers = list(pool.map(create, range(30)))

    made = [answer for answer in answers if answer.status_code == 201]
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in made}) == 1
    listed = live.get(SUBSCRIBERS, headers=TOKEN).json()["data"]
    assert [subscriber["full_name"] for subscriber in listed].count("Noor Example") == 1


def test_thirty_creates_with_one_key_while_the_first_takes_its_time_make_one(live):
    live.post("/_mock/faults", json={"vendor": "wispgate", "operation": "createSubscriber", "delay": 1})
    headers = {**TOKEN, "X-Idempotency-Key": "once"}

    def create(_):
        return live.post(SUBSCRIBERS, json=NOOR, headers=headers)

    with ThreadPoolExecutor(30) as pool:
        statuses = sorted(answer.status_code for answer in pool.map(create, range(30)))

    assert statuses == [201] + [409] * 29
    assert live.post(SUBSCRIBERS, json=NOOR, headers=headers).headers["Idempotent-Replayed"] == "true"


def test_a_slow_call_holds_nobody_up(live):
    live.post("/_mock/faults", json={"vendor": "wispgate", "operation": "createSubscriber", "delay": 1})
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(live.post, SUBSCRIBERS, json=NOOR, headers=TOKEN)
        time.sleep(0.1)
        before = time.monotonic()
        assert live.get(SUBSCRIBERS, headers=TOKEN).status_code == 200
        assert time.monotonic() - before < 0.5
        assert slow.result().status_code == 201


# The end --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("stop", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, -signal.SIGTERM)])
def test_it_stops_at_once_whatever_is_under_way(running, stop, code):
    head = f"POST {SUBSCRIBERS} HTTP/1.1\r\nHost: x\r\nAuthorization: {TOKEN['Authorization']}\r\nContent-Length: 100\r\n\r\n"
    body = json.dumps(NOOR).ljust(100)
    with running("wispgate") as server, httpx.Client(base_url=server.url) as idle:
        idle.post("/_mock/faults", json={"vendor": "wispgate", "delay": 30})
        address = ("127.0.0.1", server.port)
        with socket.create_connection(address) as slow, socket.create_connection(address) as half:
            slow.sendall((head + body).encode())
            half.sendall(head.encode() + b"{")
            idle.get("/_mock/health")  # by now the server has read both
            before = time.monotonic()
            server.process.send_signal(stop)
            _, said = server.process.communicate(timeout=10)
            answer = HTTPResponse(slow)
            answer.begin()

            assert time.monotonic() - before < BUSY
            assert server.process.returncode == code
            assert "Traceback" not in said
            assert (answer.status, json.load(answer)["error"]["code"]) == (503, "stopping")


def test_a_second_server_on_the_same_port_is_one_line_and_exit_2(server):
    arguments = [sys.executable, "-m", "mock_server", "serve", "--port", str(server.port)]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=20, env=os.environ)

    assert done.returncode == 2
    assert done.stdout == ""
    assert (
        done.stderr
        == f"mockingbill: the port {server.port} is in use; choose another with --port (0 takes a free one).\n"
    )
