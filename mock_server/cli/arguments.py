"""What several commands take: vendors by name, documents by path, moments; and how they end when they cannot go on."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import NoReturn

import click

from mock_server.clock import parsed
from mock_server.contract import vendors as vendor_names

UNUSABLE = 2
ONE, OTHER = (*vendor_names(), "VENDOR", "VENDOR")[:2]
"""Vendors for the examples in the help."""


class Moment(click.ParamType[datetime]):
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
