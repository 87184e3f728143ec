"""Carries the requests of an httpx client, synchronous or not, to a vendor of the sandbox without a socket."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from mock_server.testing.sandbox import Sandbox

HOST = "http://mockingbill.example.com"
"""What stands for the host where there is no port."""


class Transport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """For any client of httpx, whatever its base URL: the path alone counts, below `mount`.

    A client that waits for less long than a call takes gives up; the call is carried out all the same, as it would be by a server.
    """

    def __init__(self, sandbox: Sandbox, mount: str) -> None:
        self._sandbox = sandbox
        self._mount = mount.encode()
        self._within = httpx.ASGITransport(sandbox.app)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request of a synchronous client."""
        return self._carry(request, request.read())

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request of an asynchronous client, on whatever loop it runs."""
        import anyio.to_thread

        content = await request.aread()
        return await anyio.to_thread.run_sync(self._carry, request, content, abandon_on_cancel=True)

    def _carry(self, request: httpx.Request, content: bytes) -> httpx.Response:
        path = request.url.raw_path
        here = path if path.startswith(self._mount + b"/") else self._mount + path
        url = request.url.copy_with(raw_path=here)
        sent = httpx.Request(request.method, url, headers=request.headers, content=content)
        patience = request.extensions.get("timeout", {}).get("read")
        try:
            return self._sandbox.run(self._exchange(sent), patience)
        except TimeoutError:
            raise httpx.ReadTimeout(f"no answer within {patience:g} s", request=request) from None

    async def _exchange(self, request: httpx.Request) -> httpx.Response:
        answer = await self._within.handle_async_request(request)
        return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())
