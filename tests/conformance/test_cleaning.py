"""The suite takes away again what it made: layer by layer, the last made first; and tells what it could not."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import acme_server
import httpx
import pytest
from acme import DOCUMENT
from rich.console import Console
from starlette.types import ASGIApp, Receive, Scope, Send

from conformance import lifecycle, responses
from conformance.check import check
from conformance.cleaning import KEPT, NO_WAY, STOPPED, Left
from conformance.finding import Unreachable
from conformance.preflight import preflight
from conformance.promise import all_promises
from conformance.records import base_body, make
from conformance.run import Run, rehearse
from conformance.settings import Settings
from conformance.sights import present
from conformance.target import serve
from mock_server import create_app

HERE = Path(__file__).parent
PROMISES = {promise.name: promise for promise in all_promises()}
SOME = tuple(PROMISES[name] for name in ("created_is_retrievable", "tenants_never_meet", "concurrent_retries_make_one"))


class Refusing:
    """A server in front of another: remembers the deletions, and refuses them with a status where it has one."""

    def __init__(self, app: ASGIApp, status: int = 0) -> None:
        self.app, self.status = app, status
        self.deletions: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "DELETE":
            self.deletions.append(scope["path"].rpartition("/")[2])
            if self.status:
                await send({"type": "http.response.start", "status": self.status, "headers": []})
                await send({"type": "http.response.body", "body": b""})
                return
        await self.app(scope, receive, send)


@contextmanager
def a_run(status: int = 0, **settings: Any) -> Iterator[tuple[Run, Refusing]]:
    server = Refusing(acme_server.create_app(), status)
    with serve(server) as url:
        yield Run.begin(replace(Settings(DOCUMENT, url, "smoke", world="w"), **settings)), server


def there(run: Run) -> set[str]:
    """The keys of what both tenants see."""
    found = set()
    for token in ("acme-sandbox-001", "acme-sandbox-002"):
        headers = {"Authorization": f"Bearer {token}"}
        page: str | None = f"{run.target.base_url}/customers"
        number = 1
        while page:
            told = httpx.get(f"{run.target.base_url}/customers?page={number}", headers=headers).json()
            found |= {record["id"] for record in told["data"]}
            page, number = told["next"], number + 1
    return found


@pytest.mark.parametrize("layer", ["promises", "lifecycle", "responses"])
def test_after_each_layer_all_is_as_it_was(layer: str) -> None:
    with a_run() as (run, _):
        kept = ("createCustomer", "getCustomer", "listCustomers", "updateCustomer", "deleteCustomer")
        run.scope.__dict__["operations"] = tuple(o for o in run.scope.operations if o.id in kept)
        before = there(run)
        if layer == "promises":
            rehearse(run, SOME)
        elif layer == "lifecycle":
            lifecycle.execute(run, "Customer")
        else:
            responses.execute(run)
        assert run.ledger.counts["createCustomer"][201] > 3
        assert there(run) == before
        assert (run.findings(), run.left) == ([], [])


def test_the_last_made_goes_first_and_nothing_counts() -> None:
    with a_run() as (run, server):
        with run.client("promises") as client:
            keys = [make(client, "Customer").key for _ in range(3)]
        assert server.deletions == keys[::-1]
        assert "deleteCustomer" not in run.ledger.counts
        assert "deleteCustomer never succeeded (never called)" in run.unreached()


def test_what_was_deleted_already_is_not_deleted_again() -> None:
    with a_run() as (run, server):
        with run.client("promises") as client:
            delete = client.scope.contract.operations["deleteCustomer"]
            assert client.call(delete, given={"customer_id": make(client, "Customer").key}).ok
        assert len(server.deletions) == 1


@pytest.mark.parametrize("status", [403, 409, 500, 503])
def test_what_cannot_be_deleted_is_told_and_no_finding(status: int) -> None:
    with a_run(status) as (run, server):
        with run.client("promises") as client:
            keys = [make(client, "Customer").key for _ in range(5)]
        (left,) = run.left
        assert (left.resource, set(left.keys)) == ("Customer", set(keys))
        assert str(status) in left.why
        assert run.findings() == run.outcomes == run.doubts == []
        assert len(server.deletions) <= 4, "after three in a row the rest is not tried"


def test_a_target_that_is_gone_is_left_alone() -> None:
    with a_run() as (run, _):
        stack = run.client("promises")
        client = stack.__enter__()
        make(client, "Customer")
        run.sending.gone = "it stopped answering"
        stack.__exit__(Unreachable, Unreachable("it stopped answering"), None)
    assert [left.why for left in run.left] == ["it stopped answering"]


def test_what_is_to_be_kept_is_kept_and_told() -> None:
    with a_run(keep=True) as (run, server):
        with run.client("promises") as client:
            key = make(client, "Customer").key
        assert run.left == [Left("Customer", (key,), KEPT)]
        assert key in there(run)
        assert server.deletions == []
        assert "--mockingbill-keep" in run.settings.replay()


def test_stopped_by_hand_it_goes_at_once_and_says_what_is_left() -> None:
    with a_run() as (run, server):
        made = []

        def stopped() -> None:
            with run.client("promises") as client:
                made.append(make(client, "Customer").key)
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            stopped()
        assert run.left == [Left("Customer", tuple(made), STOPPED)]
        assert server.deletions == []


def test_what_was_known_beforehand_is_never_taken_for_made() -> None:
    with a_run() as (run, server):
        with run.client("promises") as client:
            create = client.scope.contract.operations["createCustomer"]
            shown = {"data": {"id": "cus_000909"}, "id": "cus_000909"}
            client.traces.note(create, 201, lambda: shown, {}, client.caller, {})
            caller = replace(client.caller, known={"Customer": {"one": {"id": "cus_000909"}}})
            assert list(client.traces.there) == [("Customer", "cus_000909")]
            client.traces.clear()
            client.traces.target = replace(client.target, caller=caller)
            client.traces.note(create, 201, lambda: shown, {}, caller, {})
        assert (server.deletions, run.left) == ([], [])


def test_where_the_contract_deletes_nothing_it_says_so() -> None:
    app = create_app(["wispgate"])
    with serve(app) as url:
        run = Run.begin(Settings("wispgate", f"{url}/wispgate"))
        with run.client("promises") as client:
            keys = tuple(make(client, "Subscriber").key for _ in range(7))
        (left,) = run.left
        assert (left.keys, left.why) == (keys[::-1], NO_WAY)
        assert str(left) == f"7 Subscriber, keys {', '.join(keys[:1:-1])}, …: {NO_WAY}"


def test_what_came_with_a_record_goes_too() -> None:
    with serve(Refusing(create_app(["subscriptionflow"]))) as url:
        run = Run.begin(Settings("subscriptionflow", f"{url}/subscriptionflow"))
        with run.client("promises") as client:
            before = present(client, "EmailAddress", client.caller)
            make(client, "Customer")
            assert len(present(client, "EmailAddress", client.caller) - before) == 1
        with run.client("promises") as client:
            assert present(client, "EmailAddress", client.caller) == before


def test_what_another_run_made_stays() -> None:
    with a_run(world="one") as (run, _):
        with run.client("promises") as client:
            other = Run.begin(replace(run.settings, world="two", keep=True))
            with other.client("promises") as theirs:
                key = make(theirs, "Customer").key
            make(client, "Customer")
        assert key in there(run)


class TestAWorldOfItsOwn:
    """Our own sandbox has worlds: there a layer's world goes as a whole."""

    @pytest.fixture
    def server(self) -> Refusing:
        return Refusing(create_app(["subscriptionflow"]))

    @pytest.fixture
    def url(self, server: Refusing) -> Iterator[str]:
        with serve(server) as url:
            yield url

    def worlds(self, url: str) -> set[str]:
        return set(httpx.get(f"{url}/_mock/health").json()["worlds"])

    @pytest.mark.parametrize("keep", [False, True])
    def test_is_dropped_and_no_record_deleted(self, url: str, server: Refusing, keep: bool) -> None:
        run = Run.begin(Settings("subscriptionflow", f"{url}/subscriptionflow", world="mine", keep=keep))
        preflight(run)
        assert run.in_own_worlds
        with run.client("promises") as client:
            make(client, "Product")
            assert "mine-promises" in self.worlds(url)
        assert ("mine-promises" in self.worlds(url)) is keep
        assert (server.deletions, run.left) == ([], [])

    def test_is_not_what_everybody_uses(self, url: str, server: Refusing) -> None:
        run = Run.begin(Settings("subscriptionflow", f"{url}/subscriptionflow"))
        with run.client("promises") as client:
            key = make(client, "Product").key
        assert server.deletions == [key]
        assert self.worlds(url) == {"default"}


