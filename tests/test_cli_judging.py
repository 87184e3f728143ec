"""The commands that judge: what they refuse, and what they say then."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from conformance.check import Asked
from conformance.promise import all_promises
from mock_server.cli import main


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


@pytest.mark.parametrize(
    ("implementations", "said"),
    [
        (("http://127.0.0.1:9",), "is no NAME=URL"),
        (("a=",), "is no NAME=URL"),
        (("=http://127.0.0.1:9",), "is no NAME=URL"),
        (("a=http://127.0.0.1:9", "a=http://127.0.0.1:8"), "the same name"),
        ((), "Missing argument"),
    ],
)
def test_implementations_have_names_of_their_own(implementations: tuple[str, ...], said: str) -> None:
    done = run("matrix", "wispgate", *implementations)
    assert done.exit_code == 2
    assert said in done.output.replace("\n", " ")


def test_a_matrix_needs_a_vendor_and_a_matrix_to_compare_with(tmp_path: Path) -> None:
    done = run("matrix", "nobody", "a=http://127.0.0.1:9")
    assert (done.exit_code, "there is no vendor 'nobody'" in done.output) == (2, True)
    done = run("matrix", "wispgate", "a=http://127.0.0.1:9", "--policy", "none-new")
    assert (done.exit_code, "--since FILE" in done.output) == (2, True)
    (tmp_path / "since.json").write_text("no json")
    done = run("matrix", "wispgate", "a=http://127.0.0.1:9", "--since", str(tmp_path / "since.json"))
    assert (done.exit_code, "no matrix of an earlier run" in done.output) == (2, True)


def test_what_does_not_answer_stands_in_the_matrix_as_such(tmp_path: Path) -> None:
    files = (tmp_path / "matrix.json", tmp_path / "matrix.html")
    done = run("matrix", "wispgate", "a=http://127.0.0.1:9", "--json", str(files[0]), "--html", str(files[1]))
    assert done.exit_code == 2
    assert "does not answer" in done.output
    told = json.loads(files[0].read_text())
    assert told["implementations"]["a"]["verdict"] == "could not tell"
    assert "could not tell" in files[1].read_text()


def test_each_implementation_of_a_matrix_may_have_a_target_file_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, tuple[str, str]] = {}

    def examine(order: Asked, quiet: Console, waits: Console) -> dict[str, Any]:
        assert order.target_file is not None
        asked[order.target] = (order.target_file.name, order.control)
        empty: dict[str, Any] = {name: [] for name in ("not_tested", "kept", "apart", "known", "findings", "doubts")}
        return {"code": 0, "verdict": "conforms", "vendors": {"wispgate": {**empty, "coverage": {}}}}

    monkeypatch.setattr("conformance.matrix.examine", examine)
    for name in ("mine", "theirs"):
        (tmp_path / f"{name}.yaml").write_text(f"{name}: 1\n")
    sides, files = ("a=http://127.0.0.1:8", "b=http://127.0.0.1:9"), (tmp_path / "mine.yaml", tmp_path / "theirs.yaml")
    arguments = ("--target-file", f"a={files[0]}", "--target-file", str(files[1]), "--control", "b=/_mock")
    assert run("matrix", "wispgate", *sides, *arguments).exit_code == 0
    assert asked == {"http://127.0.0.1:8": ("mine.yaml", ""), "http://127.0.0.1:9": ("theirs.yaml", "/_mock")}


def test_what_is_said_for_all_implementations_is_said_once() -> None:
    done = run("matrix", "wispgate", "a=http://127.0.0.1:9", "--control", "/_mock", "--control", "c=/_mock")
    assert (done.exit_code, "are both for all" in done.output.replace("\n", " ")) == (2, True)
    done = run("matrix", "wispgate", "a=http://127.0.0.1:9", "--target-file", "a=missing.yaml")
    assert (done.exit_code, "'missing.yaml' does not exist" in done.output.replace("\n", " ")) == (2, True)


def test_a_report_that_is_none_cannot_be_replayed(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text("[1]")
    done = run("replay", str(tmp_path / "report.json"), "1")
    assert (done.exit_code, "no JSON report" in done.output.replace("\n", " ")) == (2, True)
    assert run("replay", str(tmp_path / "missing.json"), "1").exit_code == 2


def test_a_baseline_that_makes_no_sense_is_exit_2(tmp_path: Path) -> None:
    (tmp_path / "known.yaml").write_text("- {promise: a}\n")
    done = run("check", "wispgate", "--target", "http://127.0.0.1:9", "--baseline", str(tmp_path / "known.yaml"))
    assert done.exit_code == 2
    assert "known.yaml, entry 1: it needs promise, subject, reason, expires" in done.output


def test_the_promises_are_listed_and_written(tmp_path: Path) -> None:
    assert "\n    What was deleted is shown nowhere" in run("promises").output
    (tmp_path / "gone.md").write_text("<!-- Written by `mockingbill promises` -->")
    (tmp_path / "mine.md").write_text("Notes of my own.")
    assert run("promises", "--write", str(tmp_path)).exit_code == 0
    assert (tmp_path / "README.md").read_text().startswith("# Promises\n")
    assert (tmp_path / "deleted_is_gone.md").read_text().startswith("# deleted_is_gone\n")
    assert (tmp_path / "mine.md").exists()
    assert not (tmp_path / "gone.md").exists(), "a page of a promise that is none any more"


def test_the_pages_of_the_promises_are_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")  # from wherever they are written
    assert run("promises", "--write", str(tmp_path)).exit_code == 0
    kept = Path(__file__).parents[1] / "docs" / "promises"
    written = {file.name: file.read_text() for file in tmp_path.iterdir()}
    assert {file.name: file.read_text() for file in kept.iterdir()} == written, (
        "write them: mockingbill promises --write docs/promises"
    )
    assert {promise.name for promise in all_promises()} == {name.removesuffix(".md") for name in written} - {"README"}
    for promise in all_promises():
        assert promise.sentence in written[f"{promise.name}.md"]
    links = {link for text in written.values() for link in re.findall(r"\]\((?!http)([^)#]+)\)", text)}
    assert [link for link in links if not (kept / link).exists()] == []
