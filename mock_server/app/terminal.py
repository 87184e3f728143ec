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
    """The page at the start: where each vendor is, and who may call."""
    console = Console(highlight=False)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("vendor", "base URL", "operations", "header to send"):
        table.add_column(heading, overflow="fold")
    for engine in engines.values():
        found = describe(engine.contract, engine.fixtures)
        count = len(engine.contract.serves(inferred=engine.inferred))
        header = next((f"{name}: {value}" for name, value in found["credentials"]["headers"].items()), "none")
        table.add_row(f"[bold]{escape(found['title'])}[/]", f"{url}{found['base_path']}", str(count), escape(header))
    console.print(f"\n[bold]mockingbill[/] is listening on [bold]{url}[/]\n")
    console.print(table)
    console.print(
        f"\n[dim]everything[/]  {url}/\n[dim]reset[/]       curl -X POST {url}/_mock/reset\n[dim]stop[/]        Ctrl-C\n"
    )


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
