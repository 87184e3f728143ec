"""What is said of a target that is not ours: each key of a target file, and an address. Nothing wrong comes further, and nothing secret is shown."""

from __future__ import annotations

import json
import ssl
from pathlib import Path

import certifi
import pytest
from click.testing import CliRunner
from test_parts import DOCUMENT

from conformance.address import checked, shown, trusted
from conformance.responses.configuration import configuration
from conformance.run import Run
from conformance.scope import read
from conformance.settings import Settings
from conformance.target import BadTarget, base_url, describe, reach
from mock_server.cli import main


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tokn: x", "there is no tokn"),
        ("{1: x, tokn: y}", "there is no 1, tokn"),
        ("token: a\ntoken: b", "target.yaml:2: the key 'token' stands twice"),
        ("token: {a: b}", "token in the target file is a text"),
        ("token: true", "token in the target file is a text"),
        ('token: "a\\nX-Evil: 1"', "token in the target file cannot stand in a header"),
        ("token: schlüssel", "token in the target file cannot stand in a header"),
        ('token: ""', "token in the target file cannot stand in a header"),
        ("tenant: {}", "tenant in the target file is a text"),
        ("expired: [a]", "expired in the target file is a text"),
        ("revoked: 7", "revoked in the target file is a text"),
        ("headers: [a]", "headers in the target file is a mapping, and not list"),
        ("headers: {X Y: a}", "'X Y' is no name of a header"),
        ("headers: {X: }", "headers: X in the target file has no value"),
        ('headers: {X: "a\\nb"}', "headers: X in the target file cannot stand in a header"),
        ("known: [a]", "known in the target file is a mapping"),
        ("known: {Plan: {gold: }}", "known records of Plan: gold has no key, which is its id"),
        ("known: {Plan: {gold: {price: 1}}}", "gold has no key"),
        ("known: {Plan: {gold: [a]}}", "gold has no key"),
        ("second: 5", "second in the target file is a mapping, and not int"),
        ("second: {}", "second in the target file says nothing of who calls"),
        ("second: {tokn: x}", "second, a caller in the target file,"),
        ("spare: {token: 1.5}", "spare: token in the target file is a text"),
        ("control: junk", "control is a URL, or a path"),
        ("control: http://ada:lovelace@example.com/", "control, http://example.com/, has a name or a password"),
        ("timeout: soon", "timeout is a number of seconds"),
        (f"timeout: {'9' * 400}", "timeout is a number of seconds up to a day"),
        ("[" * 3000, "cannot be read"),
    ],
)
def test_each_mistake_is_said_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "target.yaml"
    path.write_text(text)
    with pytest.raises(BadTarget) as caught:
        describe(read(DOCUMENT), "http://127.0.0.1:9", "w", path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not any(secret in str(caught.value) for secret in ("lovelace", "schlüssel", "X-Evil"))


def test_texts_stay_texts(tmp_path: Path) -> None:
    path = tmp_path / "target.yaml"
    path.write_text("{token: '0123', tenant: 42, expired: 2026-13-45, revoked: NO, subject: [1], second: }")
    target = describe(read(DOCUMENT), "http://127.0.0.1:9", "w", path)
    assert (target.caller.token, target.caller.tenant, target.others) == ("0123", "42", ())
    assert target.refused == {"expired": "2026-13-45", "revoked": "NO"}


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://ada:lovelace@example.com/api", "a name or a password"),
        ("http://example.com/api?token=lovelace", "a query or a fragment"),
        ("http://example.com/api#lovelace", "a query or a fragment"),
        ("http://", "is no URL"),
        ("http://[::1", "is no URL"),
        ("http://example.com:99999", "is no URL"),
        ("http://example.com:http", "is no URL"),
        (f"http://{'a' * 70}.example.com", "is no URL"),
        ("ftp://example.com", "is no URL"),
    ],
)
def test_a_url_below_which_nothing_can_be_called_is_refused(url: str, said: str) -> None:
    with pytest.raises(BadTarget, match=said) as caught, reach(url):
        pass
    assert "lovelace" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://[::1]:8080/a/", "HTTP://EXAMPLE.COM", "https://{vendor}.example.com/v1"])
def test_an_address_of_any_kind_is_taken(url: str) -> None:
    assert checked(url) == shown(url) == url or url.startswith("HTTP")


@pytest.mark.parametrize(("target", "said"), [("sys:exit", "SystemExit"), ("builtins:dict", "no ASGI application")])
def test_a_factory_that_makes_no_application_is_no_evidence(target: str, said: str) -> None:
    done = CliRunner().invoke(main, ["check", "wispgate", "--target", target])
    assert (done.exit_code, said in done.output) == (2, True)


def test_a_secret_in_a_url_stands_in_no_report(tmp_path: Path) -> None:
    target = "http://ada:lovelace@127.0.0.1:9/?key=lovelace"
    arguments = ["check", "wispgate", "--target", target, "--control", target, "--report", "all"]
    done = CliRunner().invoke(main, [*arguments, "--report-dir", str(tmp_path)])
    assert (done.exit_code, "lovelace" in done.output) == (2, False)
    files = [file.read_text() for file in tmp_path.iterdir()]
    assert len(files) == 7
    assert not any("lovelace" in text for text in files)
    done = CliRunner().invoke(main, ["matrix", "wispgate", f"a={target}", "--json", str(tmp_path / "matrix.json")])
    assert (done.exit_code, "lovelace" in done.output) == (2, False)
    assert json.loads((tmp_path / "matrix.json").read_text())["implementations"]["a"]["target"] == "http://127.0.0.1:9/"


def test_whose_certificates_are_trusted_can_be_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    assert trusted() is trusted()
    monkeypatch.setenv("SSL_CERT_FILE", certifi.where())
    context = trusted()
    assert isinstance(context, ssl.SSLContext) and context.cert_store_stats()["x509_ca"] > 0
    run = Run.begin(Settings(DOCUMENT, "https://127.0.0.1:9"))
    with run.client("responses") as client:
        assert configuration(run, client, "responses")["tls-verify"] == certifi.where()
    (tmp_path / "none.pem").write_text("")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    with pytest.raises(BadTarget, match=r"none.pem, holds no certificates"):
        base_url("https://127.0.0.1:9", "acme")


def test_a_vendor_is_named_once() -> None:
    document = str(Path(__file__).parents[2] / "openapi" / "wispgate.yaml")
    done = CliRunner().invoke(main, ["check", "wispgate", document, "--target", "http://127.0.0.1:9"])
    assert (done.exit_code, "named twice: wispgate" in done.output) == (2, True)


@pytest.mark.parametrize("option", ["--report-dir", "--reproducers", "--write-baseline"])
def test_what_cannot_be_written_is_said_before_anything_is_sent(tmp_path: Path, option: str) -> None:
    (tmp_path / "file").write_text("")
    arguments = ["check", "wispgate", "--target", "http://127.0.0.1:9", option, str(tmp_path / "file" / "reports")]
    done = CliRunner().invoke(main, arguments)
    assert (done.exit_code, type(done.exception)) == (2, SystemExit)
    assert "nothing can be written to the folder" in done.output
    assert "does not answer" not in done.output


def test_a_folder_where_a_report_should_stand_is_named(tmp_path: Path) -> None:
    (tmp_path / "junit.xml").mkdir()
    done = CliRunner().invoke(
        main, ["check", "wispgate", "--target", "http://127.0.0.1:9", "--report-dir", str(tmp_path)]
    )
    assert (done.exit_code, type(done.exception)) == (2, SystemExit)
    assert "junit.xml is a folder, and no report can take its place" in done.output.replace("\n", "")
