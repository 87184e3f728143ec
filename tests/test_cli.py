"""The command: its help, its lists, its one clear line when something cannot be done."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import click
import httpx
import pytest
from click.testing import CliRunner

from mock_server.cli import main
from mock_server.contract import vendors
from mock_server.faulty import catalogue

COMMANDS = ["serve", "vendors", "lint", "check", "matrix", "replay", "promises"]
BROKEN = "openapi: 3.0.3\ninfo: {title: Broken, version: v1}\nx-vendor: {name: broken, error: Nothing, statuses: {}}\npaths: {}\n"


def run(*arguments: str):
    return CliRunner().invoke(main, arguments)


def one_line(said: str) -> str:
    """The only line that was said, without the command's name."""
    [line] = said.splitlines()
    assert line.startswith("mockingbill: ")
    return line.removeprefix("mockingbill: ")


def process(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mock_server", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env={**os.environ, **environment})


# Help -----------------------------------------------------------------------------------------------------------------


def test_the_help_lists_the_commands_and_where_to_start():
    done = run("--help")

    assert done.exit_code == 0
    assert all(f"  {command} " in done.output for command in COMMANDS)
    assert "Start with:\n    mockingbill serve\n" in done.output
    assert "..." not in done.output.partition("Commands:")[2]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_has_examples(command):
    done = run(command, "-h")

    assert done.exit_code == 0
    assert f"\n    mockingbill {command}" in done.output[done.output.index("Example") :]
    assert done.output.replace("\n", "").isprintable()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_explained(command):
    for parameter in main.commands[command].params:
        assert isinstance(parameter, click.Argument) or parameter.help, parameter.name


def test_the_version_is_told():
    assert run("--version").output.startswith("mockingbill, version 0.")


@pytest.mark.parametrize(
    "arguments",
    [["fly"], ["serve", "--fly"], ["serve", "--port", "x"], ["serve", "--port", "65536"], ["check", "wispgate"]],
)
def test_what_the_command_does_not_know_is_a_usage_error(arguments):
    done = run(*arguments)

    assert done.exit_code == 2
    assert "Usage:" in done.output


@pytest.mark.parametrize("moment", ["tomorrow", "", "2026-13-01", "2026-01-01T00:00:00Z2"])
def test_a_moment_that_cannot_be_read_is_told_with_an_example(moment):
    done = run("serve", "--freeze", moment)

    assert done.exit_code == 2
    assert "2026-01-01T00:00:00Z" in done.output


@pytest.mark.parametrize(
    ("given", "moment"),
    [
        ("2026-01-01T00:00:00Z", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01T02:00:00+02:00", datetime(2026, 1, 1, tzinfo=UTC)),
    ],
)
def test_options_arrive_at_the_server(monkeypatch, given, moment):
    asked = {}
    monkeypatch.setattr("mock_server.app.serving.run", lambda names, **options: asked.update(options, names=names))
    done = run(
        "serve",
        "stykite",
        "pelcro",
        "--freeze",
        given,
        "--seed",
        "7",
        "--port",
        "0",
        "--include",
        "inferred",
        "--open-control",
        "--webhook-host",
        "hooks.example.com",
    )

    assert done.exit_code == 0
    assert asked == {
        "names": ("stykite", "pelcro"),
        "host": "127.0.0.1",
        "port": 0,
        "seed": 7,
        "frozen": moment,
        "inferred": True,
        "open_control": True,
        "webhook_hosts": ("hooks.example.com",),
        "verbose": False,
        "changed": None,
    }


# Faults ---------------------------------------------------------------------------------------------------------------


def test_the_catalogue_of_faults_is_told():
    done = run("serve", "--fault-catalogue", "list")
    lines = done.output.splitlines()

    assert done.exit_code == 0
    assert len(lines) == len(catalogue())
    for line, fault in zip(lines, catalogue().values(), strict=True):
        assert line.split()[:2] == [fault.name, fault.vendor]
        assert line.endswith(f"  {fault.sentence}")
    assert run("serve", "stykite", "--fault-catalogue", "list").output.count("\n") < len(lines) / 2


def test_a_fault_is_served_with_its_vendor_alone(monkeypatch):
    asked = {}
    monkeypatch.setattr("mock_server.app.serving.run", lambda names, **options: asked.update(options, names=names))
    done = run("serve", "--fault-catalogue", "total-a-cent-more")

    assert done.exit_code == 0
    assert asked["names"] == ("pelcro",)
    assert asked["inferred"] is True
    assert asked["changed"] == catalogue()["total-a-cent-more"].installed


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["no-such"], "there is no fault 'no-such' in the catalogue; --fault-catalogue list tells what there is."),
        (["email-twice", "wispgate"], "email-twice is a fault of pelcro, which is not served."),
    ],
)
def test_a_fault_that_cannot_be_served_is_told(arguments, line):
    done = run("serve", "--fault-catalogue", *arguments)

    assert done.exit_code == 2
    assert one_line(done.stderr) == line


