"""The reports of one run: each says what came of it in its own form, none holds a secret, and the page stands in a real browser."""

from __future__ import annotations

import io
import json
import re
import shutil
import struct
import subprocess
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import acme_server
import pytest
from acme import DOCUMENT
from rich.console import Console

from conformance.aftermath import Aftermath
from conformance.check import Asked, examine
from conformance.coverage import KINDS, coverage
from conformance.facts import facts
from conformance.matrix import drifted, judge, matrix, read, show
from conformance.replay import replay
from conformance.reports import FORMATS, Record, write
from conformance.reports.table import text as table
from conformance.result import BREAKS, CONFORMS, STOPPED, UNTOLD, Result
from conformance.scope import Scope
from conformance.scope import read as read_contract
from conformance.target import BadTarget, serve

SECRETS = ("acme-sandbox-001", "acme-sandbox-002", "acme-sandbox-003", "correct horse")


@dataclass(frozen=True)
class Checked:
    """A run against a wrong server: its record, what it said, its files, and where wrong and right servers are."""

    told: Record
    said: str
    folder: Path
    wrong: str
    right: str

    def text(self, name: str) -> str:
        return (self.folder / FORMATS[name][0]).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checked]:
    folder = tmp_path_factory.mktemp("reports")
    stream = io.StringIO()
    console = Console(file=stream, width=200, highlight=False)
    with (
        pytest.MonkeyPatch.context() as patch,
        serve(acme_server.create_app("update-wipes")) as wrong,
        serve(acme_server.create_app()) as right,
    ):
        patch.setenv("GITHUB_STEP_SUMMARY", str(folder / "summary.md"))
        aftermath = Aftermath(
            folder, tuple(FORMATS), write_baseline=folder / "known.yaml", reproducers=folder / "again"
        )
        told = examine(Asked((DOCUMENT,), wrong, "smoke"), console, aftermath)
        yield Checked(told, stream.getvalue(), folder, wrong, right)


def findings(checked: Checked) -> list[dict[str, Any]]:
    return list(checked.told["vendors"]["acme"]["findings"])


def test_every_format_is_written_and_the_json_report_is_the_record(checked: Checked) -> None:
    assert {path.name for path in checked.folder.iterdir() if path.is_file()} == {
        *(file for file, _ in FORMATS.values()),
        "known.yaml",
        "summary.md",
    }
    assert json.loads(checked.text("json")) == json.loads(json.dumps(checked.told))
    assert checked.told["code"] == BREAKS


def test_no_report_holds_a_secret(checked: Checked) -> None:
    files = [path for path in checked.folder.rglob("*") if path.is_file()]
    assert len(files) > 9
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert not [secret for secret in SECRETS if secret in text], path.name
    assert not [secret for secret in SECRETS if secret in checked.said]


def test_a_finding_says_everything_that_is_needed_to_act_on_it(checked: Checked) -> None:
    (finding,) = [one for one in findings(checked) if one["promise"] == "update_changes_only_what_it_names"]
    assert finding["sentence"].startswith("An update changes the properties it names")
    assert finding["provenance"] == "documented"
    assert re.search(r"acme\.yaml:\d+$", finding["place"])
    methods = [step["method"] for step in finding["steps"]]
    assert (methods[0], methods[-1]) == ("POST", "GET") and "PATCH" in methods
    assert list(finding["requests"]) == [step["curl"] for step in finding["steps"]][-12:]
    assert finding["seed"] == 1
    assert Path(finding["reproducer"].removeprefix("pytest ")).is_file()


def test_each_cause_is_told_once(checked: Checked) -> None:
    ids = [finding["id"] for finding in findings(checked)]
    assert len(ids) == len(set(ids))
    told = re.findall(r"^broken +acme (\S+ \S+)$", checked.said, re.M)
    assert len(told) == len(set(told)) == len(ids)


