"""What a target offers beside its API for tests: a clock that can be moved, and a sink that keeps the webhooks it sends.

Our own sandbox has both; another implementation may offer the same few operations (docs/conformance.md). Each promise that needs one says
"not tested" where there is none.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urljoin

from conformance.client import Client
from conformance.finding import Broken, NotTested, Unreachable
from conformance.moments import iso, parsed
from conformance.sandbox import control_beside, worlds_beside
from conformance.target import WORLD_HEADER

_PATIENCE = 3.0
_YEARS = 120.0
"""For how many seconds a clock may be on its way: all that falls due in decades happens meanwhile."""
_LEADS = (1, 5, 20)
"""How many seconds ahead a running clock is stopped: where moments that have passed are refused, the call must be there before."""
_PAUSE = 0.01
_SETTLED = 0.05


@dataclass(frozen=True)
class Delivery:
    """A webhook as it arrived: the event's name, its headers in lower case, its body's bytes."""

    id: Any
    event: str
    headers: Mapping[str, str]
    body: bytes


def address(client: Client) -> str:
    """Where the target is controlled: as it was said, or beside the vendor's mount where that is our own sandbox. Raises NotTested."""
    if "control" not in client.found:
        base_url, said = client.target.base_url, client.target.control
        ours = not said and worlds_beside(client.sending, base_url) is not None
        client.found["control"] = (
            control_beside(base_url) if ours else said and urljoin(f"{base_url}/", said).rstrip("/")
        )
    if not client.found["control"]:
        raise NotTested("the target has no control address: no clock to move, no sink for its webhooks")
    return str(client.found["control"])


