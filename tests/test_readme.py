"""What is written about mockingbill is executed: every shell block of the README and of `docs/`, against a server of its own.

The convention: the `sh` blocks of a document run in order, in one shell, in a folder that holds a copy of the checkout's data and code. A `text` or
`json` block right after one is what it prints, `…` standing for anything. A block with a title (```` ```yaml title=FILE ````) is a file of that
folder. `<!-- not run: REASON -->` before a block leaves it out.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
from serving import ROOT, serving

from conformance.promise import all_promises
from mock_server.cli import main
from mock_server.contract import load, vendors
from mock_server.control import control_contract

SHOWN = "127.0.0.1:8080"
"""Where the server listens in the documents."""
MARK = "@@@ block {} @@@"
_PAGES = {f"{promise.name}.md" for promise in all_promises()}
"""Written from the promises themselves, which tests/test_cli_judging.py holds."""
DOCUMENTS = (
    "README.md",
    *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md") if path.name not in _PAGES),
)
PROSE = ("docs/README.md", "docs/design.md", "docs/performance.md")
"""The documents without commands."""
_BLOCK = re.compile(
    r"(?P<before>[^\n]*\n)```(?P<language>\w+)(?: title=(?P<title>\S+))?\n(?P<text>.*?)^```$", re.M | re.S
)


@dataclass(frozen=True)
class Block:
    """A fenced block: what it holds, from which line, and what it has to print, if that is said."""

    language: str
    title: str
    text: str
    line: int
    skipped: str
    expected: str | None = None


def blocks(document: str) -> list[Block]:
    """The blocks of a document, each output joined to the command before it."""
    text = (ROOT / document).read_text(encoding="utf-8")
    found: list[Block] = []
    end = 0
    for match in _BLOCK.finditer(text):
        line = text.count("\n", 0, match.start("text"))
        reason = re.fullmatch(r"<!-- not run: (.+) -->\n", match["before"])
        block = Block(match["language"], match["title"] or "", match["text"], line, reason[1] if reason else "")
        follows = (
            found
            and found[-1].language == "sh"
            and text[end : match.start("before")].strip() == ""
            and not match["before"].strip()
        )
        if block.language in ("text", "json") and follows:
            found[-1] = Block(**{**vars(found[-1]), "expected": block.text})
        else:
            found.append(block)
        end = match.end()
    return found


def matches(expected: str, printed: str) -> bool:
    pattern = ".*?".join(re.escape(part) for part in expected.strip().split("…"))
    return re.fullmatch(pattern, printed.strip(), re.S) is not None


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A folder with what a checkout has, for documents to change."""
    for name in ("openapi", "fixtures", "mock_server", "conformance"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "_data"))
    shutil.copy(ROOT / "schemathesis.toml", tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("document", [name for name in DOCUMENTS if name not in PROSE])
def test_every_command_prints_what_the_document_says(document: str, copy: Path) -> None:
    found = blocks(document)
    for block in found:
        if block.title:
            (copy / block.title).parent.mkdir(parents=True, exist_ok=True)
            (copy / block.title).write_text(block.text, encoding="utf-8")
    commands = [block for block in found if block.language == "sh" and not block.skipped]
    with serving("--open-control", cwd=copy) as server:
        here = server.url.removeprefix("http://")
        script = "exec 2>&1; trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n" + "".join(
            f"{block.text}\nprintf '\\n{MARK.format(n)}\\n'\n" for n, block in enumerate(commands)
        )
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script.replace(SHOWN, here)],
            cwd=copy,
            env=environment(copy),
            capture_output=True,
            text=True,
        )
    rest = done.stdout.replace(here, SHOWN)
    for n, block in enumerate(commands):
        printed, mark, rest = rest.partition(f"\n{MARK.format(n)}\n")
        assert mark, f"{document}:{block.line}: the command failed:\n{printed}"
        if block.expected is not None:
            assert matches(block.expected, printed), (
                f"{document}:{block.line}: expected\n{block.expected}\nprinted\n{printed}"
            )


