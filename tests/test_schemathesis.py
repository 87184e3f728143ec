"""The stock `schemathesis run`, all checks and phases, finds nothing against any vendor's document and our server.

What no schema can say is in `schemathesis.toml`, with reasons; it may switch no check off.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from serving import ROOT, serving

from conformance.beginnings import known_characters
from mock_server.cli import main
from mock_server.contract import Contract, load, vendors

CONFIGURATION = ROOT / "schemathesis.toml"
PHASES = ("examples", "coverage", "fuzzing", "stateful")
EXAMPLES = 50
SEED = 1
LARGE = 60
"""Operations of a document that is divided in two."""
TOOL = "import gc; gc.set_threshold(50_000, 20, 20); from schemathesis.cli import schemathesis; schemathesis()"
"""The command `schemathesis`, collecting garbage less often: it keeps nearly all it makes, and looking takes an eighth of a run."""
ENVIRONMENT = ("PATH", "LANG", "SYSTEMROOT")
"""All the tool is told of this machine: before each request it looks all variables through, twice, for proxies."""
OUT_OF_REACH = {
    "PUT /v1/company/{companyId}/country/{countryId}/customer/{customerIdentifier}/subscription",
    "POST /api/v1/subscriptions/{subscription_id}/suspend",
    "POST /api/v1/subscriptions/{subscription_id}/resume",
    "POST /api/v1/subscriptions/{subscription_id}/extend-period",
}
"""What the tool may not bring to success: it cancels the seeded subscriptions before it comes to moving one's end, or to pausing one."""


@pytest.fixture(scope="module")
def callers() -> dict[str, dict[str, str]]:
    """The headers that `mockingbill vendors --json` says to send, by vendor."""
    listed = CliRunner().invoke(main, ["vendors", "--json"])
    return {entry["vendor"]: entry["credentials"]["headers"] for entry in json.loads(listed.stdout)}


def parts(contract: Contract) -> list[tuple[str, ...]]:
    """The tags of a document; of a large one in two parts, for two processes."""
    tags = list(dict.fromkeys(operation.tag for operation in contract.operations.values()))
    return [tuple(tags)] if len(contract.operations) <= LARGE else [tuple(tags[0::2]), tuple(tags[1::2])]


def runs() -> Iterator[Any]:
    """Each vendor with everything served; one with inferred operations also as it is served by default, without them."""
    for name in vendors():
        contract = load(name)
        for number, tags in enumerate(parts(contract)):
            label = f"{name}-{number}" if number else name
            group = pytest.mark.xdist_group(f"schemathesis-{label}")
            yield pytest.param(name, True, tags, marks=group, id=label)
            if any(operation.provenance.level == "inferred" for operation in contract.operations.values()):
                yield pytest.param(name, False, tags, marks=group, id=f"{label}-by-default")


@pytest.mark.slow
@pytest.mark.parametrize(("vendor", "inferred", "tags"), list(runs()))
def test_the_stock_tool_finds_nothing(
    vendor: str, inferred: bool, tags: tuple[str, ...], callers: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    sent = [part for name, text in callers[vendor].items() for part in ("-H", f"{name}: {text}")]
    options = ["--checks", "all", "--phases", ",".join(PHASES), "-n", str(EXAMPLES), "--seed", str(SEED), "--no-color"]
    options += [part for tag in tags for part in ("--include-tag", tag)]
    options += ["--report", "json", "--report-json-path", "report.json"]
    contract = load(vendor)
    known_characters(tmp_path / ".hypothesis")
    command = [sys.executable, "-c", TOOL, "--config-file", str(CONFIGURATION), "run", str(contract.bundle.path)]
    with serving(vendor, *(["--include", "inferred"] if inferred else [])) as server:
        done = subprocess.run(
            [*command, "--url", f"{server.url}/{vendor}", *sent, *options],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            env={name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
        )
    assert done.returncode == 0, done.stdout
    found = json.loads((tmp_path / "report.json").read_text())
    assert (found["failures"], found["errors"], found["complete"]) == ([], [], True)
    assert {phase: found["phases"][phase]["status"] for phase in PHASES} == dict.fromkeys(PHASES, "success")
    assert found["operations"]["tested"] == sum(operation.tag in tags for operation in contract.operations.values())
    served = {operation.label for operation in contract.serves(inferred=inferred) if operation.tag in tags}
    assert served & set(never_accepted(found)) <= OUT_OF_REACH, "a run in which nothing succeeds shows nothing"


def never_accepted(report: dict[str, Any]) -> list[str]:
    """The operations of which no valid request was answered with success."""
    rates = report["valid_rates"]
    return [name for name, phases in rates.items() if not any(counts["accepted"] for counts in phases.values())]


def switched_off(node: Any, path: str = "") -> Iterator[str]:
    """Everything in the configuration that is not enabled, by its path; remembering earlier runs apart."""
    if isinstance(node, dict):
        for name, item in node.items():
            if name == "enabled" and item is False and path != "/cache":
                yield path
            yield from switched_off(item, f"{path}/{name}")
    elif isinstance(node, list):
        for item in node:
            yield from switched_off(item, path)


def test_the_configuration_switches_no_check_off() -> None:
    assert list(switched_off(tomllib.loads(CONFIGURATION.read_text()))) == []


def test_each_exception_in_the_configuration_says_why_and_names_an_operation() -> None:
    lines = CONFIGURATION.read_text().splitlines()
    bare = [
        line
        for before, line in itertools.pairwise(lines)
        if line.startswith(("checks.", "headers.")) and before[:2] != "# "
    ]
    assert bare == []
    by_title = {load(name).title: set(load(name).operations) for name in vendors()}
    for project in tomllib.loads(CONFIGURATION.read_text())["project"]:
        for entry in project["operations"]:
            named = entry["include-operation-id"]
            assert {named} if isinstance(named, str) else set(named) <= by_title[project["title"]]
