"""The command `python -m bench.power`: the matrix of faults by promises, and what was missed."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench.power.judging import Judged, judge, stock_finds
from conformance.promise import Promise, all_promises
from mock_server.faulty import Fault, catalogue


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nExamples:\n"
    "  python -m bench.power                         every fault, every promise, five seeds\n"
    "  python -m bench.power --meant --seeds 1       a minute: only the promise meant for each\n"
    "  python -m bench.power --only page-skips --stock\n"
    "\b\nExit status: 0 each fault is caught by the promise meant for it on every seed, 1 one is not.",
)
@click.option("--seeds", default="1,2,3,4,5", show_default=True, help="Seeds, with commas.")
@click.option("--only", multiple=True, metavar="FAULT|VENDOR", help="These alone; may be repeated.")
@click.option("--meant", is_flag=True, help="Ask the promise that is meant for a fault, and no other.")
@click.option("--stock", is_flag=True, help="Put each before the stock Schemathesis too: minutes for each.")
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write all of it down here.")
def main(seeds: str, only: tuple[str, ...], meant: bool, stock: bool, file: Path | None) -> None:
    """Serve every fault of the catalogue, hold it to the promises, and say who catches what."""
    try:
        numbers = [int(seed) for seed in seeds.split(",")]
    except ValueError:
        raise click.UsageError(f"{seeds!r} is no list of seeds, such as 1,2,3.") from None
    faults = [fault for fault in catalogue().values() if not only or {fault.name, fault.vendor} & set(only)]
    if not faults:
        raise click.UsageError("no such fault; mockingbill serve --fault-catalogue list tells them.")
    console = Console(stderr=True)
    judged = [*_judged(faults, numbers, meant, stock, console)]
    print_matrix(judged, numbers)
    if file is not None:
        file.write_text(json.dumps({"seeds": numbers, "faults": [one.as_json() for one in judged]}, indent=2) + "\n")
    sys.exit(0 if all(one.is_caught for one in judged) else 1)


def _judged(faults: Sequence[Fault], seeds: Sequence[int], meant: bool, stock: bool, console: Console) -> list[Judged]:
    promises = all_promises()
    found = []
    columns = (TextColumn("{task.description:<32}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=len(faults) * len(seeds))
        for fault in faults:
            progress.update(task, description=fault.name)
            one = Judged(fault.name, fault.vendor, fault.kind, fault.promise)
            asked: Sequence[Promise] = [p for p in promises if p.name == fault.promise] if meant else promises
            for seed in seeds:
                broken, stumbled = judge(fault, asked, seed)
                one = replace(one, broken={**one.broken, seed: broken}, stumbled=(*one.stumbled, *stumbled))
                progress.advance(task)
            found.append(replace(one, stock=stock_finds(fault, seeds[0])) if stock else one)
    return found


def print_matrix(judged: Sequence[Judged], seeds: Sequence[int]) -> None:
    """Faults by promises, then the sum of it."""
    names = sorted(
        {one.promise for one in judged} | {name for one in judged for some in one.broken.values() for name in some}
    )
    width = max(len(one.fault) for one in judged)
    for number, name in enumerate(names):
        click.echo(f"{' ' * width}  {'| ' * number}{name}")
    for one in judged:
        beside = {None: "", True: "  stock too", False: "  stock not"}[one.stock]
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
    if any(one.stock is not None for one in judged):
        click.echo(f"The stock Schemathesis sees {sum(one.stock is True for one in judged)} of them.")


if __name__ == "__main__":
    main()
