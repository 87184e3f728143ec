"""What follows a run: known findings are set aside, the rest is tried again, coverage is counted, and reports are written."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from conformance import baseline, reproducers
from conformance.baseline import Known
from conformance.coverage import coverage
from conformance.exchange import Mask, secret_names
from conformance.reports import FORMATS, markdown, write
from conformance.reports.places import ready
from conformance.result import Result
from conformance.scope import Scope
from conformance.settings import Settings
from conformance.target import describe, secrets_of

PLAIN = ("json", "junit")
_MOST = 20
"""How many findings of a vendor are sent again: one that breaks everywhere need not be shown everywhere."""

_GONE = "no reproducer: with what is there by now, its calls alone do not bring it back; the line above does"


def _written(console: Console, write_it: Callable[[], str]) -> bool:
    """Write something and say where it is, or why it could not be written; whether it could."""
    try:
        line = write_it()
    except OSError as error:
        console.print(Text(f"cannot write {error.filename or 'a report'}: {error.strerror or error}"), soft_wrap=True)
        return False
    if line:
        console.print(Text(line), soft_wrap=True)
    return True


def _summarise(file: Path, told: Mapping[str, Any]) -> str:
    with file.open("a", encoding="utf-8", errors="backslashreplace") as stream:
        stream.write(markdown.text(told))
    return ""


@dataclass(frozen=True)
class Aftermath:
    """What is known beforehand (`baseline`), and what is to be written in the end."""

    report_dir: Path | None = None
    formats: tuple[str, ...] = ()
    baseline: Path | None = None
    write_baseline: Path | None = None
    reproducers: Path | None = None
    today: date | None = None

    def known(self) -> list[Known]:
        """The entries of the baseline. Raises BadTarget."""
        return baseline.read(self.baseline) if self.baseline else []

    def settle(
        self, settings: Settings, scope: Scope, result: Result, known: Sequence[Known], *, again: bool = True
    ) -> None:
        """Set aside what is known, see which findings come back, write reproducers, count coverage."""
        result.document = settings.vendor
        baseline.apply(known, result, self.day())
        result.coverage = coverage(scope, result.outcomes, result.counts, result.fields)
        if self.reproducers and again:
            self._reproduce(self.reproducers, settings, scope, result)

    def prepare(self) -> None:
        """See that what is to be written can be. Raises BadTarget."""
        if formats := self._formats():
            ready(self._folder(), (FORMATS[name][0] for name in formats))
        if self.write_baseline:
            ready(self.write_baseline.parent, (self.write_baseline.name,))
        if self.reproducers:
            ready(self.reproducers)

    def tell(self, console: Console, results: Sequence[Result], told: Mapping[str, Any]) -> bool:
        """Write what is asked for, and say where it is; whether all of it could be written."""
        asked = [
            _written(console, functools.partial(self._write_baseline, results)),
            _written(console, functools.partial(self._write_reports, told)),
        ]
        if summary := os.environ.get("GITHUB_STEP_SUMMARY"):  # nobody asked for it, so nothing hangs on it
            _written(console, functools.partial(_summarise, Path(summary), told))
        return all(asked)

    def _write_baseline(self, results: Sequence[Result]) -> str:
        if not self.write_baseline:
            return ""
        self.write_baseline.write_text(baseline.show(results, self.day()), encoding="utf-8")
        return f"known findings are in {self.write_baseline}"

    def _write_reports(self, told: Mapping[str, Any]) -> str:
        written = write(self._folder(), told, formats) if (formats := self._formats()) else []
        return f"reports: {', '.join(map(str, written))}" if self.formats else ""

    def _formats(self) -> tuple[str, ...]:
        return self.formats or (PLAIN if self.report_dir else ())

    def _folder(self) -> Path:
        return self.report_dir or Path("reports")

    def day(self) -> date:
        """The day by which known findings are judged."""
        return self.today or datetime.now(UTC).date()

    def _reproduce(self, folder: Path, settings: Settings, scope: Scope, result: Result) -> None:
        target = describe(scope.contract, settings.target, settings.world, settings.target_file, settings.control)
        mask = Mask(secrets_of(target), secret_names(scope.contract.document))
        for number, finding in enumerate(result.findings()):
            back = None
            if number < _MOST and not result.gone:
                back = reproducers.comes_back(finding, result.base_url, settings.target, mask)
            if back is False:
                result.reproduced[finding["id"]] = _GONE
                continue
            path = reproducers.write(folder, result.vendor, finding, result.base_url or settings.target)
            result.reproduced[finding["id"]] = f"pytest {path}"
