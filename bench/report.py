"""Tables of what was found: in the terminal, and as Markdown in a document, between two marks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.results import Figure, Ratio, Row

BEGIN, END = "<!-- written by `make bench`: begin -->", "<!-- written by `make bench`: end -->"
VERDICT = {True: "yes", False: "no", None: ""}
COLUMNS = ("measure", "against", "by", "asked", "min", "median", "max", "reached")


def show(console: Console, row: Row) -> None:
    """A row's ratios in the terminal."""
    table = Table(title=escape(row.title), title_justify="left", box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in COLUMNS:
        table.add_column(column, justify="right" if column in ("min", "median", "max") else "left", overflow="fold")
    for ratio in row.ratios:
        style = {True: "green", False: "red", None: ""}[ratio.reached]
        table.add_row(*map(escape, _cells(ratio)), style=style)
    console.print(table)
    console.print()


def write(path: Path, written: str) -> None:
    """Put what was written into the document between the marks; a document without them, or none, gets it at its end."""
    text = path.read_text(encoding="utf-8") if path.exists() else "# Performance\n"
    if BEGIN not in text or END not in text:
        text = f"{text.rstrip()}\n\n{BEGIN}\n{END}\n"
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{before}{BEGIN}\n\n{written}\n{END}{after}", encoding="utf-8")


def markdown(rows: Sequence[Row]) -> str:
    """Every row: how it was measured, its ratios, and what they are made of."""
    return "\n".join(line for row in rows for line in _section(row))


def summary(rows: Sequence[Row]) -> str:
    """What was asked for and what was found, by requests a second or by time, in a line each; then where and when."""
    lines = ["| measure | against | asked | found | by CPU time |", "| --- | --- | --- | ---: | ---: |"]
    for row in rows:
        asked = [ratio for ratio in row.ratios if ratio.reach is not None]
        by_cpu = {(ratio.measure, ratio.against): ratio.median for ratio in asked if ratio.by == "CPU time"}
        seen = set()
        for ratio in asked:
            place = (ratio.measure, ratio.against)
            if place not in seen:
                found = f"{_times(ratio.median)}{'' if ratio.reached else ', missed'}"
                cpu = _times(by_cpu[place]) if place in by_cpu and ratio.by != "CPU time" else ""
                lines.append(f"| {ratio.measure} | {ratio.against} | {ratio.asked} | {found} | {cpu} |")
            seen.add(place)
    versions = {name: version for row in rows for name, version in row.versions.items()}
    told = ", ".join(f"{name} {version}" for name, version in versions.items())
    return "\n".join([*lines, "", f"{max(row.date for row in rows)}; {rows[0].machine}; {told}.", ""])


def _section(row: Row) -> Iterator[str]:
    versions = ", ".join(f"{name} {version}" for name, version in row.versions.items())
    settings = ", ".join(f"{name} {value}" for name, value in row.settings.items())
    yield f"## {row.title}"
    yield ""
    yield f"{row.how}"
    yield ""
    yield f"{row.date}, commit {row.commit}; {row.machine}; {settings}; {versions}."
    yield ""
    yield f"| {' | '.join(COLUMNS)} |"
    yield "| --- | --- | --- | --- | ---: | ---: | ---: | --- |"
    for ratio in row.ratios:
        yield f"| {' | '.join(_cells(ratio))} |"
    yield ""
    yield "<details><summary>What was measured: medians</summary>"
    yield ""
    yield from _figures(row.figures)
    yield ""
    yield "</details>"
    yield ""


def _figures(figures: Sequence[Figure]) -> Iterator[str]:
    """A line for each measurement of each server, its units side by side."""
    units = list(dict.fromkeys(figure.unit for figure in figures))
    values: dict[tuple[str, str], dict[str, float]] = {}
    for figure in figures:
        values.setdefault((figure.measure, figure.who), {})[figure.unit] = figure.median
    yield f"| measure | server | {' | '.join(units)} |"
    yield f"| --- | --- |{' ---: |' * len(units)}"
    for (measure, who), found in values.items():
        cells = " | ".join(_number(found[unit]) if unit in found else "" for unit in units)
        yield f"| {measure} | {who} | {cells} |"


def _cells(ratio: Ratio) -> tuple[str, ...]:
    summary = (min(ratio.values), ratio.median, max(ratio.values))
    return (ratio.measure, ratio.against, ratio.by, ratio.asked, *map(_times, summary), VERDICT[ratio.reached])


def _times(value: float) -> str:
    return f"{value:.2f}x" if value < 10 else f"{value:.1f}x"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
