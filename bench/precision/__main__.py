"""The command `python -m bench.precision`: right servers by seeds, and everything that is said against one of them."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from bench.power.crew import each
from bench.precision.judging import LAYERS, Judged
from bench.precision.mock import grid
from bench.precision.tasks import Task, do, miniatures
from bench.seeds import numbers
from conformance.settings import Profile
from mock_server.contract import vendors


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nExamples:\n"
    "  python -m bench.precision                            every server, twenty seeds: an hour and a half on two cores\n"
    "  python -m bench.precision --only flask --seeds 1-3   the servers that have this word in their names\n"
    "  python -m bench.precision --profile smoke --seeds 1  some minutes\n"
    "\b\nExit status: 0 nothing was said against any of them, 1 something was.",
)
@click.option("--seeds", default="1-20", show_default=True, help="Seeds: numbers and ranges, with commas.")
@click.option("--only", multiple=True, metavar="WORD", help="Servers with this word in their name; may be repeated.")
@click.option("--profile", type=click.Choice(["smoke", "default", "deep"]), default="default", show_default=True)
@click.option("--workers", type=click.IntRange(1, 64), default=os.cpu_count() or 1, help="Processes at once.")
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write all of it down here.")
def main(seeds: str, only: tuple[str, ...], profile: Profile, workers: int, file: Path | None) -> None:
    """Hold right servers to their contracts: the miniatures, each written otherwise, and our own mock with every option.

    Every layer for the miniatures and for the mock as it starts; its other options have the promises, on the first seed.
    """
    tasks = [
        task for task in _tasks(numbers(seeds), profile) if not only or any(word in task[0].split() for word in only)
    ]
    if not tasks:
        raise click.UsageError("no server has such a word in its name.")
    judged = sorted(_judged(tasks, workers), key=lambda one: (one.server, one.seed))
    print_table(judged)
    if file is not None:
        file.write_text(json.dumps([one.as_json() for one in judged], indent=2) + "\n")
    sys.exit(0 if all(one.is_silent for one in judged) else 1)


def _tasks(seeds: Sequence[int], profile: Profile) -> Iterator[Task]:
    plain = [f"{vendor} {option}" for vendor, option in grid(vendors()) if option == "plain"]
    yield from ((name, seed, profile, LAYERS) for name in (*miniatures(), *plain) for seed in seeds)
    others = [f"{vendor} {option}" for vendor, option in grid(vendors()) if option != "plain"]
    yield from ((name, seeds[0], profile, ("promises",)) for name in others)


def _judged(tasks: Sequence[Task], workers: int) -> Iterable[Judged]:
    columns = (TextColumn("{task.description:<40}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        shown = progress.add_task("", total=len(tasks))
        for one in each(do, [(task,) for task in tasks], workers):
            progress.update(shown, advance=1, description=f"{one.server}, seed {one.seed}")
            for line in (*one.findings, *one.doubts, *one.unexpected):
                progress.console.print(f"{one.server}, seed {one.seed}: {line}", soft_wrap=True, highlight=False)
            yield one


def print_table(judged: Sequence[Judged]) -> None:
    """Servers by seeds: the calls that were made, and what was said."""
    table = Table("server", "seeds", "calls", "CPU s", "findings", "doubts", "not tested", "with no true reason")
    for name in dict.fromkeys(one.server for one in judged):
        ours = [one for one in judged if one.server == name]
        counted: Counter[str] = Counter()
        for one in ours:
            counted.update(calls=sum(one.calls.values()), findings=len(one.findings), doubts=len(one.doubts))
            counted.update(untested=len(one.untested), unexpected=len(one.unexpected))
        columns = (counted[key] for key in ("findings", "doubts", "untested", "unexpected"))
        seconds = f"{sum(one.seconds for one in ours):.0f}"
        table.add_row(name, str(len(ours)), str(counted["calls"]), seconds, *map(str, columns))
    Console(width=140).print(table)
    silent = sum(one.is_silent for one in judged)
    click.echo(f"{silent} of {len(judged)} runs silent, {sum(sum(one.calls.values()) for one in judged)} calls.")


if __name__ == "__main__":
    main()
