"""A package that is deferred is the package itself as soon as anybody asks for what is in it."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mock_server.app.deferred import defer, release


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package that notes each time it is run, with a module that needs nothing of it, one that does, and one that it imports."""
    name = f"parcel_{tmp_path.name.replace('-', '_')}"
    folder = tmp_path / name
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "import time\nfrom . import late\nruns = globals().get('runs', 0) + 1\ntime.sleep(0.05)\nword = 'hello'\n"
    )
    (folder / "apart.py").write_text("number = 7\n")
    (folder / "late.py").write_text("number = 8\n")
    (folder / "reader.py").write_text(f"import {name}\nword = {name}.word\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return name


def test_modules_of_a_package_are_imported_without_running_it(package: str) -> None:
    defer(package)
    module = __import__(f"{package}.apart")
    assert module.apart.number == 7
    assert "runs" not in vars(module)


def test_the_first_name_that_is_lacking_runs_it_once(package: str) -> None:
    defer(package)
    module = __import__(package)
    assert [module.word, module.late.number, module.runs] == ["hello", 8, 1]
    defer(package)
    assert __import__(package) is module is sys.modules[package]
    assert module.runs == 1


def test_a_module_may_import_from_its_deferred_package(package: str) -> None:
    defer(package)
    assert __import__(f"{package}.reader", fromlist=["word"]).word == "hello"


def test_threads_that_ask_at_once_run_it_once(package: str) -> None:
    defer(package)
    module = __import__(package)
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(module.word)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (found, module.runs) == (["hello"] * 8, 1)


def test_a_package_that_is_released_is_imported_as_ever_from_any_end(package: str) -> None:
    defer(package)
    early = __import__(package)
    release(package)
    late = __import__(f"{package}.late", fromlist=["number"])
    module = sys.modules[package]
    assert module is not early
    assert vars(module)["late"] is late
    assert early.runs == module.runs == 1, "who imported it before gets the names of the one there is"


def test_a_package_that_was_run_is_not_released(package: str) -> None:
    defer(package)
    module = __import__(package)
    assert module.word == "hello"
    release(package)
    assert __import__(package) is module


def test_what_the_mock_defers_can_be_imported_from_any_end() -> None:
    """The tests of an application share the process, and import what they like."""
    script = "import mock_server.app, requests.adapters, requests\nassert requests.Session is requests.sessions.Session"
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0


def test_a_name_that_is_not_there_is_still_an_error(package: str) -> None:
    defer(package)
    with pytest.raises(AttributeError, match="nothing"):
        __import__(package).nothing  # noqa: B018


def test_what_is_not_installed_stays_so() -> None:
    defer("no_such_package_at_all")
    assert "no_such_package_at_all" not in sys.modules


def test_connexion_is_whole_for_who_uses_it_besides() -> None:
    code = (
        "import warnings; warnings.simplefilter('ignore')\n"
        "import mock_server.app.api\n"
        "from connexion.spec import Specification\n"
        "import connexion, requests, connexion.middleware\n"
        "from connexion import AsyncApp\n"
        "assert connexion.spec.Specification is Specification\n"
        "assert issubclass(connexion.middleware.ConnexionMiddleware, object) and connexion.AsyncApp is AsyncApp\n"
        "assert requests.Session().get and requests.adapters.HTTPAdapter\n"
        "print(type(connexion).__name__, AsyncApp(__name__).__class__.__name__)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert (ran.stdout, ran.returncode) == ("module AsyncApp\n", 0), ran.stderr
