"""A check in several processes: what is done apart, and that it comes to the same."""

from __future__ import annotations

import importlib.util
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import acme_server
import pytest
from acme import DOCUMENT
from hypothesis.internal import charmap
from rich.console import Console
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from conformance import beginnings, worker, workers
from conformance.check import check
from conformance.parts import Part, has_worlds, join, split
from conformance.report import BREAKS, CONFORMS, UNTOLD, Result
from conformance.run import Run
from conformance.scope import Scope, read
from conformance.settings import Settings
from conformance.target import serve
from mock_server import create_app
from mock_server.faulty import catalogue, faulty

WRONG = catalogue()["cancelled-twice"]


@pytest.fixture(scope="module")
def wrong() -> Iterator[str]:
    with serve(faulty(create_app([WRONG.vendor], inferred=True), WRONG)) as url:
        yield url


def told(url: str, folder: Path, amount: int) -> tuple[int, dict[str, Any], list[str | None]]:
    """What a check says to those who read it by program: code, the vendor's report, the cases of its JUnit report in order."""
    console = Console(file=io.StringIO(), width=200)
    options = {"include_inferred": True, "workers": amount, "report_dir": folder, "console": console}
    code = check(["stykite"], f"{url}/stykite", "smoke", 2, **options)  # type: ignore[arg-type]
    report = json.loads((folder / "report.json").read_text())["vendors"]["stykite"]
    for finding in report["findings"]:
        assert finding.pop("requests") and finding.pop("steps")  # each run has a world of its own, and names in it
        finding.pop("observed")
    for doubt in report["doubts"]:
        assert "0x" not in doubt
    cases = ElementTree.parse(folder / "junit.xml").getroot().iter("testcase")
    return code, report, [case.get("name") for case in cases]


def test_one_process_and_several_say_the_same_in_the_same_order(wrong: str, tmp_path: Path) -> None:
    alone, together = told(wrong, tmp_path / "one", 1), told(wrong, tmp_path / "three", 3)
    assert alone == together
    assert alone[0] == BREAKS
    assert {finding["promise"] for finding in alone[1]["findings"]} >= {WRONG.promise}
    assert {entry["layer"] for entry in alone[1]["kept"]} == {"lifecycle", "promises", "responses"}


def test_a_vendor_is_divided_only_where_there_are_worlds(wrong: str) -> None:
    scope = Scope(read("stykite"))
    whole, smoke = (Settings("stykite", f"{wrong}/stykite", profile, world="w") for profile in ("default", "smoke"))
    assert [part.layers for part in split(smoke, scope)] == [("lifecycle", "promises"), ("responses",)]
    assert [part.layers for part in split(whole, scope)] == [("fuzzing",), ("lifecycle", "promises"), ("responses",)]
    with serve(acme_server.create_app()) as url:
        parts = split(Settings(DOCUMENT, url, world="w"), Scope(read(DOCUMENT)))
    assert [part.layers for part in parts] == [("fuzzing", "lifecycle", "promises", "responses")]


async def _boasting(request: Request) -> JSONResponse:
    return JSONResponse({"status": "up", "worlds": ["default"]})


@pytest.mark.parametrize(
    "page", [_boasting, lambda request: JSONResponse(["worlds"]), lambda request: JSONResponse({})]
)
def test_who_lists_worlds_and_heeds_none_has_none(page: Any) -> None:
    with serve(Starlette(routes=[Route("/_mock/health", page), Mount("/acme", acme_server.create_app())])) as url:
        assert not has_worlds(Settings(DOCUMENT, f"{url}/acme", world="w"))
    assert not has_worlds(Settings(DOCUMENT, "http://127.0.0.1:9/acme", world="w"))


def test_our_sandbox_has_worlds_but_not_inside_one() -> None:
    with serve(create_app(["wispgate"])) as url:
        assert has_worlds(Settings("wispgate", f"{url}/wispgate", world="first"))
        assert not has_worlds(Settings("wispgate", f"{url}/w/other/wispgate", world="second"))


def a_part(counts: dict[str, dict[str, int]], *doubts: str, finished: bool = True, fatal: bool = False) -> Part:
    result = Result("acme", doubts=list(doubts), finished=finished)
    return Part(Settings(DOCUMENT, "http://127.0.0.1:9"), (), 1, result, fatal, counts)


