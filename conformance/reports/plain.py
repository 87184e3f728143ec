"""What several formats say in the same words: a finding line by line, coverage row by row, and what was left behind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from conformance.cleaning import Left
from conformance.coverage import KINDS


@dataclass(frozen=True)
class Row:
    """The coverage of one kind of thing."""

    kind: str
    stated: int
    reachable: int
    reached: int
    failed: int
    missed: int
    barred: int
    index: float
    score: float


def coverage_rows(coverage: Mapping[str, Any]) -> list[Row]:
    """The coverage of a vendor; nothing where the run came to none."""
    return [
        Row(
            kind,
            counted["stated"],
            counted["stated"] - counted["barred"],
            counted["kept"] + counted["failed"],
            counted["failed"],
            counted["missed"],
            counted["barred"],
            counted["index"],
            counted["score"],
        )
        for kind in KINDS
        if (counted := coverage.get(kind))
    ]


def described(finding: Mapping[str, Any]) -> Iterator[str]:
    """A finding, line by line: what was promised and where, what was seen, how to see it again."""
    yield finding["sentence"]
    yield f"stated    {finding['provenance']}, {finding['place']} {finding['pointer']}"
    yield f"expected  {finding['expected']}"
    yield f"observed  {finding['observed']}"
    for other in finding.get("also", ()):
        yield f"also      {other}"
    for line, same in groupby(finding["requests"]):
        times = len(list(same))
        yield f"request   {line}{f'  ({times} times)' if times > 1 else ''}"
    yield f"seed      {finding['seed']}"
    yield f"again     {finding['replay']}"
    if finding.get("reproducer"):
        yield f"alone     {finding['reproducer']}"


def left_lines(left: Iterable[Mapping[str, Any]]) -> list[str]:
    """What the run made and could not delete, a line for each resource and reason."""
    return [str(Left(group["resource"], tuple(group["keys"]), group["why"])) for group in left]
