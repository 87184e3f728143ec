"""The commands that judge one implementation: check, and replay of what a check found."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from mock_server.cli.arguments import ONE, OTHER, documents
from mock_server.cli.options import (
    CONTROL,
    FILE,
    FOLDER,
    INCLUDE,
    NEW_FILE,
    PROFILE,
    SEED,
    TARGET_FILE,
    WORKERS,
    limited,
)
from mock_server.cli.stopping import stoppable

if TYPE_CHECKING:
    from conformance.limits import Limits

_FORMATS = ("json", "junit", "jsonl", "html", "har", "markdown", "badge")


@click.command(
    short_help="Hold an implementation to the contracts of one or more vendors.",
    epilog="\b\nExamples:\n"
    f"  mockingbill check {ONE} --target http://127.0.0.1:8080/{ONE}\n"
    f"  mockingbill check {ONE} {OTHER} --target http://127.0.0.1:8080 --profile smoke\n"
    f"  mockingbill check {ONE} --target myserver:create_app --target-file target.yaml\n"
    f"  mockingbill check {ONE} --target myserver:create_app --report html --report junit --reproducers again\n"
    f"  mockingbill check {ONE} --target myserver:create_app --baseline known.yaml\n"
    "\n\b\nExit status: 0 conforms, 1 does not, 2 could not tell, 130 stopped.",
)
@click.argument("vendors", nargs=-1, required=True, metavar="VENDOR|DOCUMENT...")
@click.option(
    "--target",
    required=True,
    metavar="URL|MODULE:FACTORY",
    help="The implementation: its base URL, or an ASGI application's factory.",
)
@PROFILE
@SEED
@INCLUDE
@TARGET_FILE
@CONTROL
@click.option(
    "--report",
    "formats",
    multiple=True,
    type=click.Choice([*_FORMATS, "all"]),
    help="Write a report of this format; may be repeated.",
)
@click.option("--report-dir", type=FOLDER, help="Where reports go; alone, it means JSON and JUnit.  [default: reports]")
@click.option(
    "--reproducers", type=FOLDER, metavar="DIR", help="Write a test for each finding that runs without this suite."
)
@click.option(
    "--baseline", type=FILE, help="Known findings (YAML: promise, subject, reason, expires); only others fail."
)
@click.option(
    "--keep", is_flag=True, help="Leave what is made where it is; else it is deleted again where there is a way."
)
@click.option("--write-baseline", type=NEW_FILE, metavar="FILE", help="Write a baseline of what was found.")
@WORKERS
@limited
@stoppable
def check(
    vendors: tuple[str, ...], target: str, profile: Literal["smoke", "default", "deep"], seed: int, include: str | None, target_file: Path | None,
    control: str, formats: tuple[str, ...], report_dir: Path | None, reproducers: Path | None, baseline: Path | None, write_baseline: Path | None,
    workers: int | None, limits: Limits, keep: bool,
) -> None:  # fmt: skip
    """Hold an implementation to the contracts of one or more vendors.

    Findings are told as they are found, one for each cause, with the calls that show it. In GitHub Actions the summary of the step gets the report.
    """
    from conformance.aftermath import Aftermath
    from conformance.check import check as run_check

    chosen = _FORMATS if "all" in formats else formats
    code = run_check(
        documents(vendors),
        target,
        profile=profile,
        seed=seed,
        include_inferred=include is not None,
        target_file=target_file,
        workers=workers,
        control=control,
        limits=limits,
        keep=keep,
        aftermath=Aftermath(report_dir, chosen, baseline, write_baseline, reproducers),
    )
    sys.exit(code)


@click.command(
    short_help="Run one finding of a report again.",
    epilog="\b\nExamples:\n"
    "  mockingbill replay reports/report.json 1\n"
    "  mockingbill replay reports/report.json 3f2a9c01de --target http://127.0.0.1:9000\n"
    "\n\b\nExit status: 0 it no longer occurs, 1 it does, 2 could not tell.",
)
@click.argument("report", type=FILE)
@click.argument("finding", metavar="NUMBER|ID")
@click.option(
    "--target", default="", metavar="URL|MODULE:FACTORY", help="Another implementation than that of the report."
)
@limited
@stoppable
def replay(report: Path, finding: str, target: str, limits: Limits) -> None:
    """Run one finding of a JSON report again, with the seed and the profile that found it.

    Findings are counted from 1, in the order of the report; or they are named by their id.
    """
    from conformance.replay import replay as run_replay

    sys.exit(run_replay(report, finding, target, limits=limits))
