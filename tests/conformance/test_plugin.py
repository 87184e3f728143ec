"""`pytest --pyargs conformance.suite`, in a folder of its own and under a project's own settings."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import acme_server
import pytest
from serving import ROOT

from conformance.parts import APART
from conformance.plugin.distribution import LAYERS, part_of
from conformance.settings import Settings
from conformance.target import serve
from mock_server import create_app

HERE = Path(__file__).parent
ACME = HERE.parent / "data" / "acme" / "openapi" / "acme.yaml"
STRICT = """
[pytest]
addopts = --strict-markers --strict-config --assert=plain -p no:cacheprovider -p no:schemathesis -p no:hypothesispytest -p no:anyio
filterwarnings = error
empty_parameter_set_mark = fail_at_collect
xfail_strict = true
"""
TARGET = ("--mockingbill-vendor", str(ACME), "--mockingbill-target", "acme_server:create_app")


def suite(folder: Path, *options: str, ini: str = "") -> tuple[int, str]:
    """The exit status of the suite in an empty folder, and what it said; the project's settings are strict ones."""
    (folder / "pytest.ini").write_text(STRICT + ini)
    clean = {name: text for name, text in os.environ.items() if not name.startswith("PYTEST")}
    clean |= {"PYTHONPATH": os.pathsep.join(map(str, (ROOT, HERE)))}
    command = [sys.executable, "-m", "pytest", "-q", "--pyargs", "conformance.suite", *options]
    done = subprocess.run(command, cwd=folder, env=clean, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "in two processes"])