def test_coverage_stands_in_every_report(checked: Checked) -> None:
    counted = checked.told["vendors"]["acme"]["coverage"]
    for kind in KINDS:
        numbers = counted[kind]
        assert numbers["stated"] == sum(numbers[state] for state in ("kept", "failed", "missed", "barred")) > 0
        assert all(one["reason"] for one in numbers["not_kept"]), kind
        for name in FORMATS:
            assert kind in checked.text(name), (kind, name)
        assert kind in checked.said
    assert counted["operations"]["failed"] == 1
    assert "update_changes_only_what_it_names" in {one["name"] for one in counted["promises"]["not_kept"]}


def test_the_line_by_line_report_says_of_each_line_what_it_is(checked: Checked) -> None:
    lines = [json.loads(line) for line in checked.text("jsonl").splitlines()]
    assert lines[0]["kind"] == "run" and lines[0]["seed"] == 1
    kinds = {line["kind"] for line in lines}
    assert {"run", "finding", "kept", "not_tested", "coverage", "vendor"} <= kinds
    assert [line["id"] for line in lines if line["kind"] == "finding"] == [one["id"] for one in findings(checked)]


def test_junit_counts_what_it_holds(checked: Checked) -> None:
    suite = ElementTree.fromstring(checked.text("junit")).find("testsuite")
    assert suite is not None
    cases = suite.findall("testcase")
    assert int(suite.get("tests", "0")) == len(cases)
    assert int(suite.get("failures", "0")) == len(suite.findall("testcase/failure")) == len(findings(checked))
    assert int(suite.get("skipped", "0")) == len(suite.findall("testcase/skipped"))


def test_the_archive_is_one_of_version_1_2(checked: Checked) -> None:
    log = json.loads(checked.text("har"))["log"]
    assert (log["version"], log["creator"]["name"]) == ("1.2", "mockingbill")
    pages = {one["id"] for one in log["pages"]}
    assert pages == {finding["id"] for finding in findings(checked)}
    for entry in log["entries"]:
        assert entry["pageref"] in pages
        assert {"startedDateTime", "time", "request", "response", "cache", "timings"} <= entry.keys()
        assert {"method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize", "bodySize"} <= set(
            entry["request"]
        )
        assert {"status", "statusText", "content", "redirectURL", "headersSize", "bodySize"} <= set(entry["response"])
        assert entry["request"].get("postData", {"mimeType": ""}).keys() >= {"mimeType"}
    assert len(log["entries"]) == sum(len(finding["steps"]) for finding in findings(checked))


def test_the_summary_of_a_step_is_written_without_being_asked_for(checked: Checked) -> None:
    assert (checked.folder / "summary.md").read_text(encoding="utf-8") == checked.text("markdown")
    assert checked.text("markdown").startswith("# ❌ mockingbill: does not conform\n")
    assert checked.text("markdown").count("<details>") == checked.text("markdown").count("</details>") > 1


def test_the_badge_is_a_picture_with_a_title(checked: Checked) -> None:
    root = ElementTree.fromstring(checked.text("badge"))
    assert root.tag.endswith("svg")
    assert "does not conform" in "".join(root.itertext())


LEFT = {"resource": "Customer", "keys": ["cus_1", "cus_2"], "why": "deleteCustomer was answered <403> & no more"}
TOLD = "2 Customer, keys cus_1, cus_2: deleteCustomer was answered <403> & no more"


def leaving(checked: Checked, name: str, *left: dict[str, Any]) -> str:
    """A report of the run, had it left this behind."""
    vendor = {**checked.told["vendors"]["acme"], "left_behind": left}
    return FORMATS[name][1]({**checked.told, "vendors": {"acme": vendor}})


def test_the_page_shows_what_is_left_behind(checked: Checked) -> None:
    assert f"<h3>Left behind</h3><ul><li>{escape(TOLD)}</li></ul>" in leaving(checked, "html", LEFT)
    assert "Left behind" not in leaving(checked, "html")


def test_the_summary_shows_what_is_left_behind(checked: Checked) -> None:
    assert f"\n- **left behind**: {escape(TOLD)}\n" in leaving(checked, "markdown", LEFT)
    assert "left behind" not in leaving(checked, "markdown")


