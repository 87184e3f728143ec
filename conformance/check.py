"""Holds an implementation to one or several contracts: what `mockingbill check` does.

One pytest process a vendor, two at a time: workers of one process are bound by the interpreter's lock, and their order changes the verdict.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from conformance.finding import Unreachable
from conformance.report import BREAKS, CONFORMS, STOPPED, UNTOLD, Result, show_finding, summarise, write
from conformance.run import Profile
from conformance.scope import read
from conformance.target import BadTarget, base_url, reach
from mock_server.contract import ContractError

_AT_ONCE = 2


@dataclass
class _Child:
    """One pytest process, and how far its events have been read."""

    result: Result
    process: subprocess.Popen[bytes]
    events: Path
    output: Path
    offset: int = 0


def check(
    vendors: Sequence[str],
    target: str,
    profile: Profile = "default",
    seed: int = 1,
    include_inferred: bool = False,
    report_dir: Path | None = None,
    target_file: Path | None = None,
    console: Console | None = None,
) -> int:
    """Check an implementation; 0 conforms, 1 does not, 2 could not tell, 130 stopped by hand.

    `vendors` are names or paths of documents. `target` is `module:factory`, or the base URL of the vendor's API: `{vendor}` in it is
    replaced, and where our own mock answers there, `/vendor` is appended.
    """
    console = console or Console(highlight=False)
    results = [Result(vendor) for vendor in vendors]
    code = UNTOLD
    try:
        names = [read(vendor).name for vendor in vendors]
        for result, name in zip(results, names, strict=True):
            result.vendor = name
        if not names:
            raise BadTarget("no vendor is named")
        if len(names) > 1 and target.startswith("http") and "{vendor}" not in target:
            _must_be_ours(target, names)
        with reach(target) as url, tempfile.TemporaryDirectory(prefix="mockingbill-") as scratch:
            waiting = [
                (
                    result,
                    _command(
                        vendor, base_url(url, result.vendor), target, profile, seed, include_inferred, target_file
                    ),
                )
                for result, vendor in zip(results, vendors, strict=True)
            ]
            console.print(f"checking {', '.join(names)} at {target}: profile {profile}, seed {seed}", soft_wrap=True)
            stopped = _run_all(waiting, Path(scratch), console)
        codes = {result.code for result in results}
        code = STOPPED if stopped else BREAKS if BREAKS in codes else UNTOLD if UNTOLD in codes else CONFORMS
    except (BadTarget, ContractError, Unreachable) as error:
        for result in results:
            result.doubts.append(str(error))
    except KeyboardInterrupt:
        code = STOPPED
    summarise(console, results, code)
    if report_dir is not None:
        settings = {"target": target, "profile": profile, "seed": seed, "inferred": include_inferred}
        write(report_dir, results, settings, code)
    return code


def _must_be_ours(target: str, names: Sequence[str]) -> None:
    if base_url(target, names[0]) == target.rstrip("/"):
        raise BadTarget(
            f"{target} is one API: for several vendors write {{vendor}} in the URL, as in https://host/{{vendor}}"
        )


def _command(
    vendor: str, url: str, shown: str, profile: str, seed: int, inferred: bool, target_file: Path | None
) -> list[str]:
    document = str(Path(vendor).resolve()) if vendor.endswith((".yaml", ".yml")) else vendor
    options = {"vendor": document, "target": url, "shown": shown, "profile": profile, "seed": str(seed)}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--pyargs",
        "conformance.suite",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
    ]
    command += [f"--mockingbill-{name}={value}" for name, value in options.items()]
    command += ["--mockingbill-include=inferred"] if inferred else []
    command += [f"--mockingbill-target-file={target_file.resolve()}"] if target_file else []
    return command


def _run_all(waiting: list[tuple[Result, list[str]]], scratch: Path, console: Console) -> bool:
    """Run every command, two at a time, and tell what they find; whether it was stopped by hand."""
    running: list[_Child] = []
    try:
        while waiting or running:
            while waiting and len(running) < _AT_ONCE:
                running.append(_start(*waiting.pop(0), scratch))
            time.sleep(0.05)
            for child in list(running):
                ended = child.process.poll() is not None
                _listen(child, console)
                if ended:
                    running.remove(child)
                    _close(child)
                    console.print(
                        f"{child.result.vendor}: {len(child.result.outcomes)} of {child.result.planned} tested"
                    )
    except KeyboardInterrupt:
        for child in running:
            _listen(child, console)
        return True
    finally:
        for child in running:
            _stop(child)
    return False


def _start(result: Result, command: list[str], scratch: Path) -> _Child:
    folder = scratch / f"{len(list(scratch.iterdir()))}"
    folder.mkdir()
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    events, output = folder / "events.jsonl", folder / "output.txt"
    command = [*command, f"--mockingbill-events={events}", "-c", str(folder / "pytest.ini"), f"--rootdir={folder}"]
    with output.open("wb") as stream:
        process = subprocess.Popen(  # noqa: S603  # our own interpreter, our own arguments
            command,
            stdout=stream,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, "PYTEST_ADDOPTS": "", "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(folder)},
        )
    return _Child(result, process, events, output)


def _stop(child: _Child) -> None:
    """End a process and what it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.process.pid, signal.SIGKILL)
    child.process.wait(timeout=10)


def _events(child: _Child) -> Iterator[dict[str, Any]]:
    if not child.events.exists():
        return
    with child.events.open("rb") as stream:
        stream.seek(child.offset)
        for line in stream:
            if not line.endswith(b"\n"):
                return
            child.offset += len(line)
            yield json.loads(line)


def _listen(child: _Child, console: Console) -> None:
    """Take in what a process has told since the last time."""
    for event in _events(child):
        if event["kind"] == "planned":
            child.result.planned = event["count"]
        elif event["kind"] == "outcome":
            child.result.outcomes.append(event)
            for finding in event["findings"]:
                show_finding(console, child.result.vendor, finding)
        elif event["kind"] == "finished":
            child.result.finished = True
            child.result.doubts += event["doubts"]
            child.result.counts = event["counts"]
            child.result.base_url = event["base_url"]


def _close(child: _Child) -> None:
    """A process that ended without saying so could not tell; the end of what it wrote says why."""
    if not child.result.finished:
        text = child.output.read_text(encoding="utf-8", errors="replace").strip()
        child.result.doubts.append(f"the run ended early: {' / '.join(text.splitlines()[-5:])[:600]}")
