"""The command that takes away what a check left in a sandbox that others use too."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from mock_server.cli.arguments import ONE, OTHER, documents
from mock_server.cli.options import TARGET_FILE
from mock_server.cli.stopping import stoppable


@click.command(
    short_help="Delete what checks left in a sandbox that others use too.",
    epilog="\b\nExamples:\n"
    f"  mockingbill sweep {OTHER} --target https://sandbox.example.com --dry-run\n"
    f"  mockingbill sweep {ONE} --target http://127.0.0.1:8080/{ONE} --include inferred\n"
    "\n\b\nExit status: 0 nothing that carries the mark is left, 1 something is, 2 could not tell.",
)
@click.argument("vendor", metavar="VENDOR|DOCUMENT")
@click.option(
    "--target",
    required=True,
    metavar="URL|MODULE:FACTORY",
    help="The implementation: its base URL, or an ASGI application's factory.",
)
@TARGET_FILE
@click.option("--include", type=click.Choice(["inferred"]), help="Use inferred operations too.")
@click.option("--dry-run", is_flag=True, help="Only say what would be deleted.")
@stoppable
def sweep(vendor: str, target: str, target_file: Path | None, include: str | None, dry_run: bool) -> None:
    """Delete the records that carry the mark of the suite, as the contract's own lists show them.

    A record carries it where a text of its own begins with mockingbill-. Nothing else is ever deleted. A check cleans up after itself; this is
    for what one could not delete, or for one that was stopped.
    """
    from conformance.sweep import sweep as run_sweep

    documents((vendor,))
    sys.exit(run_sweep(vendor, target, target_file, include_inferred=include is not None, dry_run=dry_run))
