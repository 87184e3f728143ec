"""Our own mock as right servers: every vendor with every option that changes how it behaves, and seen in every way it can be seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from bench.precision.judging import LAYERS, Right
from conformance.target import WORLD_HEADER, serve
from mock_server import create_app

PREFIX = "/sandboxes/billing"
MOMENT = datetime(2028, 2, 29, 23, 59, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Option:
    """One way to start it and to look at it: what `create_app` is given, the calls of its control API that come first, and the base URL.

    `world` is where the run makes its records, a world of its own for each layer; without one it is the default world, all in one, where what a
    promise made decades ago still renews when the next one begins: with `small` vendors alone.
    """

    says: str
    settings: Mapping[str, Any] = field(default_factory=lambda: {"inferred": True})
    first: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    url: Callable[[str, str], str] = "{}/{}".format
    world: str = "precision"
    wrap: Callable[[Any], Any] = lambda app: app
    alone: bool = True
    small: bool = False


def _prefixed(app: Any) -> Any:
    """Below a path, as behind a proxy that takes the path away again."""

    async def below(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            raw = scope["raw_path"].removeprefix(PREFIX.encode())
            scope = {**scope, "path": scope["path"].removeprefix(PREFIX), "raw_path": raw}
        await app(scope, receive, send)

    return below


CLOCK, FAULTS = "/_mock/clock", "/_mock/faults"
SMALL = ("wispgate", "stykite")
OPTIONS = {
    "plain": Option("as it starts"),
    "documented": Option("without inferred operations", {}),
    "seeds": Option("with other ids", {"inferred": True, "seed": 4711}),
    "frozen": Option("every clock frozen, on a leap day", {"inferred": True, "frozen": MOMENT}),
    "frozen-world": Option("its clock frozen by the control API", first=((CLOCK, {"freeze": "2031-01-31T00:00:00Z"}),)),
    "ten-years": Option("its clock moved on by ten years", first=((CLOCK, {"advance": "P10Y"}),)),
    "slow": Option("two hundred answers of each layer late", first=((FAULTS, {"delay": 0.01, "times": 200}),)),
    "world-in-url": Option("a world named by the URL", url="{}/w/monday/{}".format, small=True),
    "one-world": Option("everything in the default world", world="", small=True),
    "one-world-frozen": Option(
        "everything in the default world, its clock frozen", {"inferred": True, "frozen": MOMENT}, world="", small=True
    ),
    "one-world-ten-years": Option(
        "everything in the default world, ten years on", first=((CLOCK, {"advance": "P10Y"}),), world="", small=True
    ),
    "prefix": Option("below a path", url=f"{{}}{PREFIX}/{{}}".format, wrap=_prefixed),
    "other-host": Option(
        "by another name of its host, its control open to all",
        {"inferred": True, "open_control": True},
        url=lambda url, vendor: f"{url.replace('127.0.0.1', 'localhost')}/{vendor}",
    ),
    "neighbours": Option("all vendors served beside it", alone=False),
}


def grid(vendors: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each vendor with each option that it is tried with."""
    return ((v, name) for v in vendors for name, option in OPTIONS.items() if v in SMALL or not option.small)


def right(vendor: str, option: str) -> Right:
    """Our own mock of a vendor with an option, as a right server."""
    chosen = OPTIONS[option]
    inferred = bool(chosen.settings.get("inferred"))
    return Right(f"{vendor} {option}", vendor, _served(vendor, chosen), "", chosen.world, inferred, untested=REASONS)


def _served(vendor: str, option: Option) -> Callable[[], AbstractContextManager[str]]:
    @contextmanager
    def served() -> Iterator[str]:
        app = create_app([vendor] if option.alone else [], **option.settings)
        with serve(option.wrap(app)) as url:
            for path, body in option.first:
                about = {"vendor": vendor, **body} if path == FAULTS else body
                for world in [f"{option.world}-{layer}" for layer in LAYERS] if option.world else ["default"]:
                    headers = {WORLD_HEADER: world}
                    httpx.post(url + path, json=about, headers=headers, timeout=60, trust_env=False).raise_for_status()
            yield option.url(url, vendor)

    return served


_WHAT = r"\w+ [^:]+: "
REASONS = (
    _WHAT + r"nothing in scope (shows|lists) .*",
    _WHAT + r"nothing reads a Charge, and none could be made",
    _WHAT + r"\w+ is far away, or something else always comes before it",
    _WHAT + r"no \w+ could be (made that shows a \w+ to wait for|brought into the state '\w+')",
    _WHAT + r"the Subscription made for it is renewed fewer than 2 times in 2 years",
    _WHAT + r"\w+ (refused every change tried|refuses every change tried|refuses every value its schema leaves free.*)",
    _WHAT + r"a new Subscription is 'Active'; the operation starts from Suspended",
)
"""Why something may be left untested of our own mock: what no answer shows, and what no call of the document leads to."""
