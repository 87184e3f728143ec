"""What may be asked of a target: how long it may take, how often it may be called, how soon it shows a change, whether it may be changed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from mock_server.contract import Operation

READ_ONLY = "the target may only be read"
_SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
_STANDARD = {"timeout": 30.0, "patience": 300.0, "consistency": 0.0}
_MOST = 86_400.0


@dataclass(frozen=True)
class Limits:
    """What was said about a target's limits; None where nothing was. All in seconds but `read_only`.

    `timeout`: how long an answer may take. `patience`: how long to wait in all where the target limits the rate of calls.
    `consistency`: after how long a change shows everywhere.
    """

    timeout: float | None = None
    patience: float | None = None
    consistency: float | None = None
    read_only: bool = False

    def __post_init__(self) -> None:
        """Refuse what is no length of time. Raises ValueError."""
        for name in _STANDARD:
            value = getattr(self, name)
            if value is None:
                continue
            if (
                isinstance(value, bool)
                or not isinstance(value, int | float)
                or (isinstance(value, float) and not math.isfinite(value))
            ):
                raise ValueError(f"{name} is a number of seconds, not {value!r}")
            if not (value > 0 if name == "timeout" else value >= 0) or value > _MOST:
                raise ValueError(f"{name} is a number of seconds up to a day, not {str(value)[:20]}")
        if not isinstance(self.read_only, bool):
            raise ValueError(f"read-only is true or false, not {self.read_only!r}")

    def over(self, other: Limits) -> Limits:
        """These where they say something, the other ones elsewhere."""
        chosen = {name: other_value for name, other_value in asdict(other).items() if other_value is not None}
        chosen |= {name: value for name, value in asdict(self).items() if value is not None}
        return Limits(**{**chosen, "read_only": self.read_only or other.read_only})

    def seconds(self, name: str) -> float:
        """One of the lengths of time, the usual one where nothing was said."""
        value = getattr(self, name)
        return _STANDARD[name] if value is None else float(value)

    def options(self) -> dict[str, str]:
        """What was said as options of the command line, without their dashes; the value of a switch is empty."""
        said = {name: f"{value:g}" for name in _STANDARD if (value := getattr(self, name)) is not None}
        return said | ({"read-only": ""} if self.read_only else {})


UNSAID = Limits()
"""Nothing was said: the usual."""
KEYS = tuple(field.name.replace("_", "-") for field in fields(Limits))
"""The keys of a target file that say them."""


def taken(content: dict[str, Any]) -> Limits:
    """The limits that a target file says, taken out of it. Raises ValueError."""
    return Limits(**{key.replace("-", "_"): content.pop(key) for key in KEYS if content.get(key) is not None})


def recorded(told: Mapping[str, Any]) -> Limits:
    """The limits that a report says a run was asked with."""
    return Limits(**{name: value for name, value in told.items() if name in _STANDARD or name == "read_only"})


def changes(operation: Operation | None, method: str) -> bool:
    """Whether a call may change something, by what the operation is said to do; by its method where it is no operation's."""
    if operation is None or operation.method.upper() != method.upper() or operation.action.verb == "none":
        return method.upper() not in _SAFE
    return operation.action.verb in ("create", "update", "delete")
