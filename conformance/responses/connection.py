"""How Schemathesis' requests reach the target: as the suite's other requests do, and without asking the machine the same thing before each."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Any
from unittest.mock import patch

import httpx
import requests
from requests.adapters import HTTPAdapter
from schemathesis.engine import context
from schemathesis.engine.errors import is_connection_refused
from schemathesis.transport import requests as transport
from urllib3 import HTTPHeaderDict, HTTPResponse

from conformance.finding import Broken, NotTested, Unreachable, Withheld
from conformance.limits import changes
from conformance.lines import Lines
from conformance.responses.hook import Hook

_USUAL = {"Accept-Encoding": "identity", "User-Agent": f"python-urllib3/{version('urllib3')}"}
"""What urllib3 says of itself where nothing else is said."""


class Patient(HTTPAdapter):
    """Sends as the suite's own client does: no faster than the target allows, and not at all once it is gone."""

    def __init__(self, hook: Hook, lines: Lines) -> None:
        super().__init__()
        self.hook = hook
        self.lines = lines

    def send(self, request: requests.PreparedRequest, *_: Any, **options: Any) -> requests.Response:
        """The reply to a request; where a limit kept it from being answered, the refusal, and the hook is told."""
        sending, method = self.hook.client.sending, request.method or "GET"
        change = changes(self.hook.operation, method)
        failed: list[Exception] = []

        def attempt(seconds: float) -> requests.Response:
            try:
                reply = self._plainly(request, seconds)
                if reply is None:
                    reply = super(Patient, self).send(request, **{**options, "timeout": seconds})
                _ = reply.content
            except httpx.TimeoutException as error:
                failed.append(requests.Timeout(str(error)))
                raise
            except httpx.HTTPError as error:
                failed.append(requests.ConnectionError(str(error)))
                raise
            except requests.Timeout as error:
                failed.append(error)
                raise httpx.ReadTimeout(str(error)) from error
            except requests.ConnectionError as error:
                failed.append(error)
                if is_connection_refused(error):
                    raise httpx.ConnectError("connection refused") from error
                raise httpx.ReadError(str(error)) from error
            return reply

        try:
            line = f"{method} {str(request.url).partition('?')[0]}"
            reply = sending.deliver(attempt, line, changes=change)
        except Withheld as withheld:
            self.hook.withhold(str(withheld))
            if not isinstance(withheld.reply, requests.Response):
                raise requests.ConnectionError(str(withheld), request=request) from None
            return withheld.reply
        except (Broken, NotTested, Unreachable) as error:
            if isinstance(error, Broken):
                self.hook.miss(error, request)
            kind = requests.Timeout if failed and isinstance(failed[-1], requests.Timeout) else requests.ConnectionError
            raise kind(str(error), request=request) from None
        if change and reply.status_code < 400:
            sending.changed()
        return reply

    def _plainly(self, request: requests.PreparedRequest, seconds: float) -> requests.Response | None:
        """The reply by a line of our own, with the headers that urllib3 adds; None where the request is not plain. Raises httpx's errors."""
        body = request.body
        if isinstance(body, str) and body.isascii():
            body = body.encode()
        if not isinstance(body, bytes | None):
            return None
        headers = {name: value for name, value in _USUAL.items() if name not in request.headers} | {**request.headers}
        plain = self.lines.ask(request.method or "", request.url or "", headers, body, seconds)
        if plain is None:
            return None
        raw = HTTPResponse(
            io.BytesIO(plain.body),
            HTTPHeaderDict([(name.decode("latin-1"), value.decode("latin-1")) for name, value in plain.headers]),
            plain.status,
            version=10 if plain.version == "1.0" else 11,
            reason=plain.reason,
            preload_content=False,
            request_method=request.method,
        )
        return self.build_response(request, raw)


@contextlib.contextmanager
def direct(hook: Hook) -> Iterator[None]:
    """Sessions that heed the target's limits, and no proxy and no credentials of this machine's.

    A netrc file would lend a request that is to have no credentials some; and looking it and the proxies up takes a tenth of a run.
    """
    lines = Lines()

    def patiently(make: Callable[..., requests.Session]) -> Callable[..., requests.Session]:
        def made(*arguments: Any, **options: Any) -> requests.Session:
            session = make(*arguments, **options)
            session.trust_env = False
            for scheme in ("http://", "https://"):
                session.mount(scheme, Patient(hook, lines))
            return session

        return made

    of_a_run = patch.object(context, "make_session", patiently(context.make_session))
    of_a_check = patch.object(transport, "SameHostRedirectsSession", patiently(transport.SameHostRedirectsSession))
    with contextlib.closing(lines), of_a_run, of_a_check:
        yield
