"""How Schemathesis' requests reach the target: as the suite's other requests do, and without asking the machine the same thing before each."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

import httpx
import requests
from requests.adapters import HTTPAdapter
from schemathesis.engine import context
from schemathesis.engine.errors import is_connection_refused
from schemathesis.transport import requests as transport

from conformance.finding import Broken, NotTested, Unreachable, Withheld
from conformance.limits import changes
from conformance.responses.hook import Hook


class Patient(HTTPAdapter):
    """Sends as the suite's own client does: no faster than the target allows, and not at all once it is gone."""

    def __init__(self, hook: Hook) -> None:
        super().__init__()
        self.hook = hook

    def send(self, request: requests.PreparedRequest, *_: Any, **options: Any) -> requests.Response:
        """The reply to a request; where a limit kept it from being answered, the refusal, and the hook is told."""
        sending, method = self.hook.client.sending, request.method or "GET"
        change = changes(self.hook.operation, method)
        failed: list[Exception] = []

        def attempt(seconds: float) -> requests.Response:
            try:
                reply: requests.Response = super(Patient, self).send(request, **{**options, "timeout": seconds})
                _ = reply.content
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


@contextlib.contextmanager
def direct(hook: Hook) -> Iterator[None]:
    """Sessions that heed the target's limits, and no proxy and no credentials of this machine's.

    A netrc file would lend a request that is to have no credentials some; and looking it and the proxies up takes a tenth of a run.
    """

    def patiently(make: Callable[..., requests.Session]) -> Callable[..., requests.Session]:
        def made(*arguments: Any, **options: Any) -> requests.Session:
            session = make(*arguments, **options)
            session.trust_env = False
            for scheme in ("http://", "https://"):
                session.mount(scheme, Patient(hook))
            return session

        return made

    of_a_run = patch.object(context, "make_session", patiently(context.make_session))
    of_a_check = patch.object(transport, "SameHostRedirectsSession", patiently(transport.SameHostRedirectsSession))
    with of_a_run, of_a_check:
        yield
