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
from dataclasses import dataclass, replace
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
WITHOUT_COVERAGE = ("examples", "fuzzing", "stateful")
EXAMPLES, EXAMPLES_OF_MANY = 50, 15
"""For each operation: of a document with few, and of a large one, where linked operations make up for it."""
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


@dataclass(frozen=True)
class Part:
    """Some operations of a document, and the phases they are put through."""

    vendor: str
    operations: tuple[str, ...]
    phases: tuple[str, ...] = PHASES
    inferred: bool = True


def parts(contract: Contract) -> list[Part]:
    """A document as a whole. Of a large one the filters stand apart from the rest, which is divided in two; the boundaries of each filter are those
    of the first, by the thousand, so only the first one's are tried.
    """
    found = list(contract.operations.values())
    if len(found) <= LARGE:
        return [Part(contract.name, tuple(contract.operations))]
    filters = tuple(operation.id for operation in found if operation.action.verb == "filter")
    rest = [operation for operation in found if operation.action.verb != "filter"]
    tags = list(dict.fromkeys(operation.tag for operation in rest))
    halves = [tuple(o.id for o in rest if o.tag in chosen) for chosen in (tags[0::2], tags[1::2])]
    apart = [Part(contract.name, filters[:1], ("coverage",)), Part(contract.name, filters, WITHOUT_COVERAGE)]
    return [*apart, *(Part(contract.name, half) for half in halves)]


def runs() -> Iterator[Any]:
    """Each vendor with everything served; one with inferred operations also as it is served by default, without them."""
    for name in vendors():
        contract = load(name)
        for number, part in enumerate(parts(contract)):
            label = f"{name}-{number}" if number else name
            group = pytest.mark.xdist_group(f"schemathesis-{label}")
            yield pytest.param(part, marks=group, id=label)
            if any(operation.provenance.level == "inferred" for operation in contract.operations.values()):
                yield pytest.param(replace(part, inferred=False), marks=group, id=f"{label}-by-default")


@pytest.mark.slow
@pytest.mark.parametrize("part", list(runs()))
def test_the_stock_tool_finds_nothing(part: Part, callers: dict[str, dict[str, str]], tmp_path: Path) -> None:
    vendor, contract = part.vendor, load(part.vendor)
    examples = EXAMPLES if len(contract.operations) <= LARGE else EXAMPLES_OF_MANY
    sent = [word for name, text in callers[vendor].items() for word in ("-H", f"{name}: {text}")]
    options = ["--checks", "all", "--phases", ",".join(part.phases), "--no-color"]
    options += ["-n", str(examples), "--seed", str(SEED)]
    options += [word for name in part.operations for word in ("--include-operation-id", name)]
    options += ["--report", "json", "--report-json-path", "report.json"]
    known_characters(tmp_path / ".hypothesis")
    command = [sys.executable, "-c", TOOL, "--config-file", str(CONFIGURATION), "run", str(contract.bundle.path)]
    with serving(vendor, *(["--include", "inferred"] if part.inferred else [])) as server:
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
    done_with = {phase: found["phases"][phase]["status"] for phase in part.phases}
    assert done_with == dict.fromkeys(part.phases, "success")
    assert found["operations"]["tested"] == len(part.operations)
    served = {one.label for one in contract.serves(inferred=part.inferred) if one.id in part.operations}
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
