"""The command that says what an implementation is held to: promises."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from mock_server.cli.arguments import stop

_WRITTEN = "<!-- Written by `mockingbill promises"
"""Begins what a page says of itself."""


@click.command(
    short_help="List the promises, or write their pages.",
    epilog="\b\nExamples:\n  mockingbill promises\n  mockingbill promises --write docs/promises",
)
@click.option(
    "--write",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Write a page for each promise and an index, as Markdown; pages there of promises that are none go.",
)
def promises(write: Path | None) -> None:
    """List what an implementation is held to, with the facts that each promise rests on."""
    from conformance.pages import Wrong, pages, rows

    if write:
        from mock_server.faulty import catalogue

        faults: dict[str, list[Wrong]] = {}
        for fault in catalogue().values():
            faults.setdefault(fault.promise, []).append(Wrong(fault.name, fault.vendor, fault.sentence))
        try:
            _write(write, pages(faults))
        except (OSError, UnicodeDecodeError) as error:
            stop(f"the pages cannot be written to {write}: {error}")
    else:
        for name, sentence in rows():
            click.echo(f"{name}\n    {sentence}")


def _write(folder: Path, pages: Mapping[str, str]) -> None:
    """Write pages into a folder; of what stands there, what was written before and is no page any more goes."""
    folder.mkdir(parents=True, exist_ok=True)
    for stale in {file for file in folder.glob("*.md") if file.name not in pages}:
        if _WRITTEN in stale.read_text(encoding="utf-8"):
            stale.unlink()
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")