def environment(copy: Path) -> dict[str, str]:
    """The command `mockingbill` runs the copy's code."""
    tools = copy / "bin"
    tools.mkdir(exist_ok=True)
    (tools / "mockingbill").write_text(f'#!/bin/sh\nPYTHONPATH="{copy}" exec "{sys.executable}" -m mock_server "$@"\n')
    (tools / "mockingbill").chmod(0o755)
    path = os.pathsep.join((str(tools), str(Path(sys.executable).parent), os.environ["PATH"]))
    return {**os.environ, "PATH": path, "NO_COLOR": "1", "COLUMNS": "200"}


def test_each_document_has_commands_or_is_prose_on_purpose() -> None:
    silent = [document for document in DOCUMENTS if not any(block.language == "sh" for block in blocks(document))]
    assert silent == list(PROSE)


def test_what_is_not_run_says_why() -> None:
    for document in DOCUMENTS:
        for block in blocks(document):
            assert not block.skipped or len(block.skipped) > 10, f"{document}:{block.line}"


def test_the_first_commands_of_the_readme_are_targets_of_the_makefile() -> None:
    first = blocks("README.md")[0]
    assert [line.split("#")[0].split() for line in first.text.splitlines()] == [["make", "serve"], ["make", "test"]]


def test_every_make_target_that_is_written_about_exists() -> None:
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.M)
    told = re.findall(r"^make (\w+)", (ROOT / "README.md").read_text() + (ROOT / "CONTRIBUTING.md").read_text(), re.M)
    assert {"serve", "test", "lint", "format", "check"} <= set(told) <= set(targets)


def test_every_document_is_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text()
    assert [
        document
        for document in DOCUMENTS
        if Path(document).name != "README.md" and f"({document.removeprefix('docs/')})" not in index
    ] == []


def test_the_readme_counts_every_vendors_operations() -> None:
    rows = re.findall(r"^\| `([a-z]+)` \|.*\| (\d+) \| (\d+) \| (\d+) \|$", (ROOT / "README.md").read_text(), re.M)
    told = {name: tuple(map(int, counts)) for name, *counts in rows}
    levels = {
        name: Counter(operation.provenance.level for operation in load(name).operations.values()) for name in vendors()
    }
    assert told == {
        name: (found["documented"], found["published"], found["inferred"]) for name, found in levels.items()
    }


def test_every_command_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    assert [name for name in main.commands if f"mockingbill {name}" not in readme] == []


@pytest.mark.parametrize(
    "command",
    [command for command in main.commands.values() if command.name != "lint"],
    ids=lambda command: command.name,
)
def test_every_option_is_documented(command: click.Command) -> None:
    text = "".join((ROOT / document).read_text() for document in DOCUMENTS)
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    assert [option.opts[-1] for option in options if f"`{option.opts[-1]}" not in text] == []


def test_every_promise_is_documented() -> None:
    text = (ROOT / "docs" / "conformance.md").read_text()
    assert [promise.name for promise in all_promises() if f"`{promise.name}`" not in text] == []
    named = re.findall(r"^\| `(\w+)` \|", text, re.M)
    assert sorted(named) == sorted(promise.name for promise in all_promises()), "and none that does not exist"


def test_every_operation_of_the_control_api_is_documented_with_an_example() -> None:
    commands = [block for block in blocks("docs/control.md") if block.language == "sh"]
    for operation in control_contract().operations.values():
        pattern = re.sub(r"\\\{\w+\\\}", r"[^/\\s]+", re.escape(operation.path))
        assert any(re.search(rf"/_mock{pattern}(\s|$|[?'\"])", block.text) for block in commands), operation.label


def test_links_between_documents_lead_somewhere() -> None:
    broken = []
    for document in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", (ROOT / document).read_text()):
            if not ((ROOT / document).parent / target).exists():
                broken.append(f"{document}: {target}")
    assert broken == []
