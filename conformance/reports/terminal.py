"""What a run says on the terminal: findings as they are found, and in the end what was tested, what was not, and the verdict."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from conformance.reports.plain import coverage_rows, described, left_lines
from conformance.result import BREAKS, CONFORMS, VERDICTS, Result

_MANY = 20
_MARKS = {"broken": "red", "known": "cyan", "apart": "yellow"}


class Terminal(Console):
    """The terminal, or what stands in its place; when nobody reads any more (`| head`), the run goes on, for its reports and its verdict."""

    def __init__(self) -> None:
        super().__init__(highlight=False)

    def on_broken_pipe(self) -> None:
        """Say nothing any more."""
        with contextlib.suppress(SystemExit):
            super().on_broken_pipe()


def show_finding(console: Console, vendor: str, finding: Mapping[str, Any]) -> None:
    """One finding, as soon as it is found."""
    mark = "known" if "reason" in finding else "apart" if finding["apart"] else "broken"
    title = ((f"{mark:<8}", _MARKS[mark]), (f"{vendor} {finding['promise']} ", "bold"), finding["subject"])
    console.print(Text.assemble(*title))
    lines = list(described({**finding, "requests": finding["requests"][-3:]}))
    if "reason" in finding:
        lines.append(f"known     {finding['reason']}, until {finding['expires']}")
    for line in lines:
        console.print(Text(f"        {line}"), soft_wrap=True)


def summarise(console: Console, results: Sequence[Result], code: int) -> None:
    """What was tested, what was not and why, and the verdict."""
    for result in results:
        counted = Counter(outcome["status"] for outcome in result.outcomes)
        named = [
            f"{counted[status]} {status}"
            for status in ("kept", "broken", "known", "apart", "not tested")
            if counted[status]
        ]
        colour = {CONFORMS: "green", BREAKS: "red"}.get(result.code, "yellow")
        verdict = (VERDICTS[result.code], colour)
        console.print(
            Text.assemble((f"{result.vendor} ", "bold"), verdict, f": {', '.join(named) or 'nothing tested'}")
        )
        for row in coverage_rows(result.coverage):
            tested = f"{row.reached} of {row.reachable} tested, {row.failed} failed"
            more = f"; {row.barred} could not be reached" if row.barred else ""
            console.print(
                Text(f"  {row.kind:<11} {tested}{more}; index {row.index} %, score {row.score} %"), soft_wrap=True
            )
        for line in _untested(result):
            console.print(Text(f"  not tested  {line}"), soft_wrap=True)
        for stale in result.stale:
            console.print(Text(f"  stale       {stale}"), soft_wrap=True)
        for line in left_lines(result.left):
            console.print(Text(f"  left behind {line}"), soft_wrap=True)
        for doubt in result.doubts:
            console.print(Text(f"  in doubt    {doubt}"), soft_wrap=True)
        if not result.finished:
            console.print(Text(f"  stopped after {len(result.outcomes)} of {result.planned or '?'}"))
    console.print(Text(f"exit {code}: {VERDICTS[code]}"))


def _untested(result: Result) -> Iterator[str]:
    """What was not tested, and why; a reason that holds for many is told once, for the reports name them all."""
    groups: dict[str, list[str]] = {}
    for outcome in result.having("not tested"):
        groups.setdefault(outcome["reason"], []).append(f"{outcome['promise']} {outcome['subject']}")
    for reason, names in groups.items():
        if len(names) > _MANY:
            yield f"{len(names)} in all, such as {names[0]}: {reason}"
        else:
            yield from (f"{name}: {reason}" for name in names)
