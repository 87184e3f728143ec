"""What a person sees in the terminal."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import click

from mock_server.app.index import describe
from mock_server.engine import Engine


def show_start(engines: Mapping[str, Engine], url: str) -> None:
    """The page at the start: where each vendor is, and who may call. Lines are never broken, so that they can be copied."""
    width = max((len(engine.contract.title) for engine in engines.values()), default=0) + 2
    lines = ["", f"{_bold('mockingbill')} is listening on {_bold(url)}", ""]
    for engine in engines.values():
        found = describe(engine.contract, engine.fixtures)
        count = len(engine.contract.serves(inferred=engine.inferred))
        operations = "1 operation" if count == 1 else f"{count} operations"
        lines.append(f"{_bold(found['title'].ljust(width))}{url}{found['base_path']}  {_dim(operations)}")
        lines += [f"{' ' * width}{_dim(f'{name}: {value}')}" for name, value in found["credentials"]["headers"].items()]
    lines += [
        "",
        f"{_dim('everything')}  {url}/",
        f"{_dim('reset')}       curl -X POST {url}/_mock/reset",
        f"{_dim('stop')}        Ctrl-C",
        "",
    ]
    click.echo("\n".join(lines), color=False if os.environ.get("NO_COLOR") else None)


def _bold(text: str) -> str:
    return click.style(text, bold=True)


def _dim(text: str) -> str:
    return click.style(text, dim=True)


def show_vendors(found: Sequence[Mapping[str, Any]]) -> None:
    """The vendors as a table."""
    # Imported here: a server does not wait for it.
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(highlight=False)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("vendor", "documented", "published", "inferred", "header to send"):
        table.add_column(heading, overflow="fold")
    for entry in found:
        counts = [str(entry["operations"][level]) for level in ("documented", "published", "inferred")]
        header = next((f"{name}: {value}" for name, value in entry["credentials"]["headers"].items()), "none")
        table.add_row(f"[bold]{escape(entry['vendor'])}[/]", *counts, escape(header))
    console.print(table)
