"""The webhooks of a vendor in a world: what was sent, where else to send them, and trouble on the way."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from mock_server.testing.mock import Mock


@dataclass(frozen=True)
class Webhook:
    """A webhook as an application gets it: the event's name, its headers, the body's bytes, and when it was sent."""

    event: str
    headers: httpx.Headers
    content: bytes
    at: datetime

    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.content)


class Webhooks:
    """Every event of a vendor is kept here, as it would be sent; `secret` is what signs it."""

    def __init__(self, mock: Mock) -> None:
        self._mock = mock
        self._sink = ""
        self.secret = ""

    def listen(self) -> None:
        """Begin to keep them, as a mock does by itself."""
        if self._mock.events:
            self._sink, self.secret = self._endpoint("sink:", (), None)

    @property
    def received(self) -> tuple[Webhook, ...]:
        """What was sent so far, in its order."""
        found = self._mock.world.control("GET", "/webhooks/sink", vendor=self._mock.vendor)["received"]
        return tuple(
            Webhook(
                one["event"], httpx.Headers(one["headers"]), one["body"].encode(), datetime.fromisoformat(one["at"])
            )
            for one in found
            if one["endpoint"] == self._sink
        )

    def send_to(self, url: str, events: Sequence[str] = (), *, secret: str | None = None) -> str:
        """Send them to a receiver on this host too, all or those named: the secret that signs them, made up where none is given. Raises Refused."""
        return self._endpoint(url, events, secret)[1]

    def trouble(self, kind: str, *, event: str = "", delay: str = "", times: int = 1) -> None:
        """Let the next ones be dropped, come late by `delay`, twice, out of order, or with a wrong signature. Raises Refused.

        `kind` is drop, delay, duplicate, reorder or tamper, `delay` a duration of ISO 8601 on the world's clock.
        """
        planned: dict[str, Any] = {"kind": kind, "vendor": self._mock.vendor, "times": times}
        planned |= {"event": event} if event else {}
        planned |= {"delay": delay} if delay else {}
        self._mock.world.control("POST", "/webhooks/trouble", planned)

    def _endpoint(self, url: str, events: Sequence[str], secret: str | None) -> tuple[str, str]:
        asked: dict[str, Any] = {"vendor": self._mock.vendor, "url": url, "events": list(events)}
        made = self._mock.world.control("POST", "/webhooks/endpoints", asked | ({"secret": secret} if secret else {}))
        return str(made["id"]), str(made["secret"])
