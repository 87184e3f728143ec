"""The commands that judge an implementation: check, matrix, replay; and what the promises are."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from mock_server.cli.arguments import ONE, OTHER, documents, stop

if TYPE_CHECKING:
    from conformance.limits import Limits

_WRITTEN = "<!-- Written by `mockingbill promises"
"""Begins what a page says of itself."""
_FORMATS = ("json", "junit", "jsonl", "html", "har", "markdown", "badge")
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_NEW_FILE = click.Path(dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)
_PROFILE = click.option(
    "--profile",
    type=click.Choice(["smoke", "default", "deep"]),
    default="default",
    show_default=True,
    help="How much to generate.",
)
_SEED = click.option("--seed", default=1, show_default=True, help="The same seed sends the same requests.")
_INCLUDE = click.option(
    "--include", type=click.Choice(["inferred"]), help="Hold it to inferred operations too."
)  # fmt: skip
_TARGET_FILE = click.option("--target-file", type=_FILE, help="Credentials and known records, as YAML.")
_CONTROL = click.option(
    "--control",
    default="",
    metavar="URL|/PATH",
    help="Where its clock is moved and its webhooks are read; ours is found.",
)
_WORKERS = click.option(
    "--workers", type=click.IntRange(1, 64), help="Processes at once.  [default: as many as there are cores]"
)


def _seconds(name: str, means: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return click.option(f"--{name}", type=float, metavar="SECONDS", help=means)


_LIMITS = (
    _seconds("timeout", "How long an answer may take.  [default: 30]"),
    _seconds("patience", "How long to wait in all where the target limits the rate of calls.  [default: 300]"),
    _seconds("consistency", "After how long a change shows everywhere; calls wait that long.  [default: 0]"),
    click.option("--read-only", is_flag=True, help="Make no call that changes anything."),
)


def _limited(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say what may be asked of a target, given to the command as `limits`."""

    @functools.wraps(command)
    def called(
        timeout: float | None, patience: float | None, consistency: float | None, read_only: bool, **others: Any
    ) -> None:
        from conformance.limits import Limits

        try:
            limits = Limits(timeout, patience, consistency, read_only)
        except ValueError as error:
            raise click.UsageError(f"--{error}") from None
        command(**others, limits=limits)

    for option in reversed(_LIMITS):
        called = option(called)
    return called


@click.command(
    short_help="Hold an implementation to the contracts of one or more vendors.",
    epilog="\b\nExamples:\n"
    f"  mockingbill check {ONE} --target http://127.0.0.1:8080/{ONE}\n"
    f"  mockingbill check {ONE} {OTHER} --target http://127.0.0.1:8080 --profile smoke\n"
    f"  mockingbill check {ONE} --target myserver:create_app --target-file target.yaml\n"
    f"  mockingbill check {ONE} --target myserver:create_app --report html --report junit --reproducers again\n"
    f"  mockingbill check {ONE} --target myserver:create_app --baseline known.yaml\n"
    "\n\b\nExit status: 0 conforms, 1 does not, 2 could not tell.",
)
@click.argument("vendors", nargs=-1, required=True, metavar="VENDOR|DOCUMENT...")
@click.option(
    "--target",
    required=True,
    metavar="URL|MODULE:FACTORY",
    help="The implementation: its base URL, or an ASGI application's factory.",
)
@_PROFILE
@_SEED
@_INCLUDE
@_TARGET_FILE
@_CONTROL
@click.option(
    "--report",
    "formats",
    multiple=True,
    type=click.Choice([*_FORMATS, "all"]),
    help="Write a report of this format; may be repeated.",
)
@click.option(
    "--report-dir", type=_FOLDER, help="Where reports go; alone, it means JSON and JUnit.  [default: reports]"
)
@click.option(
    "--reproducers", type=_FOLDER, metavar="DIR", help="Write a test for each finding that runs without this suite."
)
@click.option(
    "--baseline", type=_FILE, help="Known findings (YAML: promise, subject, reason, expires); only others fail."
)
@click.option(
    "--keep", is_flag=True, help="Leave what is made where it is; else it is deleted again where there is a way."
)
@click.option("--write-baseline", type=_NEW_FILE, metavar="FILE", help="Write a baseline of what was found.")
@_WORKERS
@_limited
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


