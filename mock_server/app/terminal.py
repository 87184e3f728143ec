"""What a person sees in the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mock_server.app.index import describe
from mock_server.engine import Engine


def show_start(engines: Mapping[str, Engine], url: str) -> None:
    """The page at the start: where each vendor is, and who may call. Lines are never broken, so that they can be copied."""
    console = Console(highlight=False, soft_wrap=True)
    width = max((len(engine.contract.title) for engine in engines.values()), default=0) + 2
    console.print(f"\n[bold]mockingbill[/] is listening on [bold]{url}[/]\n")
    for engine in engines.values():
        found = describe(engine.contract, engine.fixtures)
        count = len(engine.contract.serves(inferred=engine.inferred))
        operations = "1 operation" if count == 1 else f"{count} operations"
        console.print(f"[bold]{escape(found['title'].ljust(width))}[/]{url}{found['base_path']}  [dim]{operations}[/]")
        for name, value in found["credentials"]["headers"].items():
            console.print(f"{' ' * width}[dim]{escape(name)}: {escape(value)}[/]")
    console.print(f"\n[dim]everything[/]  {url}/")
    console.print(f"[dim]reset[/]       curl -X POST {url}/_mock/reset")
    console.print("[dim]stop[/]        Ctrl-C\n")


def show_vendors(found: Sequence[Mapping[str, Any]]) -> None:
    """The vendors as a table."""
    console = Console(highlight=False)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("vendor", "documented", "published", "inferred", "header to send"):
        table.add_column(heading, overflow="fold")
    for entry in found:
        counts = [str(entry["operations"][level]) for level in ("documented", "published", "inferred")]
        header = next((f"{name}: {value}" for name, value in entry["credentials"]["headers"].items()), "none")
        table.add_row(f"[bold]{escape(entry['vendor'])}[/]", *counts, escape(header))
    console.print(table)