def ask(client: Client, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """One call of the control API: status and parsed body. It stands among the calls of a finding."""
    url = address(client) + path
    headers = {"Accept": "application/json", **({WORLD_HEADER: client.world} if client.world else {})}
    content = None
    if body is not None:
        headers["Content-Type"], content = "application/json", json.dumps(body).encode()
    try:
        answer = client.exchange(method, url, headers, content, control=_YEARS)
    except Broken as broken:
        raise Unreachable(f"the control address stopped answering: {broken.observed}") from None
    if method != "GET":
        client.transcript.append(answer)
    if answer.status >= 500:
        raise Broken("no server error, whatever is sent", f"{answer.status} from {method} {path}")
    return answer.status, answer.body


# The clock --------------------------------------------------------------------------------------------------------------


def now(client: Client) -> datetime:
    """The target's time. Raises NotTested where it has no clock."""
    status, body = ask(client, "GET", "/clock")
    return _moment(status, body)


def advance(client: Client, duration: str) -> datetime:
    """Move the clock by a duration, and say where it is then."""
    return _move(client, {"advance": duration})


def until(client: Client, moment: datetime) -> datetime:
    """Move the clock to a moment; it stays where it is already later."""
    here = now(client)
    return here if moment <= here else _move(client, {"to": iso(moment)})


def freeze(client: Client, moment: datetime) -> datetime:
    """Let the clock stand still at a moment, which may be a past one."""
    return _move(client, {"freeze": iso(moment)})


def _move(client: Client, body: Mapping[str, str]) -> datetime:
    status, answer = ask(client, "POST", "/clock", body)
    moment = _moment(status, answer)
    while isinstance(answer, dict) and answer.get("complete") is False and "to" in body:
        status, answer = ask(client, "POST", "/clock", body)
        moment = _moment(status, answer)
    return moment


def _moment(status: int, body: Any) -> datetime:
    try:
        if 200 <= status < 300:
            return parsed(body["now"])
    except (ValueError, KeyError, TypeError):
        pass
    raise NotTested(f"the target has no clock that can be moved like this: {status} {str(body)[:120]}")


def timed(client: Client) -> bool:
    """Whether the target has a clock that can be moved."""
    if "timed" not in client.found:
        try:
            now(client)
        except NotTested:
            client.found["timed"] = False
        else:
            client.found["timed"] = True
    return bool(client.found["timed"])


@contextlib.contextmanager
def standing(client: Client) -> Iterator[datetime]:
    """The clock stands still, at the next whole second; afterwards it is as it was. Raises NotTested without a clock.

    One that ran runs on from where it is. One that stood stands, where it stood before or, where it may not be set back, where it has come to.
    """
    status, before = ask(client, "GET", "/clock")
    here = _moment(status, before)
    stood = isinstance(before, dict) and before.get("frozen") is True
    try:
        yield _stop(client, here)
    finally:
        ask(client, "POST", "/clock", {"freeze": iso(here)} if stood else {"resume": True})


def _stop(client: Client, here: datetime) -> datetime:
    """Let the clock stand still at a whole second ahead; a little later each time where that has passed before the call arrives."""
    for lead in _LEADS:
        with contextlib.suppress(NotTested):
            return freeze(client, (here + timedelta(seconds=lead)).replace(microsecond=0))
        here = now(client)
    return freeze(client, (here + timedelta(seconds=_LEADS[-1])).replace(microsecond=0))


@contextlib.contextmanager
def apart(client: Client) -> Iterator[None]:
    """A world of its own for as long as the context lasts, where the target has worlds: its clock moves for nobody else."""
    world, populated = client.world, client.populated
    client.found["worlds"] = number = client.found.get("worlds", 0) + 1
    client.world = f"{world}-{number}" if world else ""
    client.populated = {key: kept for key, kept in populated.items() if not key[0].startswith("dependency")}
    try:
        yield
    finally:
        try:
            _reset(client)
        finally:
            client.world, client.populated = world, populated


def _reset(client: Client) -> None:
    """Empty the world that was apart, where the target has worlds."""
    ours = client.found.get("control", "").endswith("/_mock") and not client.target.control
    if client.world and ours and not client.sending.read_only:
        length = len(client.transcript)
        if _is_ours(client):
            ask(client, "POST", "/reset")
        del client.transcript[length:]


def _is_ours(client: Client) -> bool:
    """Whether the sandbox takes the client to be in a world of its own; where the URL names a world, that one is somebody else's."""
    _, body = ask(client, "GET", "/clock")
    return isinstance(body, dict) and body.get("world") == client.world


# The sink ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Endpoint:
    """Where the target sends its webhooks: in the sink, under an id, signed with a secret."""

    id: Any
    secret: str


def listen(client: Client) -> Endpoint:
    """Let the target send its webhooks to the sink, at an endpoint of their own. Raises NotTested without one."""
    vendor = client.scope.contract.name
    status, body = ask(client, "POST", "/webhooks/endpoints", {"vendor": vendor, "url": "sink:"})
    if status != 201 or not isinstance(body, dict) or "id" not in body:
        raise NotTested(f"the target has no sink for its webhooks: {status} {str(body)[:120]}")
    return Endpoint(body["id"], str(body.get("secret", "")))


def empty(client: Client) -> None:
    """Forget what the sink has received."""
    status, _ = ask(client, "DELETE", "/webhooks/sink")
    if not 200 <= status < 300:
        raise NotTested(f"the sink cannot be emptied: {status}")


def received(client: Client, endpoint: Endpoint, enough: Callable[[list[Delivery]], bool]) -> list[Delivery]:
    """What an endpoint has received, in its order, as soon as it is enough; what there is, once that has not come for a while."""
    start = time.monotonic()
    while True:
        deliveries = _deliveries(client, endpoint)
        if enough(deliveries) and client.target.control:
            time.sleep(_SETTLED)  # what comes too often comes late
            return _deliveries(client, endpoint)
        if enough(deliveries) or time.monotonic() - start > _PATIENCE + client.sending.consistency:
            return deliveries
        time.sleep(_PAUSE)


def _deliveries(client: Client, endpoint: Endpoint) -> list[Delivery]:
    status, body = ask(client, "GET", f"/webhooks/sink?vendor={client.scope.contract.name}")
    try:
        if status == 200:
            return [_delivery(entry) for entry in body["received"] if entry["endpoint"] == endpoint.id]
    except (KeyError, TypeError, AttributeError):
        pass
    raise NotTested(f"the sink cannot be read: {status} {str(body)[:120]}")


def _delivery(entry: Mapping[str, Any]) -> Delivery:
    headers = {str(name).lower(): str(value) for name, value in entry["headers"].items()}
    return Delivery(str(entry["delivery"]), str(entry["event"]), headers, entry["body"].encode())