def _named(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Implementations as `NAME=URL`, or a usage error."""
    pairs = [value.partition("=")[::2] for value in values]
    for name, target in pairs:
        if not name or not target or "/" in name:
            raise click.BadParameter(f"{name or target!r} is no NAME=URL, such as staging=https://staging.example.com")
    if len({name for name, _ in pairs}) < len(pairs):
        raise click.BadParameter("two implementations have the same name")
    return dict(pairs)


def _each(names: Collection[str], given: Sequence[str]) -> dict[str, str | None]:
    """What is said of each implementation: `NAME=value` of one, a value alone of all; None where nothing is."""
    pairs = [one.partition("=") for one in given]
    alone = [one for one, (name, sign, _) in zip(given, pairs, strict=True) if not sign or name not in names]
    if len(alone) > 1:
        raise click.UsageError(f"{alone[1]!r} and {alone[0]!r} are both for all: say NAME=… whose each is.")
    said: dict[str, str | None] = dict.fromkeys(names, alone[0] if alone else None)
    return said | {name: value for name, sign, value in pairs if sign and name in said}


def _file(path: str | None) -> Path | None:
    return None if path is None else _FILE.convert(path, None, None)


@click.command(
    short_help="Check several implementations of a vendor side by side.",
    epilog="\b\nExamples:\n"
    f"  mockingbill matrix {ONE} sandbox=http://127.0.0.1:8080/{ONE} ours=myserver:create_app\n"
    f"  mockingbill matrix {ONE} a=https://a.example.com b=https://b.example.com --json today.json --html today.html\n"
    f"  mockingbill matrix {ONE} a=https://a.example.com --since yesterday.json --policy none-new\n"
    "\n\b\nPolicies, and the exit status:\n"
    "  all       0 where every implementation conforms\n"
    "  any       0 where one conforms\n"
    "  none-new  0 where nothing is broken that was not broken in the file of --since\n"
    "  1 where the policy is not kept, 2 where that cannot be told.",
)
@click.argument("vendor", metavar="VENDOR|DOCUMENT")
@click.argument("implementations", nargs=-1, required=True, callback=_named, metavar="NAME=URL...")
@click.option(
    "--policy", type=click.Choice(["all", "any", "none-new"]), default="all", show_default=True, help="What decides the exit status."
)  # fmt: skip
@click.option("--since", type=_FILE, help="The JSON of an earlier matrix: what has changed since is told.")
@click.option(
    "--json", "json_file", type=_NEW_FILE, metavar="FILE", help="Write the matrix as JSON, for --since another day."
)
@click.option("--html", "html_file", type=_NEW_FILE, metavar="FILE", help="Write the matrix as a web page.")
@_PROFILE
@_SEED
@_INCLUDE
@click.option(
    "--target-file", "target_files", multiple=True, metavar="[NAME=]FILE",
    help="Credentials and known records, as YAML: of all, or of one by its name; may be repeated.",
)  # fmt: skip
@click.option(
    "--control", "controls", multiple=True, metavar="[NAME=]URL|/PATH",
    help="Where clock and webhooks are controlled: of all, or of one by its name; may be repeated.",
)  # fmt: skip
@_WORKERS
@_limited
def matrix(
    vendor: str, implementations: dict[str, str], policy: Literal["all", "any", "none-new"], since: Path | None, json_file: Path | None,
    html_file: Path | None, profile: Literal["smoke", "default", "deep"], seed: int, include: str | None, target_files: tuple[str, ...],
    controls: tuple[str, ...], workers: int | None, limits: Limits,
) -> None:  # fmt: skip
    """Check several implementations of a vendor one after the other, and show promise by implementation.

    The limits are the same for all, but for what an implementation's own target file says.
    """
    from rich.console import Console

    from conformance.matrix import matrix as run_matrix
    from conformance.matrix import show
    from conformance.reports.table import text
    from conformance.target import BadTarget

    (document,) = documents((vendor,))
    console = Console(highlight=False)
    options: dict[str, Any] = {"include_inferred": include is not None, "workers": workers, "limits": limits}
    files, addresses = _each(implementations, target_files), _each(implementations, controls)
    own = {
        name: {"target_file": _file(files[name]), "control": addresses[name] or ""}  # each may have its own
        for name in implementations
    }
    try:
        told = run_matrix(document, implementations, profile, seed, policy, since, console, own, **options)
    except BadTarget as error:
        stop(str(error))
    show(console, told)
    if json_file:
        json_file.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", "utf-8", "backslashreplace")
    if html_file:
        html_file.write_text(text(told), "utf-8", "backslashreplace")
    sys.exit(told["code"])


@click.command(
    short_help="Run one finding of a report again.",
    epilog="\b\nExamples:\n"
    "  mockingbill replay reports/report.json 1\n"
    "  mockingbill replay reports/report.json 3f2a9c01de --target http://127.0.0.1:9000\n"
    "\n\b\nExit status: 0 it no longer occurs, 1 it does, 2 could not tell.",
)
@click.argument("report", type=_FILE)
@click.argument("finding", metavar="NUMBER|ID")
@click.option(
    "--target", default="", metavar="URL|MODULE:FACTORY", help="Another implementation than that of the report."
)
@_limited
def replay(report: Path, finding: str, target: str, limits: Limits) -> None:
    """Run one finding of a JSON report again, with the seed and the profile that found it.

    Findings are counted from 1, in the order of the report; or they are named by their id.
    """
    from conformance.replay import replay as run_replay

    sys.exit(run_replay(report, finding, target, limits=limits))


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
        _write(write, pages(faults))
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
