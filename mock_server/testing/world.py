"""A world of the sandbox: what one test has for itself. Its data, clock and webhooks are those of every vendor that the test asks for."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx

from mock_server.testing.mock import Mock
from mock_server.testing.transport import HOST, Transport

if TYPE_CHECKING:
    from mock_server.testing.calls import Call
    from mock_server.testing.sandbox import Sandbox


class Refused(Exception):
    """The sandbox does not do what a test asks of it; the message says what was asked, and what is wrong with it."""


class World:
    """A named universe of the sandbox. Called with a vendor's name it gives a `Mock` of that vendor; `clock` is the one they all have."""

    def __init__(self, sandbox: Sandbox, name: str) -> None:
        self.sandbox = sandbox
        self.name = name
        self._calls = sandbox.journal.open(name)
        self._control = httpx.Client(transport=Transport(sandbox, f"/w/{name}"), base_url=f"{HOST}/_mock", timeout=600)
        self.clock = Clock(self)
        self._mocks: dict[str, Mock] = {}

    def __call__(self, vendor: str) -> Mock:
        """A vendor of this world, the same however often it is asked for. Raises Refused for one that is not served."""
        if vendor not in self._mocks:
            engine = self.sandbox.root.engines.get(vendor)
            if engine is None:
                raise Refused(
                    f"there is no vendor {vendor!r}; there are {', '.join(sorted(self.sandbox.root.engines))}"
                )
            mock = self._mocks[vendor] = Mock(self, engine)
            mock.webhooks.listen()
        return self._mocks[vendor]

    @property
    def url(self) -> str:
        """Where this world answers, for any client of any process; the port is opened when this is asked first."""
        return f"{self.sandbox.url}/w/{self.name}"

    @property
    def calls(self) -> tuple[Call, ...]:
        """Every call of any vendor so far, in the order of the answers."""
        return tuple(self._calls)

    def control(self, method: str, path: str, body: Mapping[str, Any] | None = None, **query: str) -> Any:
        """Ask something of the control API (docs/control.md): its answer, parsed. Raises Refused."""
        answer = self._control.request(method, path, json=body, params=query)
        if answer.is_success:
            return answer.json() if answer.content else None
        problem = answer.json()
        flaws = "; ".join(f"{flaw['pointer']}: {flaw['message']}" for flaw in problem.get("violations", ()))
        asked = f"{method} {path}" + (f" {dict(body)}" if body is not None else "")
        raise Refused(f"{asked}: {flaws or problem.get('detail') or answer.status_code}")

    def reset(self) -> None:
        """Put every vendor of this world back to the seed; the calls so far are forgotten, the webhooks too."""
        self.control("POST", "/reset")
        self._calls.clear()
        for mock in self._mocks.values():
            mock.webhooks.listen()

    def close(self) -> None:
        """Have done with it: nothing of it is kept."""
        self.control("POST", "/reset")
        self.sandbox.journal.drop(self.name)
        self._control.close()
        for mock in self._mocks.values():
            mock.client.close()

    def __repr__(self) -> str:
        return f"<World {self.name}>"


class Clock:
    """The clock of a world. What falls due on the way happens, in order and each at its own time; a move returns the list of it."""

    def __init__(self, world: World) -> None:
        self._world = world

    @property
    def now(self) -> datetime:
        """The time of this world, in UTC."""
        return datetime.fromisoformat(self._world.control("GET", "/clock")["now"])

    def advance(self, duration: str | timedelta) -> list[dict[str, Any]]:
        """Move it ahead by a duration of ISO 8601 (`P1M`, `P14D`, `PT1H`; months are the calendar's), or by a timedelta."""
        if isinstance(duration, timedelta):
            duration = f"PT{-(-duration // timedelta(seconds=1))}S"
        return self._move({"advance": duration})

    def move_to(self, moment: datetime | str) -> list[dict[str, Any]]:
        """Move it to a moment ahead."""
        return self._move({"to": _written(moment)})

    def freeze(self, moment: datetime | str | None = None) -> list[dict[str, Any]]:
        """Let it stand still: at any moment, or where it is."""
        return self._move({"freeze": True if moment is None else _written(moment)})

    def resume(self) -> None:
        """Let it run from where it stands."""
        self._move({"resume": True})

    def _move(self, order: Mapping[str, Any]) -> list[dict[str, Any]]:
        moved = self._world.control("POST", "/clock", order)
        happened: list[dict[str, Any]] = moved["happened"]
        if not moved["complete"]:
            raise Refused(f"{dict(order)}: the clock stopped at {moved['now']}, after {len(happened)} things")
        return happened


def _written(moment: datetime | str) -> str:
    if isinstance(moment, str):
        return moment
    if moment.tzinfo is None:
        raise Refused(f"{moment.isoformat()} has no time zone; datetime(…, tzinfo=UTC) has one")
    return moment.isoformat()


def name_for(test: str) -> str:
    """The name of a test's world: readable, and its own."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", test.rpartition("::")[2]).strip("-")[:44].rstrip("-") or "test"
    return f"{readable}-{hashlib.sha256(test.encode('utf-8', 'backslashreplace')).hexdigest()[:8]}"