def test_junit_shows_what_is_left_behind(checked: Checked) -> None:
    for left, said in (((LEFT,), f"left behind {TOLD}"), ((), None)):
        suite = ElementTree.fromstring(leaving(checked, "junit", *left)).find("testsuite")
        assert suite is not None
        assert suite.findtext("system-out") == said


# The page ----------------------------------------------------------------------------------------------------------------


class _Page(HTMLParser):
    """Collects what a page refers to, and the tags left open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.outside: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.outside += [f"{name}={value}" for name, value in attrs if name in ("src", "href", "srcset", "data")]
        self.outside += [tag] if tag in ("script", "link", "iframe", "img", "object") else []
        if tag not in ("meta", "br", "img", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop() not in (tag,):
            pass


def test_the_page_needs_nothing_else(checked: Checked) -> None:
    text = checked.text("html")
    found = _Page(text)
    assert found.outside == []
    assert found.open == []
    style = text.partition("<style>")[2].partition("</style>")[0]
    assert "url(" not in style and "@import" not in style


PHONE = """<iframe id=phone width=390 height=800 srcdoc='{}'></iframe><script>onload = () => {{
  const page = document.getElementById('phone').contentDocument.documentElement
  document.title = [page.scrollWidth, page.clientWidth].join('/')
}}</script>"""
"""A page in a window as narrow as a phone's, and how wide it is in there."""
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def browsed(folder: Path, page: Path, *options: str) -> str:
    """What a real browser makes of a page."""
    assert BROWSER is not None
    profile = folder / "profile"
    command = [
        BROWSER,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={profile}",
        *options,
        page.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=folder)
    return done.stdout


def first_pixel(picture: bytes) -> tuple[int, ...]:
    """The colour in the upper left corner of a PNG."""
    assert picture.startswith(b"\x89PNG")
    depth, colour = struct.unpack(">BB", picture[24:26])
    assert depth == 8
    data, at = b"", 8
    while at < len(picture):
        (length,) = struct.unpack(">I", picture[at : at + 4])
        if picture[at + 4 : at + 8] == b"IDAT":
            data += picture[at + 8 : at + 8 + length]
        at += length + 12
    row = zlib.decompress(data)
    return tuple(row[1 : 1 + {2: 3, 6: 3}[colour]])


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium or Chrome on this machine to open the page in")
def test_a_real_browser_shows_the_page_on_a_phone_light_and_dark(checked: Checked, tmp_path: Path) -> None:
    measured = tmp_path / "measured.html"
    text = checked.text("html").replace("&", "&amp;").replace("'", "&#39;")
    measured.write_text(f"<!doctype html><title>-</title>{PHONE.format(text)}", encoding="utf-8")
    shown = browsed(tmp_path, measured, "--dump-dom")
    title = re.search(r"<title>(\d+)/(\d+)</title>", shown)
    assert title is not None, shown[:500]
    assert int(title[1]) <= int(title[2]) <= 390, "nothing is wider than a phone"
    page = checked.folder / "report.html"
    assert "update_changes_only_what_it_names" in browsed(tmp_path, page, "--dump-dom")
    corners = {}
    for name, scheme in (("light", "1"), ("dark", "0")):
        options = (f"--blink-settings=preferredColorScheme={scheme}", "--window-size=390,844")
        browsed(tmp_path, page, *options, f"--screenshot={tmp_path / name}.png")
        corners[name] = first_pixel((tmp_path / f"{name}.png").read_bytes())
    assert min(corners["light"]) > 240
    assert max(corners["dark"]) < 40


