"""The catalogue of faults, on the command line: told, and one of them chosen."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import click

from mock_server.cli.arguments import stop

if TYPE_CHECKING:
    from mock_server.faulty import Fault


def show_faults(vendors: Collection[str]) -> None:
    """A line for each fault of these vendors: name, vendor, kind, the promise meant to catch it, and what is wrong."""
    from mock_server.faulty import catalogue

    faults = [fault for fault in catalogue().values() if fault.vendor in vendors]
    rows = [(fault.name, fault.vendor, fault.kind, fault.promise) for fault in faults]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for fault, row in zip(faults, rows, strict=True):
        cells = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo(f"{cells}  {fault.sentence}")


def one_fault(name: str, vendors: Collection[str]) -> Fault:
    """The fault of that name; ends the command where there is none, or its vendor is not among those that are served."""
    from mock_server.faulty import catalogue

    fault = catalogue().get(name)
    if fault is None:
        stop(f"there is no fault {name!r} in the catalogue; --fault-catalogue list tells what there is.")
    if vendors and fault.vendor not in vendors:
        stop(f"{name} is a fault of {fault.vendor}, which is not served.")
    return fault
