"""The command `python -m bench.power`: the matrix of faults by promises, and what was missed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench.power.crew import each
from bench.power.judging import Judged, judge
from bench.power.stock import Bounds, look
from bench.seeds import numbers
from conformance.workers import available
from mock_server.faulty import Fault, catalogue


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nExamples:\n"
    "  python -m bench.power                         every fault, every promise, five seeds\n"
    "  python -m bench.power --meant --seeds 1       a minute: only the promise meant for each\n"
    "  python -m bench.power --only page-skips --stock --stock-examples 10\n"
    "\b\nExit status: 0 each fault is caught by the promise meant for it on every seed, 1 one is not.",
)
@click.option("--seeds", default="1,2,3,4,5", show_default=True, help="Seeds: numbers and ranges, with commas.")
@click.option("--only", multiple=True, metavar="FAULT|VENDOR", help="These alone; may be repeated.")
@click.option("--meant", is_flag=True, help="Ask the promise that is meant for a fault, and no other.")
@click.option("--workers", type=click.IntRange(1, 64), help="Processes side by side; as many as there are cores.")
@click.option("--stock", is_flag=True, help="Put each before the stock Schemathesis too, on the first seed.")
@click.option("--stock-examples", type=click.IntRange(1), help="The stock tool's examples for each operation; its own.")
@click.option(
    "--stock-seconds",
    type=click.IntRange(1),
    default=300,
    show_default=True,
    help="Seconds for a run of the stock tool.",
)
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write all of it down here.")
def main(
    seeds: str,
    only: tuple[str, ...],
    meant: bool,
    workers: int | None,
    stock: bool,
    stock_examples: int | None,
    stock_seconds: int,
    file: Path | None,
) -> None:
    """Serve every fault of the catalogue, hold it to the promises, and say who catches what."""
    chosen = numbers(seeds)
    faults = [fault for fault in catalogue().values() if not only or {fault.name, fault.vendor} & set(only)]
    if not faults:
        raise click.UsageError("no such fault; mockingbill serve --fault-catalogue list tells them.")
    bounds = Bounds(stock_examples, stock_seconds)
    columns = (TextColumn("{task.description:<32}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        judged = [*_judged(faults, chosen, meant, workers or available(), progress)]
        if stock:
            judged = [*_compared(judged, chosen[0], bounds, workers or available(), progress)]
    print_matrix(judged, chosen)
    if stock:
        print_stock(judged, chosen[0], bounds)
    if file is not None:
        file.write_text(json.dumps({"seeds": chosen, "faults": [one.as_json() for one in judged]}, indent=2) + "\n")
    sys.exit(0 if all(one.is_caught for one in judged) else 1)


def _judged(
    faults: Sequence[Fault], seeds: Sequence[int], meant: bool, workers: int, progress: Progress
) -> Iterator[Judged]:
    """Each fault on each seed, one server and one process for each."""
    task = progress.add_task("promises", total=len(faults) * len(seeds))
    verdicts = each(judge, [(fault.name, seed, meant) for fault in faults for seed in seeds], workers)
    for fault in faults:
        progress.update(task, description=fault.name)
        one = Judged(fault.name, fault.vendor, fault.kind, fault.promise)
        for seed in seeds:
            broken, stumbled = next(verdicts)
            one = replace(one, broken={**one.broken, seed: broken}, stumbled=(*one.stumbled, *stumbled))
            progress.advance(task)
        yield one


def _compared(
    judged: Sequence[Judged], seed: int, bounds: Bounds, workers: int, progress: Progress
) -> Iterator[Judged]:
    """The same with what the stock tool says of each beyond what it says of the right server, on the same seed."""
    vendors = sorted({one.vendor for one in judged})
    task = progress.add_task("stock Schemathesis", total=len(vendors) + len(judged))
    asked = [(None, vendor) for vendor in vendors] + [(one.fault, one.vendor) for one in judged]
    seen = each(look, [(fault, vendor, seed, bounds) for fault, vendor in asked], workers)
    right = {}
    for vendor in vendors:
        right[vendor] = next(seen)
        progress.advance(task)
    for one, found in zip(judged, seen, strict=True):
        progress.advance(task)
        beyond = found.complaints - right[one.vendor].complaints
        cut = not (found.finished and right[one.vendor].finished)
        yield replace(one, stock=tuple(sorted(beyond)), stock_cut=cut)


def print_matrix(judged: Sequence[Judged], seeds: Sequence[int]) -> None:
    """Faults by promises, then the sum of it."""
    names = sorted(
        {one.promise for one in judged} | {name for one in judged for some in one.broken.values() for name in some}
    )
    width = max(len(one.fault) for one in judged)
    for number, name in enumerate(names):
        click.echo(f"{' ' * width}  {'| ' * number}{name}")
    for one in judged:
        beside = "" if one.stock is None else "  stock too" if one.stock else "  stock not"
        click.echo(
            f"{one.fault:<{width}}  {' '.join(one.sign(name) for name in names)}  {one.vendor}, {one.kind}{beside}"
        )
        for line in one.stumbled:
            click.echo(f"{' ' * width}  stumbled: {line}")
    caught = sum(one.is_caught for one in judged)
    click.echo(
        "\nX caught by the promise meant for it, x by another, ~ by another on some seeds; ? on some seeds alone, ! missed."
    )
    click.echo(
        f"{caught} of {len(judged)} caught by the promise meant for them, on every seed of {', '.join(map(str, seeds))}."
    )


def print_stock(judged: Sequence[Judged], seed: int, bounds: Bounds) -> None:
    """How many the stock tool sees, and within which bounds."""
    seen, cut = sum(bool(one.stock) for one in judged), sum(one.stock_cut for one in judged)
    click.echo(f"The stock Schemathesis sees {seen} of them (seed {seed}; {bounds}):")
    click.echo("a check that fails for an operation, and does not with the right server on the same seed.")
    if cut:
        click.echo(
            f"{cut} of its runs, or those of the right server beside them, were cut for time: counted is what they had found."
        )


if __name__ == "__main__":
    main()
