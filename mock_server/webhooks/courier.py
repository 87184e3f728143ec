"""Carries webhooks to their endpoints in the background of the server: one at a time to each endpoint, and to any number of endpoints side by side.

Nothing here is waited for by a call. A receiver that is down, slow or never ends costs its own endpoint a few seconds an attempt, and nobody
else anything.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mock_server.engine import Engine
from mock_server.store import StoredRecord
from mock_server.vendor import SHARED, Space
from mock_server.webhooks import deliveries, messages

if TYPE_CHECKING:
    import httpx

logger = logging.getLogger(__name__)

PATIENCE = 5.0
"""Seconds that a receiver may take to answer, from connecting to the last byte of what is kept."""
MOST_READ = 16_384
"""Bytes of an answer that are kept."""
GRACE = 2.0
"""Seconds in which what is queued is still sent, once the server is told to stop."""
LONGEST = 3600.0
"""Seconds after which a timer looks again."""


class Courier:
    """Sends what is queued in the worlds of a server, and lets what falls due happen on time where someone is to be told of it."""

    def __init__(self, control: Engine, engines: Mapping[str, Engine]) -> None:
        self._control = control
        self._engines = engines
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._woken: set[str] = set()
        self._client: httpx.AsyncClient | None = None

    def wake(self, world: str) -> None:
        """See to a world soon: to what is queued, and to what it waits for. Without a running loop, the next wake does."""
        if world in self._woken:
            return
        try:
            asyncio.get_running_loop().call_soon(self._look, world)
        except RuntimeError:
            return
        self._woken.add(world)

    def _look(self, world: str) -> None:
        self._woken.discard(world)
        loop = asyncio.get_running_loop()
        for endpoint in self._control.begin(world).scan((SHARED, "Endpoint")):
            key = (world, endpoint["id"])
            if key not in self._tasks and self._queued(world, endpoint["id"]) is not None:
                self._tasks[key] = loop.create_task(self._serve(*key))
        self._arm(world, loop)

    def _queued(self, world: str, endpoint: str) -> StoredRecord | None:
        """The first delivery in the queue of an endpoint."""
        return next(self._control.begin(world).scan((SHARED, "Delivery"), {"queue": endpoint}, limit=1), None)

    # Time -----------------------------------------------------------------------------------------------------------

    def _everyone(self) -> Iterator[Engine]:
        yield from self._engines.values()
        yield self._control

    def _arm(self, world: str, loop: asyncio.AbstractEventLoop) -> None:
        """Set a timer for what falls due next, where the world's clock runs."""
        timer = self._timers.pop(world, None)
        if timer is not None:
            timer.cancel()
        clock = self._control.clock(self._control.begin(world))
        if clock.frozen is not None:
            return
        if moments := [at for engine in self._everyone() if (at := engine.timeline.next_due(world)) is not None]:
            delay = (min(moments) - clock.now()).total_seconds()
            self._timers[world] = loop.call_later(min(max(delay, 0), LONGEST), self._tick, world)

    def _tick(self, world: str) -> None:
        self._timers.pop(world, None)
        if world not in self._control.store.worlds():
            return  # it was put back meanwhile, and whoever calls it next begins it
        for engine in self._everyone():
            engine.timeline.catch_up(world, engine.clock(engine.begin(world)).now())
        self.wake(world)

    # Sending --------------------------------------------------------------------------------------------------------

    async def _serve(self, world: str, endpoint: str) -> None:
        """Send what is in the queue of an endpoint, one after the other, until it is empty."""
        try:
            while (delivery := self._queued(world, endpoint)) is not None:
                record = self._control.begin(world).get((SHARED, "Endpoint"), endpoint)
                if record is None:
                    return
                attempt = await self._attempt(record, delivery)
                self._write(world, endpoint, delivery, attempt)
        except Exception:
            logger.exception("sending the webhooks of %s failed", endpoint)
        finally:
            self._tasks.pop((world, endpoint), None)

    def _write(self, world: str, endpoint: str, delivery: StoredRecord, attempt: Mapping[str, Any]) -> None:
        """Write an attempt down, unless the world was put back meanwhile."""

        def note(space: Space) -> None:
            held, there = space.find("Delivery", delivery["id"]), space.find("Endpoint", endpoint)
            if held is not None and held["queue"] is not None and there is not None:
                deliveries.attempted(space, held, there, attempt)

        self._control.timeline.step(world, self._control.clock(self._control.begin(world)).now(), note)
        self._arm(world, asyncio.get_running_loop())

    async def _attempt(self, endpoint: StoredRecord, delivery: StoredRecord) -> dict[str, Any]:
        """Send a delivery once: the request and the answer, or why there is none."""
        contract = self._engines[delivery["vendor"]].contract
        content = delivery["body"].encode()
        sent = messages.headers(contract, delivery["media"], content, endpoint["secret"], tampered=delivery["tampered"])
        import httpx  # slow to import, and no start should wait for it

        attempt: dict[str, Any] = {
            "request": {"method": "POST", "url": endpoint["url"], "headers": messages.shown(contract, sent)}
        }
        try:
            async with asyncio.timeout(PATIENCE):
                attempt["response"] = await self._exchange(endpoint["url"], content, sent)
        except TimeoutError:
            attempt["error"] = f"no answer within {PATIENCE:g} s"
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            attempt["error"] = f"{type(error).__name__}: {error}"[:500]
        return attempt

    async def _exchange(self, url: str, content: bytes, sent: Mapping[str, str]) -> dict[str, Any]:
        if self._client is None:
            import httpx

            # No proxy of the environment's, no redirect: only the address that was configured is called.
            self._client = httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=PATIENCE)
        async with self._client.stream("POST", url, content=content, headers=dict(sent)) as response:
            kept = b""
            async for part in response.aiter_raw():
                kept += part[: MOST_READ - len(kept)]
                if len(kept) >= MOST_READ:
                    break
            headers = {name: value for name, value in response.headers.items() if name != "set-cookie"}
            return {"status": response.status_code, "headers": headers, "body": kept.decode(errors="replace")}

    async def close(self) -> None:
        """Send what is queued, for a while; say what could not be sent."""
        for timer in self._timers.values():
            timer.cancel()
        tasks = list(self._tasks.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=GRACE)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()
        unsent = sum(
            self._control.begin(world).count((SHARED, "Delivery"), {"status": status})
            for world in self._control.store.worlds()
            for status in ("queued", "waiting")
        )
        if unsent:
            logger.warning("%d webhooks were not delivered before the sandbox stopped.", unsent)