def test_only_the_parts_together_say_what_never_succeeded() -> None:
    scope = Scope(read(DOCUMENT))
    operations = [operation.id for operation in scope.operations]
    others = {"archiveCustomer": {"409": 1, "200": 2}}
    some = {name: {"404": 1, "201": 3} for name in operations if name not in others}
    whole = join(scope, [a_part(some), a_part(others)])
    assert (whole.doubts, whole.finished) == ([], True)
    refusing = a_part({"archiveCustomer": {"409": 1}})
    assert join(scope, [a_part(some), refusing]).doubts == ["archiveCustomer never succeeded (409 x1)"]
    refused = join(scope, [a_part({}, "refused", fatal=True), a_part({}, "refused", fatal=True)])
    assert (refused.doubts, refused.code) == (["refused"], UNTOLD)
    assert not join(scope, [a_part(some), a_part(others, finished=False)]).finished


def test_a_process_that_dies_leaves_its_part_in_doubt_and_the_next_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dying.py").write_text("import sys; sys.stdin.readline(); sys.exit('out of memory')")
    run: Any = workers.subprocess.Popen

    def popen(command: list[str], **options: Any) -> Any:
        return run([sys.executable, str(tmp_path / "dying.py")], **options)

    monkeypatch.setattr(workers.subprocess, "Popen", popen)
    parts = [a_part({}, finished=False), a_part({}, finished=False)]
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    assert workers.run_all(parts, 1, scratch, lambda part, event: None) is False
    assert [part.result.doubts for part in parts] == [["the run ended early: out of memory"]] * 2


def test_a_part_that_is_killed_leaves_the_worker_able_to_go_on(tmp_path: Path) -> None:
    missing = Part(Settings("no-such-vendor", "http://127.0.0.1:9"), ("promises",), 1, Result("none"))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    seen: list[str] = []
    again = Part(Settings("nor-this-one", "http://127.0.0.1:9"), ("promises",), 1, Result("none"))
    workers.run_all([missing, again], 1, scratch, lambda part, event: seen.append(event["kind"]))
    assert seen == ["ended", "ended"]
    assert all("there is no such file" in part.result.doubts[0] for part in (missing, again))


def test_the_characters_that_hypothesis_need_not_find_out_are_those_it_would_find() -> None:
    def encodable(number: int) -> bool:
        try:
            return chr(number).encode().decode() == chr(number)
        except UnicodeEncodeError:
            return False

    intervals, lossy = beginnings._UTF_8
    written = {number for first, last in intervals for number in range(first, last + 1)}
    assert lossy == []
    assert written == {number for number in range(sys.maxunicode + 1) if encodable(number)}


def test_hypothesis_reads_them_where_they_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from hypothesis import configuration
    from hypothesis.internal.conjecture import providers

    monkeypatch.setattr(configuration, "__hypothesis_home_directory", None)
    monkeypatch.setattr(providers, "is_local_module_file", vars(providers)["is_local_module_file"])
    before = configuration.storage_directory().path
    try:
        beginnings.begin(tmp_path)
        file = charmap.charmap_file("codec-v2-utf-8")
        assert tmp_path in file.parents
        written = file.stat().st_mtime_ns
        encodable, lossy = charmap.intervals_from_codec.__wrapped__("utf-8")
        assert encodable.intervals == tuple(map(tuple, beginnings._UTF_8[0]))
        assert not lossy.intervals
        assert written
    finally:
        configuration.set_hypothesis_home_dir(before)


def test_the_same_seed_makes_the_same_calls() -> None:
    def made() -> dict[str, Any]:
        with serve(create_app(["wispgate"])) as url:
            run = Run.begin(Settings("wispgate", f"{url}/wispgate", "smoke", 3, world="again"))
            from conformance import responses

            responses.execute(run)
            return {name: dict(found) for name, found in run.ledger.counts.items()}

    assert made() == made()


@pytest.mark.parametrize("name", worker._BEFOREHAND)
def test_what_a_worker_reads_in_beforehand_is_there(name: str) -> None:
    assert importlib.util.find_spec(name)


def test_the_tests_of_whoever_calls_take_no_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "conftest.py").write_text("raise SystemExit('taking part')")
    (tmp_path / "conftest.py").write_text("raise SystemExit('taking part')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTEST_ADDOPTS", "--no-such-option")
    with serve(create_app(["wispgate"])) as url:
        stream = io.StringIO()
        code = check(["wispgate"], f"{url}/wispgate", "smoke", console=Console(file=stream, width=200))
    assert code == CONFORMS, stream.getvalue()
