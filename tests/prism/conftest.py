"""The real Prism: installed from npm once, below the checkout; one mock of each document, and one of ours to compare with."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from real import judge, running
from serving import ROOT, serving

from mock_server.contract import Contract, Fixtures, load, load_fixtures, vendors

VERSION = "5.14.2"
HOME = ROOT / ".cache" / "prism"
PARAMETERS = [pytest.param(name, marks=pytest.mark.xdist_group(f"prism-{name}")) for name in vendors()]
PRISM = HOME / "node_modules" / ".bin" / "prism"


@pytest.fixture(scope="session")
def prism_command() -> str:
    """The Prism of the pinned version; the first test run installs it."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("Node and npm are needed to run the real Prism")
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _installed() != VERSION:
            install = [
                "npm",
                "install",
                "--no-audit",
                "--no-fund",
                "--prefix",
                str(HOME),
                f"@stoplight/prism-cli@{VERSION}",
            ]
            done = subprocess.run(install, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
            assert done.returncode == 0, f"npm could not install Prism:\n{done.stdout}"
    return str(PRISM)


def _installed() -> str:
    if not PRISM.exists():
        return ""
    return subprocess.run([str(PRISM), "--version"], capture_output=True, text=True, check=False).stdout.strip()


@pytest.fixture(scope="session", params=PARAMETERS)
def contract(request: pytest.FixtureRequest) -> Contract:
    """Each vendor's contract in turn."""
    return load(request.param)


@pytest.fixture(scope="session")
def fixtures(contract: Contract) -> Fixtures:
    return load_fixtures(contract)


@pytest.fixture(scope="session")
def document(contract: Contract) -> Path:
    """The document as it stands in the checkout."""
    return contract.bundle.path


@pytest.fixture(scope="session")
def started(prism_command: str, document: Path) -> Iterator[tuple[str, str]]:
    with running([prism_command, "mock", str(document)]) as found:
        yield found


@pytest.fixture(scope="session")
def prism(started: tuple[str, str]) -> str:
    """The URL of Prism serving the document."""
    return started[0]


@pytest.fixture(scope="session")
def ours(contract: Contract) -> Iterator[str]:
    """The URL of our mock of the same document."""
    with serving(contract.name, "--include", "inferred") as server:
        yield f"{server.url}/{contract.name}"


@pytest.fixture(scope="session")
def judged(prism_command: str, document: Path, ours: str) -> Iterator[str]:
    """Prism between a client and our mock: every answer that breaks the document becomes 500."""
    with judge(prism_command, document, ours) as url:
        yield url
