"""The peers: installed from npm into a folder below the checkout that git ignores, at versions that are written here."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.load import find_wrk
from bench.machine import ROOT, CannotMeasure, Cores, cores
from bench.servers.customers import DOCUMENT, PAGE
from bench.servers.mockoon import environment

CACHE = ROOT / ".cache" / "bench"
PRISM, MOCKOON = "5.14.2", "9.9.0"
PACKAGES = {"@stoplight/prism-cli": PRISM, "@mockoon/cli": MOCKOON}


@dataclass(frozen=True)
class Peer:
    """A server of the small document: how it is started, and what can be expected of it."""

    name: str
    command: Callable[[int], Sequence[str]]
    prefix: str = ""
    listed: str = "/customers"
    validates: bool = True
    remembers: bool = True
    knows_callers: bool = True


def prepare(say: Callable[[str], None], *, npm: bool = True) -> Cores:
    """Make sure that everything is there, installing what can be. Raises CannotMeasure, naming everything that is missing."""
    missing = []
    for command, hint in {
        "taskset": "util-linux",
        "node": "Node.js 18.20 or later",
        "npm": "npm, which comes with Node.js",
    }.items():
        if shutil.which(command) is None and (npm or command == "taskset"):
            missing.append(f"{command} is missing: install {hint}.")
    try:
        find_wrk()
    except CannotMeasure as error:
        missing.append(str(error))
    if missing:
        raise CannotMeasure(" ".join(missing))
    if npm:
        install(say)
    return cores()


def install(say: Callable[[str], None]) -> None:
    """Install the peers from npm, once for each version. Raises CannotMeasure."""
    folder = CACHE / "peers"
    wanted = json.dumps({"private": True, "dependencies": PACKAGES}, indent=2)
    stamp = folder / "package.json"
    if stamp.exists() and stamp.read_text() == wanted and (folder / "node_modules" / ".package-lock.json").exists():
        return
    say(f"installing Prism {PRISM} and Mockoon {MOCKOON} from npm into {folder.relative_to(ROOT)}")
    folder.mkdir(parents=True, exist_ok=True)
    stamp.write_text(wanted)
    command = ["npm", "install", "--no-audit", "--no-fund", "--loglevel", "error"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        stamp.unlink()
        raise CannotMeasure(f"npm could not install the peers: {(done.stderr or done.stdout).strip()[-1000:]}")


def module(package: str, name: str) -> str:
    """The file that a package of npm runs as its command."""
    folder = CACHE / "peers" / "node_modules" / package
    scripts: Mapping[str, str] = json.loads((folder / "package.json").read_text())["bin"]
    return str((folder / scripts[name]).resolve())


def python(module: str, *arguments: str) -> Callable[[int], Sequence[str]]:
    """The command of a Python server on a port."""
    return lambda port: (sys.executable, "-m", module, str(port), *arguments)


def mockingbill(*arguments: str) -> Callable[[int], Sequence[str]]:
    """The command `mockingbill serve`, with the vendors and options given, on a port."""
    return lambda port: (sys.executable, "-m", "mock_server", "serve", *arguments, "--port", str(port))


def prism(document: Path) -> Callable[[int], Sequence[str]]:
    """The command of Prism at its quietest, on a port."""
    return lambda port: (
        "node", module("@stoplight/prism-cli", "prism"), "mock", str(document), "--port", str(port), "-v", "silent"
    )  # fmt: skip


def mockoon(port: int) -> Sequence[str]:
    """The command of Mockoon with a data bucket, on a port."""
    data = CACHE / "mockoon.json"
    data.write_text(json.dumps(environment(), indent=1))
    options = ("--disable-log-to-file", "--disable-admin-api", "--max-transaction-logs", "1")
    return ("node", module("@mockoon/cli", "mockoon-cli"), "start", "--data", str(data), "--port", str(port), *options)


OURS = Peer("mockingbill", python("bench.servers.ours", str(DOCUMENT)), prefix="/small")
OTHERS = (
    Peer("Prism -v silent", prism(DOCUMENT), remembers=False),
    Peer("stock Connexion", python("bench.servers.stock")),
    Peer(
        "Mockoon, data bucket", mockoon, listed=f"/customers?page=1&limit={PAGE}", validates=False, knows_callers=False
    ),
    Peer("bare Starlette", python("bench.servers.bare")),
    Peer("the server alone", python("bench.servers.constant"), validates=False, remembers=False, knows_callers=False),
)
