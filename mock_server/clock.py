"""Time and chance: the only module that asks the machine for either.

A world's time is the machine's plus an offset, or frozen. Ids come from a counter and the world's seed, so that the same seed and the same
requests give the same answers, byte for byte.
"""

from __future__ import annotations

import calendar
import functools
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, datetime, timedelta
from typing import Any, Literal

Timestamps = Literal["date-time", "epoch-milliseconds", "epoch-seconds"]
_SCALES = {"date-time": "seconds", "epoch-seconds": "seconds", "epoch-milliseconds": "milliseconds"}
_TEMPLATE = re.compile(r"\{(n|hex|base32|uuid)(?::([0-9]*d?))?\}")
LAST = datetime.max.replace(tzinfo=UTC)
"""The end of the calendar."""
_DAYS = (MAXYEAR + 1) * 366
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True, slots=True)
class Clock:
    """What `now` is in a world: frozen at a moment, or the machine's time plus an offset."""

    frozen: datetime | None = None
    offset: timedelta = timedelta(0)

    def now(self) -> datetime:
        """The moment, in UTC."""
        if self.frozen is not None:
            return self.frozen
        return datetime.now(UTC) + self.offset if self.offset else datetime.now(UTC)

    def running_at(self, start: datetime, moment: datetime) -> Clock:
        """A running clock that is at a moment when this one is at `start`; one that stood still runs from the moment on."""
        if self.frozen is not None:
            return Clock(None, moment - datetime.now(UTC))
        return Clock(None, self.offset + (moment - start))

    def record(self) -> dict[str, Any]:
        """The clock as a storable record."""
        return {
            "frozen": self.frozen.isoformat() if self.frozen else None,
            "offset": self.offset // timedelta(microseconds=1),
        }

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Clock:
        """The clock a record describes."""
        return _clock(record["frozen"], record["offset"])


@functools.lru_cache(maxsize=256)
def _clock(frozen: str | None, offset: int) -> Clock:
    return Clock(datetime.fromisoformat(frozen) if frozen else None, timedelta(microseconds=offset))


def written(moment: datetime, style: Timestamps) -> str | int:
    """A moment as a vendor writes it: ISO 8601 in UTC to the second, or whole milliseconds or seconds since 1970."""
    if style == "date-time":
        here = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
        return here.isoformat(timespec="seconds")[:-6] + "Z"  # without its "+00:00"
    scale = timedelta(milliseconds=1) if style == "epoch-milliseconds" else timedelta(seconds=1)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // scale


def later(moment: datetime, *, days: int = 0, months: int = 0) -> datetime:
    """A moment moved by calendar months, then days; a day that the month lacks is its last: 31 January plus a month is the end of February.

    The calendar ends with the year 9999: what would come after is its last moment.
    """
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    if year > MAXYEAR:
        return LAST
    last = calendar.monthrange(year, month + 1)[1]
    moved = moment.replace(year=year, month=month + 1, day=min(moment.day, last))
    if not days:
        return moved
    return moved + timedelta(days=days) if days < _DAYS and LAST - moved >= timedelta(days=days) else LAST


def read(value: object, style: Timestamps) -> datetime | None:
    """The moment that a stored value names, the other way round than `written`; a date is its first moment, in UTC. None for no moment."""
    try:
        if isinstance(value, str):
            return parsed(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(0, UTC) + timedelta(**{_SCALES[style]: value})
    except (ValueError, OverflowError):
        return None
    return None


def iso(moment: datetime) -> str:
    """A moment as the sandbox itself writes it: ISO 8601 in UTC, with a fraction where there is one."""
    return moment.astimezone(UTC).isoformat()[:-6] + "Z"


def parsed(value: str) -> datetime:
    """The moment an ISO 8601 text names, in UTC; without a zone it is UTC. Raises ValueError."""
    moment = datetime.fromisoformat(value)
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError(f"{value} lies outside the calendar") from None


def mint(template: str, seed: str, n: int) -> str:
    """The n-th id of a template: `sub_{n:06d}`, `CUS-{base32:13}`, `req_{hex:12}`, `{uuid}`."""
    parts = _parts(template)
    if parts is None:
        return template.format(n=n)
    digest = hashlib.blake2b(f"{seed}|{template}|{n}".encode(), digest_size=32).digest()
    return "".join([_WRITERS[kind](spec, n, digest) for kind, spec in parts])


@functools.lru_cache(maxsize=256)
def _parts(template: str) -> tuple[tuple[str, str], ...] | None:
    """A template as literal texts and placeholders with their format; None for one that has but numbers, as `str.format` takes it."""
    parts: list[tuple[str, str]] = []
    at = 0
    for match in _TEMPLATE.finditer(template):
        if match.start() > at:
            parts.append(("", template[at : match.start()]))
        parts.append((match.group(1), match.group(2) or ""))
        at = match.end()
    if at < len(template):
        parts.append(("", template[at:]))
    literal = "".join(text for kind, text in parts if not kind)
    has_chance = any(kind in ("hex", "base32", "uuid") for kind, _ in parts)
    return tuple(parts) if has_chance or "{" in literal or "}" in literal else None


def _base32(spec: str, n: int, digest: bytes) -> str:
    number = int.from_bytes(digest, "big")
    return "".join([_CROCKFORD[(number >> (5 * i)) & 31] for i in range(int(spec or 13))])


def _uuid(spec: str, n: int, digest: bytes) -> str:
    """A UUID of version 4 (RFC 9562): four bits say so, two the variant."""
    text = digest[:16].hex()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{'89ab'[int(text[16], 16) & 3]}{text[17:20]}-{text[20:32]}"


_WRITERS: Mapping[str, Callable[[str, int, bytes], str]] = {
    "": lambda spec, n, digest: spec,
    "n": lambda spec, n, digest: format(n, spec or "d"),
    "hex": lambda spec, n, digest: digest.hex()[: int(spec or 12)],
    "base32": _base32,
    "uuid": _uuid,
}
