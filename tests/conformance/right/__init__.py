"""Right implementations of the miniatures, each written in another way: whatever the suite says against one of them is the suite's fault."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import BaseServer

_DATA = Path(__file__).parent.parent.parent / "data"
ACME = str(_DATA / "acme" / "openapi" / "acme.yaml")
CLUB = str(_DATA / "club" / "openapi" / "club.yaml")


@contextmanager
def serving(server: BaseServer) -> Iterator[str]:
    """A server of sockets at work in a thread of its own, for as long as the context lasts; its URL."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
