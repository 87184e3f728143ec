"""The reports of a run, one module for each format. All are made from one record, plain data, in which no secret stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from conformance.reports import badge, har, jsonl, junit, markdown
from conformance.reports.html import text as html_text
from conformance.reports.record import Record, record
from conformance.reports.record import text as json_text

__all__ = ["FORMATS", "Record", "record", "write"]

FORMATS: Mapping[str, tuple[str, Callable[[Record], str]]] = {
    "json": ("report.json", json_text),
    "junit": ("junit.xml", junit.text),
    "jsonl": ("report.jsonl", jsonl.text),
    "html": ("report.html", html_text),
    "har": ("report.har", har.text),
    "markdown": ("report.md", markdown.text),
    "badge": ("badge.svg", badge.text),
}
"""Each format's file, and what makes its text of the record."""


def write(folder: Path, told: Mapping[str, Any], formats: Sequence[str]) -> list[Path]:
    """Write the reports into a folder, which is made where it is missing, and say where they are."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in dict.fromkeys(formats):
        file, text = FORMATS[name]
        (folder / file).write_text(text(told), encoding="utf-8", errors="backslashreplace")
        written.append(folder / file)
    return written
