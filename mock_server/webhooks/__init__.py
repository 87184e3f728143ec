"""Webhooks: the events of a world carried to the endpoints that its user configured, or into the built-in sink."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mock_server.engine import Engine
from mock_server.events import Told
from mock_server.vendor import SHARED, Space
from mock_server.webhooks import deliveries
from mock_server.webhooks.courier import Courier


class Post:
    """The audience of every engine of a server: makes deliveries of what it hears and has them carried."""

    def __init__(self, control: Engine, engines: Mapping[str, Engine]) -> None:
        self._control = control
        self._engines = engines
        self.courier = Courier(control, engines)
        for engine in (*engines.values(), control):
            engine.timeline.audience = self

    def listens(self, world: str, vendor: str) -> bool:
        """Whether a world has an endpoint for a vendor."""
        control = self._control.store.begin(
            world, self._control.contract.name
        )  # a world that nobody asked for is not sown
        return control.count((SHARED, "Endpoint"), {"vendor": vendor}) > 0

    def hear(self, world: str, vendor: str, told: Sequence[Told]) -> None:
        """Make the deliveries of events, and see to whatever is to be sent or falls due."""
        if told:
            contract = self._engines[vendor].contract

            def post(space: Space) -> None:
                for one in told:
                    deliveries.post(space, contract, one)

            self._control.timeline.step(world, told[0].at, post)
        elif self._control.store.begin(world, self._control.contract.name).count((SHARED, "Endpoint")):
            self.courier.wake(world)

    async def close(self) -> None:
        """Send what is still queued, before the server stops."""
        await self.courier.close()


__all__ = ["Post"]
