"""What came of the tests of one process, or of several: what a verdict rests on."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Account:
    """What came of a process's tests: plain data, for one process may have to tell another. `fatal` is why nothing could be judged at all.

    `excused` are the operations that cannot be put to the test, and why; `judged` is how many of the tests could be;
    `left` is what was made and could not be deleted again.
    """

    planned: tuple[str, ...] = ()
    tested: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    fatal: str = ""
    whole: bool = True
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)
    base_url: str = ""
    excused: Mapping[str, str] = field(default_factory=dict)
    judged: int = 0
    left: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The account in lists and dictionaries."""
        return json.loads(json.dumps(asdict(self)))  # type: ignore[no-any-return]


def joined(accounts: Sequence[Account]) -> Account:
    """What came of it in several processes, of which each has planned the same and done its share."""
    counts: dict[str, Counter[str]] = {}
    fields: dict[str, set[str]] = {}
    for account in accounts:
        for operation, found in account.counts.items():
            counts.setdefault(operation, Counter()).update(found)
        for operation, names in account.fields.items():
            fields.setdefault(operation, set()).update(names)
    return Account(
        tuple(dict.fromkeys(name for account in accounts for name in account.planned)),
        tuple(dict.fromkeys(name for account in accounts for name in account.tested)),
        tuple(dict.fromkeys(doubt for account in accounts for doubt in account.doubts)),
        next((account.fatal for account in accounts if account.fatal), ""),
        all(account.whole for account in accounts),
        {name: dict(found) for name, found in sorted(counts.items())},
        {name: sorted(found) for name, found in sorted(fields.items())},
        next((account.base_url for account in accounts if account.base_url), ""),
        {name: why for account in accounts for name, why in account.excused.items()},
        sum(account.judged for account in accounts),
        tuple(left for account in accounts for left in account.left),
    )
