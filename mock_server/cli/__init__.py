"""The command `mockingbill`: options only; each command calls one function."""

from __future__ import annotations

import contextlib
import gc
import json
import sys
from datetime import datetime
from pathlib import Path

import click

from mock_server.cli.arguments import ONE, OTHER, Moment, documents, known_vendors, stop
from mock_server.cli.comparing import matrix
from mock_server.cli.faults import one_fault, show_faults
from mock_server.cli.judging import check, replay
from mock_server.cli.promising import promises
from mock_server.cli.stopping import Commands
from mock_server.cli.sweeping import sweep
from mock_server.contract import ContractError, load, load_fixtures
from mock_server.contract import vendors as vendor_names


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=f"\b\nStart with:\n  mockingbill serve\n  mockingbill check {ONE} --target http://127.0.0.1:8080/{ONE}",
)
@click.version_option(package_name="mockingbill", prog_name="mockingbill")
def main() -> None:
    """A sandbox and conformance suite for subscription and billing APIs."""


@main.command(
    short_help="Serve the sandbox: every vendor, or those named.",
    epilog="\b\nExamples:\n"
    "  mockingbill serve                       all vendors on 127.0.0.1:8080\n"
    f"  {f'mockingbill serve {ONE} --port 9000':<40}one vendor\n"
    "  mockingbill serve --freeze 2026-01-01T00:00:00Z --seed 7\n"
    "                                          the same answers on every run\n"
    "  mockingbill serve --fault-catalogue list\n"
    "                                          servers that are wrong in one way, to see what check says of them",
)
@click.argument("vendors", nargs=-1, metavar="[VENDOR]...")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one."
)  # fmt: skip
@click.option("--seed", default=0, show_default=True, help="Another seed mints other ids.")
@click.option("--freeze", type=Moment(), metavar="MOMENT", help="Stop every world's clock at this moment.")
@click.option("--include", type=click.Choice(["inferred"]), help="Serve inferred operations too.")
@click.option("--open-control", is_flag=True, help="Let other hosts use the control API under /_mock.")
@click.option(
    "--webhook-host",
    "webhook_hosts",
    multiple=True,
    metavar="HOST",
    help="Let webhooks go to this host too; may be repeated.",
)
@click.option(
    "--fault-catalogue",
    "fault",
    metavar="NAME|list",
    help="Be wrong in one way, by its name in the catalogue; `list` tells them all. Inferred operations are served then.",
)
@click.option("-v", "--verbose", is_flag=True, help="Log each request's method, path and status.")
def serve(
    vendors: tuple[str, ...], host: str, port: int, seed: int, freeze: datetime | None, include: str | None,
    open_control: bool, webhook_hosts: tuple[str, ...], fault: str | None, verbose: bool,
) -> None:  # fmt: skip
    """Serve the sandbox: every vendor, or those named, each under its own name."""
    names = known_vendors(vendors)
    if fault == "list":
        show_faults(names)
        return
    wrong = one_fault(fault, vendors) if fault is not None else None
    if wrong is not None:
        names = (wrong.vendor,) if not vendors else names
    gc.disable()  # nothing that is imported becomes garbage
    from mock_server.app.serving import CannotListen, run

    gc.enable()
    try:
        run(
            names,
            host=host,
            port=port,
            seed=seed,
            frozen=freeze,
            inferred=include is not None or wrong is not None,
            open_control=open_control,
            webhook_hosts=webhook_hosts,
            verbose=verbose,
            changed=wrong.installed if wrong is not None else None,
        )
    except (ContractError, CannotListen) as error:
        stop(str(error))


@main.command(
    "vendors", short_help="List the vendors.", epilog="\b\nExample:\n  mockingbill vendors --json | python -m json.tool"
)
@click.option("--json", "as_json", is_flag=True, help="As a JSON list, with credentials and known ids.")
def list_vendors(as_json: bool) -> None:
    """List the vendors: their operations, sandbox credentials, and ids that exist."""
    from mock_server.app.index import describe
    from mock_server.app.terminal import show_vendors

    try:
        contracts = [load(name) for name in vendor_names()]
        found = [describe(contract, load_fixtures(contract)) for contract in contracts]
    except ContractError as error:
        stop(str(error))
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        show_vendors(found)


@main.command(
    short_help="Hold documents and fixtures to the rules.",
    epilog=f"\b\nExamples:\n  mockingbill lint\n  mockingbill lint {ONE} openapi/{OTHER}.yaml",
)
@click.argument("vendors", nargs=-1, metavar="[VENDOR|DOCUMENT]...")
@click.option("-v", "--verbose", is_flag=True, help="Say which operations are not compiled, and why.")
def lint(vendors: tuple[str, ...], verbose: bool) -> None:
    """Hold documents and fixtures to the rules of openapi/README.md.

    Each finding is a line: file:line, JSON pointer, rule, message. Exit status 0 where there is none, 1 where there is any.
    """
    from mock_server.lint import lint as findings_of
    from mock_server.lint.serving import serving

    count = slow = 0
    names = documents(vendors)
    for name in names:
        document = Path(name) if Path(name).is_file() else name
        for finding in findings_of(document):
            count += 1
            click.echo(finding)
        with contextlib.suppress(ContractError):  # said by a finding
            found = serving(document)
            slow += len(found.fallbacks)
            if verbose:
                click.echo(found)
    if slow and not verbose:
        click.echo(f"{slow} operations are not compiled; lint -v says why.", err=True)
    click.echo(f"{len(names)} documents, {count} findings", err=True)
    sys.exit(1 if count else 0)


for command in (check, matrix, replay, sweep, promises):
    main.add_command(command)
