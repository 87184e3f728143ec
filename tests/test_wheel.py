"""What people install: the built wheel, in an empty environment, far from the checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
import zipfile
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest
from serving import ROOT, serving

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("wheel")]

SHIPPED = ("openapi", "fixtures")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the checkout."""
    target = tmp_path_factory.mktemp("dist")
    run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(target), str(ROOT)], target)
    return next(target.glob("mockingbill-*.whl"))


@pytest.fixture(scope="module")
def elsewhere(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that has the wheel and the exact versions it was tested with, and nothing else."""
    home = tmp_path_factory.mktemp("elsewhere")
    venv.create(home, with_pip=True)
    pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run([*pip, "--constraint", str(ROOT / "constraints.txt"), str(wheel)], home)
    return home


def run(command: Sequence[str], where: Path) -> str:
    """What a command says, run where no checkout is; it must succeed."""
    clean = {name: text for name, text in os.environ.items() if not name.startswith(("PYTHON", "PYTEST"))}
    done = subprocess.run(command, cwd=where, env=clean, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


def mockingbill(home: Path) -> str:
    return str(home / "bin" / "mockingbill")


def test_every_contract_and_fixture_is_shipped(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    written = {
        f"mock_server/_data/{path.relative_to(ROOT)}"
        for folder in SHIPPED
        for path in (ROOT / folder).rglob("*")
        if path.is_file()
    }
    assert len(written) > 30
    assert written - names == set()


def test_every_module_and_its_data_is_shipped(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    written = {
        str(path.relative_to(ROOT))
        for package in ("mock_server", "conformance")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.suffix in (".py", ".yaml", ".typed")
    }
    assert {"mock_server/control.yaml", "mock_server/py.typed", "conformance/py.typed"} <= written
    assert written - names == set()


def test_nothing_else_becomes_an_import_package(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"mock_server", "conformance"}


def test_the_installed_command_lists_its_own_vendors(elsewhere: Path) -> None:
    found = json.loads(run([mockingbill(elsewhere), "vendors", "--json"], elsewhere))
    assert {entry["vendor"] for entry in found} == {path.stem for path in (ROOT / "openapi").glob("*.yaml")}
    assert all(Path(entry["document"]).is_relative_to(elsewhere) for entry in found), "no checkout is read"


def test_the_installed_command_serves_and_checks(elsewhere: Path) -> None:
    command = mockingbill(elsewhere)
    with serving(command=[command], cwd=elsewhere) as server:
        health = httpx.get(f"{server.url}/_mock/health", timeout=60).json()
        assert health["vendors"] == sorted(path.stem for path in (ROOT / "openapi").glob("*.yaml"))
        run([command, "check", "wispgate", "--target", server.url, "--profile", "smoke"], elsewhere)


def test_the_installed_fixture_and_suite_are_there_for_pytest(elsewhere: Path, tmp_path: Path) -> None:
    pytest_there = [str(elsewhere / "bin" / "python"), "-m", "pytest", "-q", "-W", "error", "--strict-markers"]
    (tmp_path / "test_project.py").write_text(
        "def test_a_world(mockingbill):\n"
        "    person = {'full_name': 'Ada Example', 'status': 'active'}\n"
        "    assert mockingbill('wispgate').client.post('/api/v1/subscribers', json=person).status_code == 201\n"
    )
    assert "1 passed" in run([*pytest_there, "test_project.py"], tmp_path)
    target = ["--mockingbill-vendor", "wispgate", "--mockingbill-target", "mock_server:create_app"]
    said = run([*pytest_there, "--pyargs", "conformance.suite", *target, "--mockingbill-profile", "smoke"], tmp_path)
    assert " passed" in said
    assert "failed" not in said


def test_the_installed_contracts_are_in_order(elsewhere: Path) -> None:
    run([mockingbill(elsewhere), "lint"], elsewhere)
