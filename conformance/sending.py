"""How every call of a run reaches its target, whichever layer makes it: patiently, and no more once the target is gone."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import count
from typing import Protocol, TypeVar

import httpx

from conformance.address import trusted
from conformance.finding import Broken, NotTested, Unreachable, Withheld
from conformance.limits import READ_ONLY, Limits

LIMITED = "the target limits the rate of calls"
IMPATIENT = f"{LIMITED}: not all could be asked that was to be; --patience allows longer waiting"
_AWAY = (502, 503, 504)
"""What a proxy says of a server behind it that is not there."""
_PAUSES = (0.5, 1.0, 2.0, 4.0)
"""How long to wait where a target says 429 and not for how long."""
_AGAIN = 10
"""How often one call is sent again after a 429."""
_LOOKS = (0.0, 0.5, 1.0, 2.0)
"""When a target that is not answering is looked at again."""
_LATE = 3
"""After how many calls without an answer, while others have one, the rest are not waited for as long."""
_QUIET = 10.0
"""For how many seconds nothing is said after something was."""


class Reply(Protocol):
    """What both libraries give that send calls."""

    @property
    def status_code(self) -> int:
        """The status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, by name in any case."""


R = TypeVar("R", bound=Reply)


class Sending:
    """What the calls of a run share: the limits of the target, how long was waited, when it was last changed, whether it is gone."""

    def __init__(self, base_url: str, limits: Limits, told: Callable[[str], None] = lambda line: None) -> None:
        self.base_url = base_url
        self.timeout = limits.seconds("timeout")
        self.patience = limits.seconds("patience")
        self.consistency = limits.seconds("consistency")
        self.read_only = limits.read_only
        self.told = told
        self.trusted = trusted()
        self.gone = ""
        self.fell_short = False
        self.calls = 0
        self._waited = 0.0
        self._rested = False
        self._given_up = False
        self._slowest = 0.0
        self._late = 0
        self._changed: float | None = None
        self._spoke = time.monotonic()
        self._many = 1
        self._sign: tuple[str, Mapping[str, str]] = (f"{base_url}/", {})
        self._lock = threading.Lock()

    def deliver(self, attempt: Callable[[float], R], line: str, *, changes: bool) -> R:
        """The reply to one call; `attempt` sends it, given how long to wait, and raises what httpx raises.

        Raises NotTested where it may not be made, Withheld where a limit keeps it from being answered, Broken where it alone has no answer,
        Unreachable where the target is gone.
        """
        if changes and self.read_only:
            raise NotTested(READ_ONLY)
        self._settle()
        refused = cut = put_off = 0
        while True:
            self._count()
            seconds, began = self._allowed(), time.monotonic()
            try:
                reply = attempt(seconds)
                self._slowest = max(self._slowest, (time.monotonic() - began) / self._many)
            except httpx.TimeoutException as error:
                self.look(f"no answer within {seconds:g} s to {line} (--timeout allows longer)")
                if seconds < self.timeout:
                    raise Withheld(
                        f"no answer within {seconds:g} s, after {_LATE} calls that had none at all"
                    ) from error
                self._late += 1
                observed = f"none within {seconds:g} s to {line}, while others are answered (--timeout allows longer)"
                raise Broken("an answer", observed) from error
            except httpx.ConnectError as error:
                self.look(str(error))
                if (refused := refused + 1) > len(_LOOKS):
                    raise Broken("an HTTP answer", f"{error} to {line}") from error
                continue
            except httpx.HTTPError as error:
                if self.look(str(error)):
                    raise Withheld("the target was gone for a moment") from error
                if (cut := cut + 1) > 1:
                    raise Broken("an HTTP answer", f"{error} to {line}") from error
                continue
            if reply.status_code == 429 or (reply.status_code == 503 and "retry-after" in reply.headers):
                self._rest(reply, put_off)
                put_off += 1
                continue
            if reply.status_code >= 500 and self.look(f"{reply.status_code} to {line}") and reply.status_code in _AWAY:
                raise Withheld("the target was gone for a moment")
            self._given_up = False
            return reply

    def note(self, url: str, headers: Mapping[str, str]) -> None:
        """A read that succeeded: whether the target is there is seen by whether it does again."""
        self._sign = (url, headers)

    def changed(self) -> None:
        """The target was changed just now."""
        self._changed = time.monotonic()

    @contextlib.contextmanager
    def at_once(self, many: int) -> Iterator[None]:
        """So many calls are made at once on purpose: none waits for another, and each may take as long as all of them one by one."""
        self._settle()
        self._many = many
        try:
            yield
        finally:
            self._many = 1

    def look(self, why: str) -> int:
        """See whether the target is there: how often it had to be looked at before it was. Raises Unreachable, from then on at each call."""
        with self._lock:
            if self.gone:
                raise Unreachable(self.gone)
            began = time.monotonic()
            for number, pause in enumerate(_LOOKS):
                time.sleep(pause)
                if self._is_there():
                    return number
                if time.monotonic() - began > self.timeout:
                    break
            self.gone = f"{self.base_url} stopped answering: {why}"
            raise Unreachable(self.gone)

    def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """A plain read, as patient as any call. Raises httpx's errors."""

        def attempt(seconds: float) -> httpx.Response:
            return httpx.get(url, headers=dict(headers or {}), timeout=seconds, trust_env=False, verify=self.trusted)

        for times in count():
            reply = attempt(self.timeout)
            if reply.status_code != 429:
                return reply
            try:
                self._rest(reply, times)
            except Withheld:
                return reply
        raise AssertionError("it is counted without end")

    def _is_there(self) -> bool:
        url, headers = self._sign
        try:
            reply = httpx.get(url, headers=dict(headers), timeout=self.timeout, trust_env=False, verify=self.trusted)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError):
            return False
        return reply.status_code not in _AWAY

    def _allowed(self) -> float:
        """For how many seconds to wait for an answer.

        To calls at once, as long as it may take to answer one after the other; not for long any more where some had no answer at all.
        """
        if self._many > 1:
            return max(self.timeout, 2 * self._slowest * self._many)
        return min(self.timeout, max(0.2, 4 * self._slowest)) if self._late >= _LATE else self.timeout

    def _settle(self) -> None:
        """Wait until the last change shows everywhere; not among calls that are made at once."""
        if self.gone:
            raise Unreachable(self.gone)
        if self.consistency and self._changed is not None and self._many == 1:
            time.sleep(max(0.0, self._changed + self.consistency - time.monotonic()))

    def _rest(self, reply: Reply, times: int) -> None:
        """Wait as long as the target asks. Raises Withheld where that is too long, or too often."""
        asked = retry_after(reply.headers.get("retry-after", ""), datetime.now(UTC))
        most = 1 if self._given_up else len(_PAUSES) if asked is None else _AGAIN
        if self._many > 1 or times >= most:
            if self._many == 1:
                self._given_up = self.fell_short = True
                if reply.status_code in _AWAY:
                    self.look(f"{reply.status_code} again and again")
            raise Withheld(LIMITED, reply)
        wait = _PAUSES[times] if asked is None else max(asked, 0.05)
        if self._waited + wait > self.patience:
            self.fell_short = True
            raise Withheld(f"{LIMITED}, and asks for more patience than {self.patience:g} s in all", reply)
        self._waited += wait
        if wait >= 1 or self._waited >= 1:
            line = f"waiting {wait:.3g} s, {self._waited:.3g} of {self.patience:g} s in all: {LIMITED}"
            self._say(line, at_once=not self._rested)
            self._rested = True
        time.sleep(wait)

    def _count(self) -> None:
        self.calls += 1
        if self.calls > 1:
            self._say(f"{self.calls} calls so far")

    def _say(self, line: str, *, at_once: bool = False) -> None:
        if at_once or time.monotonic() - self._spoke > _QUIET:
            self._spoke = time.monotonic()
            self.told(line)


def retry_after(value: str, now: datetime) -> float | None:
    """The seconds that a Retry-After header asks to wait: a number, or until a date; None where it says neither."""
    value = value.strip()
    if value.isascii() and value.replace(".", "", 1).isdigit():
        return float(value[:12])
    try:
        at = parsedate_to_datetime(value)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return max(0.0, (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - now.timestamp())