# Vendors --------------------------------------------------------------------------------------------------------------


def test_the_vendors_are_listed_as_json():
    done = run("vendors", "--json")
    found = json.loads(done.output)

    assert done.exit_code == 0
    assert [entry["vendor"] for entry in found] == list(vendors())
    for entry in found:
        assert {"vendor", "base_path", "document", "operations", "credentials", "known"} <= set(entry)
        assert sorted(entry["operations"]) == ["documented", "inferred", "published"]
        assert set(entry["credentials"]) <= {"headers", "oauth"}
        assert Path(entry["document"]).is_file()


def test_the_headers_that_are_listed_are_ready_to_send(applications):
    app, transport = applications(inferred=True)
    for entry in json.loads(run("vendors", "--json").output):
        contract = app.engines[entry["vendor"]].contract
        headers = [(name.lower().encode(), value.encode()) for name, value in entry["credentials"]["headers"].items()]
        for operation in contract.operations.values():
            if operation.secured:
                path = operation.path
                for name, value in entry["known"].items():
                    path = path.replace(f"{{{name}}}", str(value))
                answer = transport.exchange(
                    operation.method.upper(), f"/{entry['vendor']}{path}".encode(), headers=headers
                )
                assert answer.status_code != 401, operation.label


def test_the_vendors_are_shown_as_a_table():
    done = run("vendors")

    assert done.exit_code == 0
    assert all(name in done.output for name in vendors())
    assert "Bearer" in done.output


@pytest.mark.parametrize(
    "command", [["serve", "nobody"], ["lint", "nobody"], ["check", "nobody", "--target", "http://127.0.0.1:9"]]
)
def test_an_unknown_vendor_is_one_line_that_names_those_there_are(command):
    done = run(*command)

    assert done.exit_code == 2
    assert one_line(done.stderr) == f"there is no vendor 'nobody'; there are {', '.join(vendors())}."
    assert done.stdout == ""


# What is broken -------------------------------------------------------------------------------------------------------


@pytest.fixture
def broken(tmp_path, monkeypatch):
    """A data folder whose only document is broken."""
    (tmp_path / "openapi").mkdir()
    (tmp_path / "openapi" / "broken.yaml").write_text(BROKEN)
    monkeypatch.setattr("mock_server.contract.build.data_root", lambda: tmp_path)
    monkeypatch.setattr("mock_server.contract.files.data_root", lambda: tmp_path)


@pytest.mark.usefixtures("broken")
@pytest.mark.parametrize(
    "command", [["serve", "--port", "0"], ["serve", "broken", "--port", "0"], ["vendors"], ["vendors", "--json"]]
)
def test_a_broken_document_is_one_line_with_its_place(command):
    done = run(*command)

    assert (done.exit_code, done.stdout) == (2, "")
    assert one_line(done.stderr).startswith("openapi/broken.yaml:")


def test_a_port_in_use_is_one_line(server):
    done = run("serve", "--port", str(server.port))

    assert (done.exit_code, done.stdout) == (2, "")
    assert (
        one_line(done.stderr) == f"the port {server.port} is in use; choose another with --port (0 takes a free one)."
    )


def test_an_address_that_is_not_ours_is_one_line():
    done = run("serve", "--host", "192.0.2.1", "--port", "0")

    assert (done.exit_code, done.stdout) == (2, "")
    assert one_line(done.stderr).startswith("cannot listen on 192.0.2.1:0: ")


# As a process ---------------------------------------------------------------------------------------------------------


def test_it_runs_as_a_module_and_as_a_script():
    script = Path(sys.executable).with_name("mockingbill")
    as_script = subprocess.run([script, "--help"], capture_output=True, text=True, timeout=60)

    assert process("--help").stdout.replace("python -m mock_server", "mockingbill") == as_script.stdout
    assert as_script.returncode == 0


def test_warnings_of_libraries_are_not_shown():
    done = process("vendors", "--json", PYTHONWARNINGS="default")

    assert (done.returncode, done.stderr) == (0, "")


def test_a_list_whose_reader_leaves_is_no_error():
    command = f"'{sys.executable}' -m mock_server vendors --json | head -c 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60)

    assert (done.stdout, done.stderr) == ("[", "")


def test_each_request_is_logged_when_asked_for(running):
    with running("wispgate", "--verbose") as server:
        httpx.get(f"{server.url}/_mock/health")
        server.process.terminate()
        shown, said = server.process.communicate(timeout=10)

    assert '"GET /_mock/health HTTP/1.1" 200' in shown + said
