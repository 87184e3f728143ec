"""The whole server as one ASGI application: an index, the vendors under their names, their documents, the control API, and worlds.

`/w/{world}/…` is the same server seen from that world.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mock_server.app import index
from mock_server.app.accept import acceptable
from mock_server.app.api import build
from mock_server.app.bodies import encode
from mock_server.app.exchange import JSON, base_url_of, headers_of, raw_path_of, send_answer, send_bytes, world_of
from mock_server.contract import Contract, Fixtures, load, load_fixtures, vendors
from mock_server.control import control_engine
from mock_server.engine import Engine
from mock_server.problems import Problem
from mock_server.store import MemoryStore
from mock_server.vendor import Vendor, load_vendor
from mock_server.webhooks import Post
from mock_server.worlds import DEFAULT_WORLD

_ANYWHERE = "/-any-mount-"
"""Stands in a kept document for the path it is served under."""
HTML, YAML = b"text/html; charset=utf-8", b"application/yaml"


@dataclass(frozen=True, slots=True)
class Options:
    """How a server behaves: see `create_app`."""

    seed: int = 0
    frozen: datetime | None = None
    inferred: bool = False
    open_control: bool = False


def create_app(
    names: Sequence[str] = (),
    *,
    seed: int = 0,
    frozen: datetime | None = None,
    inferred: bool = False,
    open_control: bool = False,
    webhook_hosts: Collection[str] = (),
    extra: Sequence[tuple[Contract, Fixtures, Vendor]] = (),
) -> ASGIApp:
    """The sandbox as an ASGI application.

    `names` are vendors (all, if none is named); `seed` makes other ids; `frozen` stops every world's clock at that moment;
    `inferred` serves inferred operations too; `open_control` lets other hosts use `/_mock`; `webhook_hosts` are hosts besides this one
    that webhooks may be sent to; `extra` adds vendors that are not ours.
    Raises ContractError, with file and line, for a document or fixture that cannot be used.
    """
    options = Options(seed, frozen, inferred, open_control)
    store = MemoryStore()
    found = [
        (contract, load_fixtures(contract), load_vendor(contract.name)) for contract in map(load, names or vendors())
    ]
    if extra:
        found = [*(found if names else ()), *extra]
    engines = {
        contract.name: Engine(contract, vendor, fixtures, store, seed=seed, frozen=frozen, inferred=inferred)
        for contract, fixtures, vendor in found
    }
    control = control_engine(engines, store, seed=seed, frozen=frozen, webhook_hosts=webhook_hosts)
    return RootApp(engines, control, options)


class RootApp:
    """Dispatches by the first segment of the path."""

    def __init__(self, engines: Mapping[str, Engine], control: Engine, options: Options) -> None:
        self.engines = engines
        self._control = control
        self._options = options
        self._apps = {name: build(engine) for name, engine in engines.items()}
        self._control_app = build(control)
        self._post = Post(control, engines)
        self._documents: dict[tuple[str, str], bytes] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one message of the ASGI server."""
        if scope["type"] == "http":
            await self._dispatch(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message: Message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self._post.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    def _dispatch(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Whoever serves the path: a vendor, the control API, or a page about them."""
        path = raw_path_of(scope)
        world, above = None, ""
        if path.startswith("/w/"):
            named, _, rest = path[3:].partition("/")
            world, above, path = unquote(named), f"/w/{named}", f"/{rest}"
        head, slash, rest = path[1:].partition("/")
        mount = f"{above}/{head}" if head else above
        app = self._apps.get(head)
        if app is None:
            if head == "_mock" and slash:
                return self._controlled(scope, receive, send, f"/{rest}", mount, world)
            page = "" if path == "/" else None
            return self._page(self._control, page, scope, send, mount, world)
        if rest and rest not in ("openapi.json", "openapi.yaml"):
            return app.serve(scope, receive, send, f"/{rest}", mount, world)
        return self._page(app.engine, rest, scope, send, mount, world)

    async def _controlled(
        self, scope: Scope, receive: Receive, send: Send, path: str, mount: str, world: str | None
    ) -> None:
        """The control API: this host alone, and no page of another site in a browser."""
        if not self._options.open_control and not (_is_local(scope) and _same_site(headers_of(scope))):
            problem = Problem("host", "The control API answers this host alone; start the server with --open-control.")
            await send_answer(send, self._control.refuse(problem, DEFAULT_WORLD), head=scope["method"] == "HEAD")
            return
        await self._control_app.serve(scope, receive, send, path, mount, world)

    async def _page(
        self, engine: Engine, page: str | None, scope: Scope, send: Send, mount: str, named: str | None
    ) -> None:
        """An index (of one vendor, or of all where the engine is the control API's), a document, or nothing where `page` is None."""
        headers = headers_of(scope)
        is_head = scope["method"] == "HEAD"
        world = DEFAULT_WORLD
        try:
            world = world_of(named, headers)
            if page is None:
                raise Problem("no-path", "There is no such vendor. GET / lists them.")
            if scope["method"] not in ("GET", "HEAD"):
                raise Problem("no-method", "This path allows GET, HEAD.", headers={"Allow": "GET, HEAD"})
            if page:
                content, media = self._document(engine, page, mount)
            else:
                content, media = self._index(engine, scope, headers, mount)
        except Problem as problem:
            await send_answer(send, engine.refuse(problem, world), head=is_head)
            return
        await send_bytes(send, 200, content, media, head=is_head)

    def _index(self, engine: Engine, scope: Scope, headers: Mapping[str, str], mount: str) -> tuple[bytes, bytes]:
        one = engine is not self._control
        shown = [engine] if one else list(self.engines.values())
        mount = mount.removesuffix(f"/{engine.contract.name}") if one else mount
        listing = index.listing(shown, base_url_of(scope, headers, mount))
        accept = headers.get("accept", "")
        if "text/html" in accept.lower() and acceptable(accept, "text/html"):
            return index.page(listing).encode(), HTML
        return encode(listing), JSON

    def _document(self, engine: Engine, file: str, mount: str) -> tuple[bytes, bytes]:
        """A document of a vendor, with this server as its first, in the world that was asked."""
        is_json = file.endswith("json")
        content = self._documents.get((engine.contract.name, file))
        if content is None:
            document = served_document(engine.contract, _ANYWHERE)
            content = encode(document) if is_json else dump(document)
            self._documents[engine.contract.name, file] = content
        return content.replace(_ANYWHERE.encode(), mount.encode()), JSON if is_json else YAML


def served_document(contract: Contract, url: str) -> dict[str, Any]:
    """The self-contained document, this server first among its servers."""
    here = {"url": url, "description": "This sandbox."}
    return {**contract.document, "servers": [here, *contract.document.get("servers", [])]}


def dump(document: Any) -> bytes:
    """A document as YAML, in its own order."""
    return yaml.dump(document, Dumper=_PlainDumper, sort_keys=False, allow_unicode=True, width=120).encode()


class _PlainDumper(yaml.CSafeDumper):
    """Writes every value out: no anchors, which some readers of OpenAPI do not follow."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _is_local(scope: Scope) -> bool:
    client = scope.get("client")
    if client is None:
        return True
    return client[0] == "testclient" or _is_this_host(client[0])


def _is_this_host(name: str) -> bool:
    """Whether a host name or address can only mean the machine itself."""
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def _same_site(headers: Mapping[str, str]) -> bool:
    """Whether no foreign page sent this: without an Origin, or from the very host that is asked.

    That host must be this machine by name: a foreign page can have its own name point here.
    """
    origin = headers.get("origin")
    if origin is None:
        return True
    try:
        url = urlsplit(origin)
        return url.netloc == headers.get("host") and _is_this_host(url.hostname or "")
    except ValueError:
        return False
