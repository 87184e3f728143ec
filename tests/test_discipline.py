"""The tests' own rules: the slow ones come last, and CI takes no skip for an answer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from serving import ROOT

TESTS = """
import pytest

@pytest.mark.slow
def test_slow(): ...

def test_quick(): ...

def test_skipped():
    pytest.skip("no Node here")
"""


def ran(folder: Path, ci: str, content: str = TESTS) -> tuple[int, str]:
    """The exit status of a run of its own, and what it said."""
    (folder / "test_sample.py").write_text(content)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = slow\n")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-v",
        "-p",
        "discipline",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:schemathesis",
        str(folder),
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests"), "CI": ci}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_slow_tests_run_last(tmp_path: Path) -> None:
    said = ran(tmp_path, "")[1]
    assert said.index("test_quick PASSED") < said.index("test_skipped SKIPPED") < said.index("test_slow PASSED")


def test_a_skip_is_a_failure_in_ci_and_there_alone(tmp_path: Path) -> None:
    assert ran(tmp_path, "")[0] == pytest.ExitCode.OK
    code, said = ran(tmp_path, "true")
    assert code == pytest.ExitCode.TESTS_FAILED
    assert "no Node here" in said


def test_a_module_that_is_skipped_is_a_failure_in_ci(tmp_path: Path) -> None:
    whole = 'import pytest\npytest.skip("not on this machine", allow_module_level=True)\n'
    assert ran(tmp_path, "", whole)[0] == pytest.ExitCode.NO_TESTS_COLLECTED
    code, said = ran(tmp_path, "true", whole)
    assert code == pytest.ExitCode.INTERRUPTED
    assert "not on this machine" in said
