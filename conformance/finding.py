"""What a run can find: a broken promise, something that could not be tested, a target that cannot be judged."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from conformance.exchange import Step


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken promise: which, where the document says so, what was seen, and how to see it again.

    `steps` are its calls, and `requests` the same as command lines; `due` are the statuses of which one was due for the last of them.
    `apart` findings rest on an inferred fact in a run that did not ask for those: reported, but failing nobody.
    """

    layer: str
    promise: str
    sentence: str
    subject: str
    provenance: str
    place: str
    pointer: str
    expected: str
    observed: str
    requests: tuple[str, ...]
    seed: int
    replay: str
    apart: bool = False
    due: tuple[int, ...] = ()
    steps: tuple[Step, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The finding as plain data."""
        return asdict(self)

    def __str__(self) -> str:
        steps = "\n".join(f"  {line}" for line in self.requests[-6:])
        return (
            f"{self.promise}: {self.subject}\n  {self.sentence}\n  stated {self.provenance} at {self.place} ({self.pointer})\n"
            f"  expected {self.expected}\n  observed {self.observed}\n{steps}\n  seed {self.seed}, again with: {self.replay}"
        )


class Broken(Exception):
    """A promise is broken. `pointer` is the place of the fact, where it is not the subject's; `status` the one that was due."""

    def __init__(self, expected: str, observed: str, *, pointer: str | None = None, status: int | None = None) -> None:
        super().__init__(f"expected {expected}; observed {observed}")
        self.expected = expected
        self.observed = observed
        self.pointer = pointer
        self.status = status


class NotTested(Exception):
    """A promise could not be put to the test here; the message says why."""


class Withheld(Exception):
    """A limit of the target kept a call from being answered; `reply` is the refusal, where there was one.

    It is no NotTested: whoever can do without one thing that cannot be tested cannot do without an answer.
    """

    def __init__(self, why: str, reply: Any = None) -> None:
        super().__init__(why)
        self.reply = reply


class Unreachable(Exception):
    """The target cannot be judged: it does not answer, or it refuses the credentials."""