def test_a_hostile_text_stays_text(checked: Checked, tmp_path: Path) -> None:
    bad = "<script>alert(1)</script>\"'&|```\ud800\x00"
    finding = {**findings(checked)[0], "observed": bad, "subject": bad, "also": [bad], "requests": (bad,)}
    finding["steps"] = [{**dict(finding["steps"][0]), "answer": bad, "curl": bad}]
    vendor = {**checked.told["vendors"]["acme"], "findings": [finding], "doubts": [bad], "stale": [bad]}
    vendor["left_behind"] = [{"resource": bad, "keys": [bad], "why": bad}]
    told = {**checked.told, "target": bad, "vendors": {"acme": vendor}}
    write(tmp_path, told, tuple(FORMATS))
    assert "<script>" not in (tmp_path / "report.html").read_text() + (tmp_path / "badge.svg").read_text()
    ElementTree.parse(tmp_path / "junit.xml")
    ElementTree.parse(tmp_path / "badge.svg")
    assert len((tmp_path / "report.jsonl").read_text().splitlines()) > 3


def test_the_same_call_many_times_is_shown_once(checked: Checked) -> None:
    finding = findings(checked)[0]
    many = {**finding, "requests": finding["requests"][:1] * 30, "steps": list(finding["steps"][:1]) * 30}
    vendor = {**checked.told["vendors"]["acme"], "findings": [many]}
    told = {**checked.told, "vendors": {"acme": vendor}}
    for name in ("markdown", "html"):
        text = FORMATS[name][1](told)
        assert text.count("curl -X") == 1 and "30 times" in text


def test_a_run_that_came_to_nothing_has_reports_too(tmp_path: Path) -> None:
    stream = io.StringIO()
    aftermath = Aftermath(tmp_path, tuple(FORMATS))
    console = Console(file=stream, width=200)
    told = examine(Asked((DOCUMENT,), "http://127.0.0.1:9", "smoke"), console, aftermath)
    assert told["code"] == UNTOLD
    assert "could not tell" in (tmp_path / "report.html").read_text()
    assert "does not answer" in (tmp_path / "report.md").read_text()


# Coverage ----------------------------------------------------------------------------------------------------------------


def an_outcome(promise: str, subject: str, status: str, reason: str = "") -> dict[str, Any]:
    return {
        "layer": "promises",
        "promise": promise,
        "subject": subject,
        "status": status,
        "reason": reason,
        "findings": (),
    }


def test_coverage_tells_what_could_be_reached_from_what_was() -> None:
    scope = Scope(read_contract(DOCUMENT))
    counts = {"createCustomer": {"201": 3, "422": 1}, "getCustomer": {"404": 2}}
    outcomes = [
        an_outcome("unique_is_refused", "createCustomer external_id", "kept"),
        an_outcome("tenants_never_meet", "createCustomer", "not tested", "there is no second tenant"),
    ]
    found = coverage(scope, outcomes, counts, {"createCustomer": ["> name", "< id"]})
    operations = {one["name"]: one for one in found["operations"]["not_kept"]}
    assert "createCustomer" not in operations
    assert operations["getCustomer"]["reason"] == "never succeeded (404 x2)"
    promises = {one["name"]: one for one in found["promises"]["not_kept"]}
    assert promises["tenants_never_meet"]["state"] == "barred"
    assert promises["tenants_never_meet"]["reason"] == "there is no second tenant"
    assert promises["deleted_is_gone"]["state"] == "missed"
    assert found["fields"]["kept"] == 2
    assert found["promises"]["index"] < 100 and 0 < found["score"] < found["index"] <= 100


def test_facts_are_the_behaviour_that_a_document_states() -> None:
    found = {(fact.key, fact.pointer.rpartition("/")[2]) for fact in facts(Scope(read_contract(DOCUMENT)))}
    assert {("x-vendor", "idempotency"), ("x-resource", "unique"), ("x-action", "x-action")} <= found
    assert not {key for key, _ in found} & {"x-provenance", "x-view", "x-tenant"}


# Again, side by side, written down -----------------------------------------------------------------------------------


