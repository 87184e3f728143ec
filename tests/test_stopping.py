"""Commands that are stopped, and whose output nobody reads: how they end, and what they leave."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

from conformance.workers import scratch_folder, unstopped
from mock_server.cli import main

COMMAND = [sys.executable, "-m", "mock_server"]
STANDS_STILL = """
import asyncio, os, pathlib

def create():
    async def app(scope, receive, send):
        if scope["type"] == "http":
            if not scope["path"].endswith("/_mock/health"):
                pathlib.Path("called").touch()
                await asyncio.sleep(60)
            await send({"type": "http.response.start", "status": 404, "headers": []})
            await send({"type": "http.response.body", "body": b""})
    return app
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_check_that_is_stopped_ends_with_130_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / "still.py").write_text(STANDS_STILL)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    process = subprocess.Popen(
        [*COMMAND, "check", "wispgate", "--target", "still:create", "--report-dir", "reports"],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(scratch)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    waiting = threading.Event()
    for _ in range(600):
        if (tmp_path / "called").exists():
            break
        waiting.wait(0.05)
    process.send_signal(getattr(signal, name))
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert "exit 130: stopped" in said
    assert list(scratch.iterdir()) == []
    assert (tmp_path / "reports" / "report.json").exists()


def half_way(done: list[str]) -> None:
    with unstopped():
        signal.raise_signal(signal.SIGINT)
        done.append("the rest")


def test_what_must_not_be_stopped_half_way_is_stopped_afterwards() -> None:
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        half_way(done)
    assert done == ["the rest"]
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def leave(folders: list[Path]) -> None:
    with scratch_folder() as folder:
        folders.append(folder)
        (folder / "file").write_text("")
        raise KeyboardInterrupt


def test_a_folder_goes_however_it_ends() -> None:
    folders: list[Path] = []
    with pytest.raises(KeyboardInterrupt):
        leave(folders)
    assert [folder.exists() for folder in folders] == [False]


@pytest.mark.parametrize(
    "arguments",
    [("check", "wispgate", "--target", "x:y"), ("matrix", "wispgate", "a=x:y"), ("promises",), ("vendors",)],
)
def test_a_command_that_is_stopped_by_hand_does_not_say_that_it_judged(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    for name in ("conformance.check.check", "conformance.matrix.examine", "conformance.pages.rows"):
        monkeypatch.setattr(name, stopped)
    monkeypatch.setattr("mock_server.cli.load", stopped)
    done = CliRunner().invoke(main, arguments)
    assert (done.exit_code, "Traceback" in done.output) == (130, False)


def test_a_check_that_nobody_listens_to_still_writes_its_reports_and_keeps_its_verdict(tmp_path: Path) -> None:
    command = [*COMMAND, "check", "wispgate", "--target", "http://127.0.0.1:9", "--report-dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
        assert (process.wait(timeout=30), said) == (2, "")
    assert (tmp_path / "junit.xml").exists()


def test_what_a_terminal_cannot_show_is_spelled_out(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("def create():\n    raise ValueError('山')\n")
    done = subprocess.run(
        [*COMMAND, "check", "wispgate", "--target", "broken:create"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (2, "")
    assert r"ValueError: \u5c71" in done.stdout
