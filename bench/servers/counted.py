"""The sandbox as `mockingbill serve` runs it, with all vendors, counting the requests it gets; `GET /counted` says how many. PORT."""

from __future__ import annotations

import sys
from typing import Any
from unittest.mock import patch

from mock_server.app import serving
from mock_server.app.exchange import send_answer
from mock_server.app.root import RootApp
from mock_server.vendor import Answer


def main() -> None:
    """Put a counter in front of the application's entry and run the product's server."""
    serve, count = RootApp.__call__, 0

    async def counted(self: Any, scope: Any, receive: Any, send: Any) -> None:
        nonlocal count
        if scope["type"] == "http" and scope["path"] == "/counted":
            await send_answer(send, Answer(200, {"requests": count}))
            return
        count += scope["type"] == "http"
        await serve(self, scope, receive, send)

    with patch.object(RootApp, "__call__", counted):
        serving.run((), host="127.0.0.1", port=int(sys.argv[1]))


if __name__ == "__main__":
    main()
