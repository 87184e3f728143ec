"""The command that puts several implementations side by side: matrix."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from mock_server.cli.arguments import ONE, documents, stop
from mock_server.cli.options import FILE, INCLUDE, NEW_FILE, PROFILE, SEED, WORKERS, limited
from mock_server.cli.stopping import stoppable

if TYPE_CHECKING:
    from conformance.limits import Limits


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
    return None if path is None else FILE.convert(path, None, None)


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
@click.option("--since", type=FILE, help="The JSON of an earlier matrix: what has changed since is told.")
@click.option(
    "--json", "json_file", type=NEW_FILE, metavar="FILE", help="Write the matrix as JSON, for --since another day."
)
@click.option("--html", "html_file", type=NEW_FILE, metavar="FILE", help="Write the matrix as a web page.")
@PROFILE
@SEED
@INCLUDE
@click.option(
    "--target-file", "target_files", multiple=True, metavar="[NAME=]FILE",
    help="Credentials and known records, as YAML: of all, or of one by its name; may be repeated.",
)  # fmt: skip
@click.option(
    "--control", "controls", multiple=True, metavar="[NAME=]URL|/PATH",
    help="Where clock and webhooks are controlled: of all, or of one by its name; may be repeated.",
)  # fmt: skip
@WORKERS
@limited
@stoppable
def matrix(
    vendor: str, implementations: dict[str, str], policy: Literal["all", "any", "none-new"], since: Path | None, json_file: Path | None,
    html_file: Path | None, profile: Literal["smoke", "default", "deep"], seed: int, include: str | None, target_files: tuple[str, ...],
    controls: tuple[str, ...], workers: int | None, limits: Limits,
) -> None:  # fmt: skip
    """Check several implementations of a vendor one after the other, and show promise by implementation.

    The limits are the same for all, but for what an implementation's own target file says.
    """
    from conformance.matrix import matrix as run_matrix
    from conformance.matrix import show
    from conformance.reports.places import ready
    from conformance.reports.table import text
    from conformance.reports.terminal import Terminal
    from conformance.target import BadTarget

    (document,) = documents((vendor,))
    console = Terminal()
    options: dict[str, Any] = {"include_inferred": include is not None, "workers": workers, "limits": limits}
    files, addresses = _each(implementations, target_files), _each(implementations, controls)
    own = {
        name: {"target_file": _file(files[name]), "control": addresses[name] or ""}  # each may have its own
        for name in implementations
    }
    try:
        for file in filter(None, (json_file, html_file)):
            ready(file.parent, (file.name,))
        told = run_matrix(document, implementations, profile, seed, policy, since, console, own, **options)
    except BadTarget as error:
        stop(str(error))
    show(console, told)
    try:
        if json_file:
            json_file.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", "utf-8", "backslashreplace")
        if html_file:
            html_file.write_text(text(told), "utf-8", "backslashreplace")
    except OSError as error:
        stop(f"cannot write {error.filename}: {error.strerror}")
    sys.exit(told["code"])
