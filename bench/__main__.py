"""The command `python -m bench`: every row in one go, or those that are named."""

from __future__ import annotations

import importlib
import os
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console

from bench import machine, peers, report
from bench.machine import ROOT, CannotMeasure
from bench.results import Row
from bench.settings import Settings

ROWS = {
    "small": "bench.rows.small",
    "subscriptionflow": "bench.rows.subscriptionflow",
    "filter": "bench.rows.filtering",
    "start": "bench.rows.start",
    "memory": "bench.rows.memory",
    "operations": "bench.rows.operations",
    "records": "bench.rows.records",
    "years": "bench.rows.years",
    "suite": "bench.rows.suite",
}
WITH_PEERS = {"small", "subscriptionflow", "filter", "start", "memory"}
UNUSABLE = 2


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nExamples:\n"
    "  python -m bench                        every row, as docs/performance.md has them\n"
    "  python -m bench small filter           two rows\n"
    "  python -m bench --quick --no-docs      whether everything works; its figures mean nothing\n"
    "\b\nExit status: 0 measured, whether or not what is asked for was reached; 2 something could not be measured.",
)
@click.argument("rows", nargs=-1, type=click.Choice(list(ROWS)))
@click.option("--rounds", default=5, show_default=True, type=click.IntRange(1), help="Interleaved rounds.")
@click.option(
    "--seconds",
    default=3.0,
    show_default=True,
    type=click.FloatRange(1),
    help="Seconds of each measurement under load.",
)
@click.option(
    "--warm",
    default=5.0,
    show_default=True,
    type=click.FloatRange(1),
    help="Seconds of load before each measurement, not counted.",
)
@click.option("--connections", default="1,16,64", show_default=True, help="Numbers of connections, with commas.")
@click.option(
    "--records", default=1_000_000, show_default=True, type=click.IntRange(1000), help="Records of the large world."
)
@click.option(
    "--scale",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0.001),
    help="What the request counts of `memory` are multiplied by.",
)
@click.option("--quick", is_flag=True, help="One round, one second, 64 connections, few records and requests.")
@click.option(
    "--reports",
    default=ROOT / "reports" / "bench",
    type=click.Path(path_type=Path),
    help="Folder of the JSON files, one a row.",
)
@click.option(
    "--docs/--no-docs", default=True, show_default=True, help="Write the tables into docs/performance.md and README.md."
)
def main(
    rows: tuple[str, ...], rounds: int, seconds: float, warm: float, connections: str, records: int, scale: float, quick: bool,
    reports: Path, docs: bool,
) -> None:  # fmt: skip
    """Measure the mock against its peers, on one core each for the server and the load, and print the ratios."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
    chosen = rows or tuple(ROWS)

    def say(text: str) -> None:
        console.print(f"[dim]{datetime.now(UTC):%H:%M:%S}[/] {text}")

    try:
        counts = tuple(sorted(int(count) for count in connections.split(",")))
        cores = peers.prepare(say, npm=bool(WITH_PEERS & set(chosen)))
    except ValueError:
        raise click.BadParameter(f"{connections!r} is no list of numbers.", param_hint="--connections") from None
    except CannotMeasure as error:
        click.echo(f"bench: {error}", err=True)
        sys.exit(UNUSABLE)
    settings = Settings(cores, say, rounds, seconds, warm, counts, records, scale)
    if quick:
        settings = Settings(cores, say, 1, 1.0, 1.0, (64,), 20_000, 0.05)
        reports = reports / "quick"
    found, failed = _measure(console, settings, chosen, reports)
    if docs and not quick:
        kept = [Row.read(path) for path in _kept(reports)]
        report.write(ROOT / "docs" / "performance.md", report.markdown(kept))
        report.write(ROOT / "README.md", report.summary(kept))
    for name, reason in failed.items():
        click.echo(f"bench: {name} could not be measured: {reason}", err=True)
    missed = sum(ratio.reached is False for row in found for ratio in row.ratios)
    say(f"{len(found)} rows measured, {missed} figures short of what is asked")
    sys.exit(UNUSABLE if failed else 0)


def _measure(
    console: Console, settings: Settings, chosen: tuple[str, ...], reports: Path
) -> tuple[list[Row], dict[str, str]]:  # fmt: skip
    """The rows that could be measured, each shown and kept at once, and why the others could not."""
    found: list[Row] = []
    failed: dict[str, str] = {}
    for name in chosen:
        begun = time.perf_counter()
        try:
            row: Row = importlib.import_module(ROWS[name]).measure(settings)
        except CannotMeasure as error:
            failed[name] = str(error)
            settings.say(f"{name} failed: {error}")
            continue
        row = _described(row, settings, name)
        row.write(reports)
        report.show(console, row)
        settings.say(f"{name}: {time.perf_counter() - begun:.0f} s")
        found.append(row)
    return found, failed


def _described(row: Row, settings: Settings, name: str) -> Row:
    """The row with what was measured, where and when."""
    versions = dict(machine.versions())
    if name in WITH_PEERS:
        versions |= {"Prism": peers.PRISM, "Mockoon": peers.MOCKOON}
    asked = {"rounds": settings.rounds, "seconds": settings.seconds, "seconds before": settings.warm}
    return replace(
        row,
        date=datetime.now(UTC).strftime("%Y-%m-%d"),
        commit=machine.commit(),
        settings=asked,
        machine=f"{machine.processor()}, {os.cpu_count()} cores, server on core {settings.cores.server}, load on core {settings.cores.load}",
        versions=versions,
    )


def _kept(reports: Path) -> list[Path]:
    """The files of all rows measured so far, in the order of the table."""
    return [path for name in ROWS if (path := reports / f"{name}.json").exists()]


if __name__ == "__main__":
    main()