def test_without_an_implementation_it_says_what_to_do_and_does_not_pass(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    code, said = suite(tmp_path, *options)
    assert code == pytest.ExitCode.INTERRUPTED
    assert "could not tell" in said
    assert "no implementation is named: --mockingbill-vendor VENDOR --mockingbill-target URL|module:factory" in said


def test_collecting_is_no_judgement(tmp_path: Path) -> None:
    code, said = suite(tmp_path, "--collect-only", *TARGET)
    assert code == pytest.ExitCode.OK, said
    assert "test_promise_is_kept[unique_is_refused-createCustomer" in said
    assert "could not tell" not in said


def test_options_can_stand_in_the_ini_file(tmp_path: Path) -> None:
    (tmp_path / "sandbox.yaml").write_text("token: nobody-has-this-one\n")
    ini = f"mockingbill_vendor = {ACME}\nmockingbill_target = acme_server:create_app\nmockingbill_profile = smoke\n"
    code, said = suite(tmp_path, "-k", "unique_is_refused", ini=ini)
    assert code == pytest.ExitCode.OK, said
    assert re.search(r"\n\d passed", said)
    code, said = suite(tmp_path, "-k", "unique_is_refused", ini=f"{ini}mockingbill_target_file = sandbox.yaml\n")
    assert code == pytest.ExitCode.INTERRUPTED, said
    assert "the target refuses the credentials" in said, "the target file stands beside the ini file"


@pytest.mark.parametrize(
    ("ini", "reason"),
    [
        ("mockingbill_target = acme_server:create_app\n", "--mockingbill-target needs --mockingbill-vendor"),
        ("mockingbill_target = x:y\nmockingbill_vendor = nobody\n", "nobody.yaml:1: there is no such file"),
        ("mockingbill_target = x:y\nmockingbill_vendor = wispgate\nmockingbill_profile = all\n", "mockingbill_profile is one"),
        ("mockingbill_target = x:y\nmockingbill_vendor = wispgate\nmockingbill_seed = one\n", "mockingbill_seed is a whole"),
        ("mockingbill_target = x:y\nmockingbill_vendor = wispgate\nmockingbill_include = all\n", "mockingbill_include is"),
    ],
)  # fmt: skip
def test_an_ini_file_that_makes_no_sense_is_said(tmp_path: Path, ini: str, reason: str) -> None:
    code, said = suite(tmp_path, ini=ini)
    assert code == pytest.ExitCode.INTERRUPTED
    assert reason in said
    assert "Traceback" not in said


def test_an_ini_file_leaves_a_projects_own_tests_alone(tmp_path: Path) -> None:
    own = tmp_path / "test_own.py"
    own.write_text("def test_own(): ...\n")
    (tmp_path / "pytest.ini").write_text(f"{STRICT}mockingbill_vendor = wispgate\nmockingbill_target = x:y\n")
    command = [sys.executable, "-m", "pytest", "-q", str(own)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == pytest.ExitCode.OK, done.stdout
    assert "could not tell" not in done.stdout


FORGETFUL = """
from mock_server import create_app


def create():
    app = create_app(["wispgate"])

    async def forgetful(scope, receive, send):
        kept = [pair for pair in scope.get("headers", ()) if pair[0] != b"x-idempotency-key"]
        await app({**scope, "headers": kept}, receive, send)

    return forgetful
"""


SMOKE = ("--mockingbill-vendor", "wispgate", "--mockingbill-profile", "smoke", "--mockingbill-target")


@pytest.mark.slow
def test_in_two_processes_what_conforms_passes(tmp_path: Path) -> None:
    code, said = suite(tmp_path, *SMOKE, "mock_server:create_app", "-n", "2", "-vv")
    assert code == pytest.ExitCode.OK, said
    places = {(where, LAYERS[test]) for where, test in re.findall(r"^\[(gw\d)\].*::(\w+)\[", said, re.M)}
    processes = [{where for where, layer in places if layer in part} for part in APART]
    assert [len(found) for found in processes] == [1] * len(APART), "a part is done by one process"
    assert len(set.union(*processes)) == 2, "and not all by the same"
    assert "could not tell" not in said, "each operation succeeded, in one process or the other"


@pytest.mark.slow
def test_in_two_processes_the_findings_are_the_same(tmp_path: Path) -> None:
    (tmp_path / "forgetful.py").write_text(FORGETFUL)
    alone, together = (suite(tmp_path, *SMOKE, "forgetful:create", *more) for more in ((), ("-n", "2")))
    assert (alone[0], together[0]) == (pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.TESTS_FAILED), together[1]
    assert len(failures(alone[1])) == 3
    assert failures(together[1]) == failures(alone[1])
    assert counted(together[1]) == counted(alone[1])


def test_at_a_target_without_worlds_one_process_does_all_of_it() -> None:
    with serve(acme_server.create_app()) as without, serve(create_app(["wispgate"])) as with_worlds:
        one = {part_of(Settings(str(ACME), without, world="w-1"), "acme", layer) for layer in LAYERS.values()}
        several = {
            part_of(Settings("wispgate", with_worlds, world="w-1"), "wispgate", layer) for layer in LAYERS.values()
        }
    gone = {part_of(Settings("wispgate", "http://127.0.0.1:9"), "wispgate", layer) for layer in LAYERS.values()}
    assert (len(one), len(several), len(gone)) == (1, len(APART), 1)


def test_every_test_of_the_suite_has_its_layer() -> None:
    suites = {path.stem.removeprefix("test_"): path for path in (ROOT / "conformance" / "suite").glob("test_*.py")}
    found = {re.findall(r"^def (test_\w+)", path.read_text(), re.M)[0]: layer for layer, path in suites.items()}
    assert found == LAYERS


def failures(said: str) -> list[str]:
    return sorted(re.findall(r"^FAILED \S*?(test_\w+\.py::.*?)(?: - .*)?$", said, re.M))


def counted(said: str) -> list[str]:
    """What the last line counts, without how long it took."""
    return re.findall(r"\d+ (?:passed|failed|skipped|xfailed|error)", said.splitlines()[-1])


@pytest.mark.slow
def test_in_two_processes_a_target_that_is_gone_is_exit_2(tmp_path: Path) -> None:
    code, said = suite(
        tmp_path, "-n", "2", "--mockingbill-vendor", "wispgate", "--mockingbill-target", "http://127.0.0.1:9"
    )
    assert code == pytest.ExitCode.INTERRUPTED
    assert "http://127.0.0.1:9 does not answer" in said
    assert "crashed" not in said
