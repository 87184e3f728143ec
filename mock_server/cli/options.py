"""The options that several of the commands that judge an implementation have."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
NEW_FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)
PROFILE = click.option(
    "--profile",
    type=click.Choice(["smoke", "default", "deep"]),
    default="default",
    show_default=True,
    help="How much to generate.",
)
SEED = click.option("--seed", default=1, show_default=True, help="The same seed sends the same requests.")
INCLUDE = click.option(
    "--include", type=click.Choice(["inferred"]), help="Hold it to inferred operations too."
)  # fmt: skip
TARGET_FILE = click.option("--target-file", type=FILE, help="Credentials and known records, as YAML.")
CONTROL = click.option(
    "--control",
    default="",
    metavar="URL|/PATH",
    help="Where its clock is moved and its webhooks are read; ours is found.",
)
WORKERS = click.option(
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


def limited(command: Callable[..., None]) -> Callable[..., None]:
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
