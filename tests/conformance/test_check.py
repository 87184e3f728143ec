"""`check`: what it says, what it writes, and how it ends."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import acme_server
import pytest
from acme import DOCUMENT
from rich.console import Console
from starlette.applications import Starlette
from starlette.routing import Mount

from conformance.check import check
from conformance.report import BREAKS, CONFORMS, STOPPED, UNTOLD, Result
from conformance.run import Run
from conformance.settings import Settings
from conformance.target import serve

HERE = Path(__file__).parent


def run_check(target: str, *vendors: str, **options: object) -> tuple[int, str]:
    stream = io.StringIO()
    console = Console(file=stream, width=200, highlight=False)
    code = check(vendors or (DOCUMENT,), target, "smoke", console=console, **options)  # type: ignore[arg-type]
    return code, stream.getvalue()


def test_a_right_server_conforms_and_nothing_is_written_but_the_reports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    app = Starlette(routes=[Mount("/deep/down", acme_server.create_app())])
    with serve(app) as url:
        code, said = run_check(f"{url}/deep/down", report_dir=tmp_path / "reports")
    assert (code, said.splitlines()[-1]) == (CONFORMS, "exit 0: conforms")
    assert list(elsewhere.iterdir()) == []
    report = json.loads((tmp_path / "reports" / "report.json").read_text())["vendors"]["acme"]
    assert report["finished"] is True
    assert report["findings"] == []
    assert len(report["kept"]) > 50
    assert {entry["layer"] for entry in report["kept"]} == {"promises", "responses", "lifecycle"}
    suite = ElementTree.parse(tmp_path / "reports" / "junit.xml").getroot().find("testsuite")
    assert suite is not None
    assert (suite.get("failures"), suite.get("errors")) == ("0", "0")


def test_a_wrong_server_does_not_and_the_finding_can_be_acted_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(HERE)
    monkeypatch.setenv("ACME_FAULT", "update-wipes")
    code, said = run_check("acme_server:from_environment", report_dir=tmp_path)
    assert code == BREAKS
    assert "update_changes_only_what_it_names" in said
    findings = json.loads((tmp_path / "report.json").read_text())["vendors"]["acme"]["findings"]
    finding = next(finding for finding in findings if finding["promise"] == "update_changes_only_what_it_names")
    assert finding["provenance"] == "documented"
    assert finding["place"].endswith(tuple(str(line) for line in range(1, 400)))
    assert finding["pointer"].startswith("/paths/")
    assert "-k update_changes_only_what_it_names" in finding["replay"]
    assert "$TOKEN" in finding["requests"][-1]
    assert "acme-sandbox-001" not in json.dumps(findings)
    suite = ElementTree.parse(tmp_path / "junit.xml").getroot().find("testsuite")
    assert suite is not None
    assert int(suite.get("failures", "0")) >= 1


@pytest.mark.parametrize(
    ("target", "vendors", "said"),
    [
        ("http://127.0.0.1:9", (), "does not answer"),
        ("no-such-thing", (), "neither a URL"),
        ("no_such_module_here:create_app", (), "No module named"),
        ("http://127.0.0.1:9", ("no-such-vendor",), "there is no such file"),
        ("json:loads", (), "cannot be made"),
    ],
)
def test_what_cannot_be_judged_is_exit_2(target: str, vendors: tuple[str, ...], said: str) -> None:
    code, text = run_check(target, *vendors)
    assert code == UNTOLD
    assert said in text
    assert "Traceback" not in text


def test_refused_credentials_are_exit_2(tmp_path: Path) -> None:
    target_file = tmp_path / "target.yaml"
    target_file.write_text("token: not-one-of-theirs\ntenant: north\n")
    with serve(acme_server.create_app()) as url:
        code, said = run_check(url, target_file=target_file)
    assert code == UNTOLD
    assert "refuses the credentials" in said


def test_several_vendors_need_a_place_for_their_names() -> None:
    with serve(acme_server.create_app()) as url:
        code, said = run_check(url, DOCUMENT, "wispgate")
    assert code == UNTOLD
    assert "{vendor}" in said


def test_no_findings_are_no_verdict_where_nothing_succeeded() -> None:
    run = Run.begin(Settings(DOCUMENT, "http://127.0.0.1:9"))
    assert "no create was accepted: createCustomer" in run.unreached()
    assert "getCustomer never succeeded (never called)" in run.unreached()
    assert Result("acme", finished=True).code == CONFORMS
    assert Result("acme", finished=True, doubts=run.unreached()).code == UNTOLD
    assert Result("acme", finished=False).code == UNTOLD


def test_ctrl_c_stops_at_once_with_what_was_found(tmp_path: Path) -> None:
    script = (
        "import sys, acme_server\nfrom pathlib import Path\nfrom conformance.check import check\n"
        f"sys.exit(check([{DOCUMENT!r}], 'acme_server:from_environment', 'deep', report_dir=Path({str(tmp_path)!r})))"
    )
    environment = {**os.environ, "PYTHONPATH": str(HERE), "ACME_FAULT": "unique-ignored"}
    command = [sys.executable, "-W", "ignore", "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        assert "acme" in next(line for line in process.stdout if line.startswith("broken"))
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        rest = process.stdout.read()
        assert process.wait(timeout=20) == STOPPED
        assert time.monotonic() - began < 8
    assert "stopped after" in rest
    assert rest.rstrip().endswith("exit 130: stopped")
    assert json.loads((tmp_path / "report.json").read_text())["vendors"]["acme"]["findings"]


def test_the_suite_runs_alone_under_pytest() -> None:
    command = [sys.executable, "-m", "pytest", "--pyargs", "conformance.suite", "-q", "-p", "no:cacheprovider"]
    options = [
        "--mockingbill-vendor",
        DOCUMENT,
        "--mockingbill-target",
        "acme_server:create_app",
        "-k",
        "unique_is_refused",
    ]
    done = subprocess.run([*command, *options], capture_output=True, text=True, cwd=HERE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_the_suite_is_inert_without_a_target() -> None:
    command = [sys.executable, "-m", "pytest", "--pyargs", "conformance.suite", "-q", "-p", "no:cacheprovider", "-rs"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=HERE)
    assert done.returncode == 2, "it is no evidence"
    assert "4 skipped" in done.stdout
    assert "no implementation is named" in done.stdout