def test_reports_tell_what_is_left(tmp_path: Path) -> None:
    server = Refusing(acme_server.create_app(), 403)
    said = io.StringIO()
    with serve(server) as url:
        check([DOCUMENT], url, "smoke", report_dir=tmp_path, console=Console(file=said, width=200))
    told = json.loads((tmp_path / "report.json").read_text())
    left = told["vendors"]["acme"]["left_behind"]
    assert {group["resource"] for group in left} == {"Customer"}
    assert {group["why"] for group in left} == {"deleteCustomer was answered 403"}
    assert sum(len(group["keys"]) for group in left) > 50
    assert "left behind" in said.getvalue()
    assert told["keep"] is False


def suite(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "--pyargs", "conformance.suite", "-q", "-p", "no:cacheprovider"]
    command += ["--mockingbill-vendor", DOCUMENT, "--mockingbill-target", "acme_server:create_app", *options]
    return subprocess.run(command, capture_output=True, text=True, cwd=HERE)


def test_the_suite_alone_tells_it_too() -> None:
    done = suite("-k", "ids_are_never_reused", "--mockingbill-keep")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "= left behind =" in done.stdout
    assert "Customer, keys cus_0000" in done.stdout
    assert KEPT in done.stdout
    assert "left behind" not in suite("-k", "ids_are_never_reused").stdout


def test_ctrl_c_says_what_the_processes_left(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom pathlib import Path\nfrom conformance.check import check\n"
        f"sys.exit(check([{DOCUMENT!r}], sys.argv[1], 'deep', report_dir=Path({str(tmp_path)!r})))"
    )
    with serve(acme_server.create_app()) as url:
        command = [sys.executable, "-W", "ignore", "-c", script, url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            run = Run.begin(Settings(DOCUMENT, url))
            while len(there(run)) < 12 and process.poll() is None:
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            rest = process.stdout.read()
        left = json.loads((tmp_path / "report.json").read_text())["vendors"]["acme"]["left_behind"]
        assert STOPPED in {group["why"] for group in left}
        told = {key for group in left for key in group["keys"]}
        assert len(told) > 5
        assert len(told - there(run)) <= 1, "one may have been deleted and not yet told"
    assert "left behind" in rest


def test_the_mark_is_in_every_body_that_makes_a_record() -> None:
    with a_run() as (run, _), run.client("promises") as client:
        for operation in client.scope.acting("create"):
            assert "mockingbill-" in json.dumps(base_body(client, operation)[1])
