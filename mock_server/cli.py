"""The command `mockingbill`: options only; each command calls one function."""

from __future__ import annotations

import contextlib
import gc
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Literal, NoReturn

import click

from mock_server.clock import parsed
from mock_server.contract import ContractError, load, load_fixtures
from mock_server.contract import vendors as vendor_names

UNUSABLE = 2
_ONE, _OTHER = (*vendor_names(), "VENDOR", "VENDOR")[:2]
"""Vendors for the examples in the help."""


class _Moment(click.ParamType[datetime]):
    """An ISO 8601 moment; without a zone, UTC."""

    name = "moment"

    def convert(
        self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:  # fmt: skip
        """The moment, or a usage error."""
        if isinstance(value, datetime):
            return value
        try:
            return parsed(value)
        except ValueError:
            self.fail(f"{value!r} is no ISO 8601 moment, such as 2026-01-01T00:00:00Z.", param, ctx)


def stop(message: str, code: int = UNUSABLE) -> NoReturn:
    """One clear line on standard error, and the end."""
    click.echo(f"mockingbill: {message}", err=True)
    sys.exit(code)


def known_vendors(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names, or all; ends the command for one that has no document."""
    for name in names:
        if name not in vendor_names():
            stop(f"there is no vendor {name!r}; there are {', '.join(vendor_names())}.")
    return names or vendor_names()


def documents(names: tuple[str, ...]) -> tuple[str, ...]:
    """Like `known_vendors`, where the path of a document may stand for a name."""
    known_vendors(tuple(name for name in names if not Path(name).is_file()))
    return names or vendor_names()


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=f"\b\nStart with:\n  mockingbill serve\n  mockingbill check {_ONE} --target http://127.0.0.1:8080/{_ONE}",
)
@click.version_option(package_name="mockingbill", prog_name="mockingbill")
def main() -> None:
    """A sandbox and conformance suite for subscription and billing APIs."""


@main.command(
    short_help="Serve the sandbox: every vendor, or those named.",
    epilog="\b\nExamples:\n"
    "  mockingbill serve                       all vendors on 127.0.0.1:8080\n"
    f"  {f'mockingbill serve {_ONE} --port 9000':<40}one vendor\n"
    "  mockingbill serve --freeze 2026-01-01T00:00:00Z --seed 7\n"
    "                                          the same answers on every run",
)
@click.argument("vendors", nargs=-1, metavar="[VENDOR]...")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one."
)  # fmt: skip
@click.option("--seed", default=0, show_default=True, help="Another seed mints other ids.")
@click.option("--freeze", type=_Moment(), metavar="MOMENT", help="Stop every world's clock at this moment.")
@click.option("--include", type=click.Choice(["inferred"]), help="Serve inferred operations too.")
@click.option("--open-control", is_flag=True, help="Let other hosts use the control API under /_mock.")
@click.option(
    "--webhook-host",
    "webhook_hosts",
    multiple=True,
    metavar="HOST",
    help="Let webhooks go to this host too; may be repeated.",
)
@click.option("-v", "--verbose", is_flag=True, help="Log each request's method, path and status.")
def serve(
    vendors: tuple[str, ...], host: str, port: int, seed: int, freeze: datetime | None, include: str | None,
    open_control: bool, webhook_hosts: tuple[str, ...], verbose: bool,
) -> None:  # fmt: skip
    """Serve the sandbox: every vendor, or those named, each under its own name."""
    names = known_vendors(vendors)
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
            inferred=include is not None,
            open_control=open_control,
            webhook_hosts=webhook_hosts,
            verbose=verbose,
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
    epilog=f"\b\nExamples:\n  mockingbill lint\n  mockingbill lint {_ONE} openapi/{_OTHER}.yaml",
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


@main.command(
    epilog="\b\nExamples:\n"
    f"  mockingbill check {_ONE} --target http://127.0.0.1:8080/{_ONE}\n"
    f"  mockingbill check {_ONE} {_OTHER} --target http://127.0.0.1:8080 --profile smoke\n"
    f"  mockingbill check {_ONE} --target myserver:create_app --target-file target.yaml\n"
    "\n\b\nExit status: 0 conforms, 1 does not, 2 could not tell."
)
@click.argument("vendors", nargs=-1, required=True, metavar="VENDOR|DOCUMENT...")
@click.option(
    "--target",
    required=True,
    metavar="URL|MODULE:FACTORY",
    help="The implementation: its base URL, or an ASGI application's factory.",
)
@click.option(
    "--profile",
    type=click.Choice(["smoke", "default", "deep"]),
    default="default",
    show_default=True,
    help="How much to generate.",
)
@click.option("--seed", default=1, show_default=True, help="The same seed sends the same requests.")
@click.option("--include", type=click.Choice(["inferred"]), help="Hold it to inferred operations too.")
@click.option(
    "--target-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Credentials and known records, as YAML.",
)
@click.option(
    "--control",
    default="",
    metavar="URL|/PATH",
    help="Where its clock is moved and its webhooks are read; ours is found.",
)
@click.option(
    "--report-dir", type=click.Path(file_okay=False, path_type=Path), help="Write JUnit and JSON reports here."
)
@click.option("--workers", type=click.IntRange(1, 64), help="Processes at once.  [default: as many as there are cores]")
def check(
    vendors: tuple[str, ...], target: str, profile: Literal["smoke", "default", "deep"], seed: int, include: str | None, target_file: Path | None,
    control: str, report_dir: Path | None, workers: int | None,
) -> None:  # fmt: skip
    """Hold an implementation to the contracts of one or more vendors."""
    from conformance.check import check as run_check

    code = run_check(
        documents(vendors),
        target,
        profile=profile,
        seed=seed,
        include_inferred=include is not None,
        report_dir=report_dir,
        target_file=target_file,
        workers=workers,
        control=control,
    )
    sys.exit(code)
