"""The command `python -m bench.outsiders`: other people's mocks serve our documents, and the suite says what they keep.

Prism answers from the examples, Mockoon from templates that it makes of the schemas. Both keep nothing, and say so; that is what the
behavioural promises are about.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import httpx
from rich.console import Console

from bench.machine import ROOT, CannotMeasure
from bench.peers import CACHE, MOCKOON, PRISM, install, module, prism
from bench.processes import free_port, running
from conformance.matrix import matrix
from mock_server.contract import load, vendors

PAGE = ROOT / "docs" / "outsiders.md"
INTRODUCTION = """# Outsiders

<!-- Written by `python -m bench.outsiders`; a test holds that each promise has its line. -->

What the suite says of servers that are not ours: two well-kept mocks serve the four documents as they are, and are held to every promise with the
smoke profile. Neither claims to keep what it is sent, so they break what rests on memory; what a document alone can tell, they keep, or nearly so.
*not tested* is what could not be put to the test: where nothing that was made is shown again, nobody can say how it is shown.
Some promises are kept by forgetting: a create that is refused leaves nothing behind where none does.

It needs Node.js 18.20 or later with npm, and takes some minutes:

<!-- not run: it installs from npm, and takes minutes -->
```sh
python -m bench.outsiders
```
"""


def mockoon(document: Path) -> Callable[[int], Sequence[str]]:
    """The command of Mockoon serving a document, on a port."""
    options = ("--disable-log-to-file", "--disable-admin-api", "--max-transaction-logs", "1")
    script = module("@mockoon/cli", "mockoon-cli")
    return lambda port: ("node", script, "start", "--data", str(document), "--port", str(port), *options)


OUTSIDERS = {f"Prism {PRISM}": prism, f"Mockoon {MOCKOON}": mockoon}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1, type=click.Choice(vendors()))
@click.option("--seed", default=1, show_default=True)
@click.option("--no-docs", is_flag=True, help="Print alone; leave docs/outsiders.md as it is.")
def main(names: tuple[str, ...], seed: int, no_docs: bool) -> None:
    """Hold Prism and Mockoon to our contracts, and write down what they keep and what they break."""
    console = Console(stderr=True, highlight=False)
    try:
        install(console.print)
        told = {name: judge(name, seed, console) for name in names or vendors()}
    except CannotMeasure as error:
        console.print(str(error), style="red")
        sys.exit(2)
    text = page(told, seed)
    if no_docs or names:
        click.echo(text)
    else:
        PAGE.write_text(text, encoding="utf-8")
        console.print(f"{PAGE.relative_to(ROOT)} is written")


def judge(vendor: str, seed: int, console: Console) -> Mapping[str, Any]:
    """One vendor's matrix: each outsider started on its own, checked, and ended."""
    document = CACHE / f"{vendor}.json"
    document.write_text(json.dumps(load(vendor).document), encoding="utf-8")
    found: dict[str, Any] = {}
    for name, command in OUTSIDERS.items():
        port = free_port()
        with running(f"{name} {vendor}", command(document)(port), port, None) as server:
            wait(server.url, server.process)
            told = matrix(vendor, {name: server.url}, "smoke", seed, console=console)
            found |= told["implementations"]
    return found


def wait(url: str, process: subprocess.Popen[bytes]) -> None:
    """Until something listens. Raises CannotMeasure."""
    for _ in range(600):
        if process.poll() is not None:
            raise CannotMeasure(f"the server ended with status {process.returncode}")
        try:
            httpx.get(url, timeout=5, trust_env=False)
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise CannotMeasure(f"nothing answers at {url}")


def page(told: Mapping[str, Mapping[str, Any]], seed: int) -> str:
    """The page: a table of promises for each vendor."""
    day = datetime.now(UTC).date().isoformat()
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    lines = [
        INTRODUCTION,
        f"{day}: {', '.join(OUTSIDERS)}, Node.js {node}, Python {platform.python_version()}, seed {seed}.",
        "",
    ]
    for vendor, found in told.items():
        lines += [f"## {vendor}", "", f"| promise | {' | '.join(found)} |", f"| --- |{' --- |' * len(found)}"]
        for promise in sorted({promise for entry in found.values() for promise in entry["promises"]}):
            states = [entry["promises"].get(promise, {}).get("state", "–") for entry in found.values()]
            lines.append(f"| `{promise}` | {' | '.join(states)} |")
        for label, of in (("kept", "kept"), ("broken", "broken")):
            sums = [sum(one["state"] == of for one in entry["promises"].values()) for entry in found.values()]
            lines.append(f"| **{label}** | {' | '.join(map(str, sums))} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