def test_a_finding_is_run_again_by_its_number_or_its_id(checked: Checked, tmp_path: Path) -> None:
    report = checked.folder / "report.json"
    number = [one["promise"] for one in findings(checked)].index("update_changes_only_what_it_names") + 1
    stream = io.StringIO()
    console = Console(file=stream, width=200)
    assert replay(report, str(number), console=console) == BREAKS
    assert "still occurs" in stream.getvalue()
    assert replay(report, findings(checked)[number - 1]["id"], checked.right, console) == CONFORMS
    assert "no longer occurs" in stream.getvalue()
    assert replay(report, "99", console=console) == UNTOLD
    assert "there is no finding '99'" in stream.getvalue()
    assert replay(report, str(number), "http://127.0.0.1:9", console) == UNTOLD
    (tmp_path / "other.json").write_text("[]")
    assert replay(tmp_path / "other.json", "1", console=console) == UNTOLD
    assert "no JSON report" in stream.getvalue()


@pytest.mark.slow
def test_a_known_finding_is_told_and_the_run_conforms(checked: Checked) -> None:
    stream = io.StringIO()
    console = Console(file=stream, width=200)
    told = examine(
        Asked((DOCUMENT,), checked.wrong, "smoke"), console, Aftermath(baseline=checked.folder / "known.yaml")
    )
    assert told["code"] == CONFORMS, stream.getvalue()
    assert len(told["vendors"]["acme"]["known"]) == len(findings(checked))
    assert "known   acme update_changes_only_what_it_names" in stream.getvalue()


@pytest.mark.slow
def test_implementations_stand_side_by_side_with_what_has_changed(checked: Checked, tmp_path: Path) -> None:
    stream = io.StringIO()
    console = Console(file=stream, width=200)
    told = matrix(DOCUMENT, {"wrong": checked.wrong, "right": checked.right}, policy="any", console=console)
    assert told["code"] == CONFORMS
    states = {name: entry["promises"] for name, entry in told["implementations"].items()}
    assert states["wrong"]["update_changes_only_what_it_names"]["state"] == "broken"
    assert states["right"]["update_changes_only_what_it_names"]["state"] == "kept"
    before = json.loads(json.dumps(told))
    before["implementations"]["wrong"]["promises"]["update_changes_only_what_it_names"]["state"] = "kept"
    (tmp_path / "before.json").write_text(json.dumps(before))
    drift = drifted(read(tmp_path / "before.json")["implementations"], told["implementations"])
    assert drift == [
        {"implementation": "wrong", "promise": "update_changes_only_what_it_names", "was": "kept", "is": "broken"}
    ]
    show(console, {**told, "drift": drift})
    assert "update_changes_only_what_it_names: was kept, is broken" in stream.getvalue()
    page = _Page(table({**told, "drift": drift}))
    assert (page.outside, page.open) == ([], [])


def test_a_policy_decides_the_exit_status() -> None:
    worse = [{"implementation": "a", "promise": "p", "was": "kept", "is": "broken"}]
    better = [{"implementation": "a", "promise": "p", "was": "broken", "is": "kept"}]
    assert [judge("all", codes, []) for codes in ([0, 0], [0, 1], [0, 2], [1, 2], [])] == [0, 1, 2, 1, 2]
    assert [judge("any", codes, []) for codes in ([0, 1], [1, 1], [2, 1], [2, 2])] == [0, 1, 1, 2]
    assert [judge("none-new", [1], worse), judge("none-new", [1], better), judge("none-new", [2], [])] == [1, 0, 2]
    assert judge("all", [0, STOPPED], []) == STOPPED
    with pytest.raises(BadTarget, match="--since FILE"):
        matrix(DOCUMENT, {}, policy="none-new")


def test_what_is_no_matrix_is_refused(tmp_path: Path) -> None:
    for text in ("", "[]", "{}", '{"implementations": {"a": 1}}'):
        (tmp_path / "since.json").write_text(text)
        with pytest.raises(BadTarget, match="no matrix of an earlier run"):
            read(tmp_path / "since.json")


def test_a_result_without_a_run_conforms_to_nothing() -> None:
    assert Result("acme").code == UNTOLD
    assert Result("acme", finished=True, stale=["an entry"]).code == BREAKS
