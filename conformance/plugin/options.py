"""The `--mockingbill-` options, and the ini keys that can stand for them in a project's own configuration."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conformance.limits import Limits
    from conformance.settings import Settings

PROFILES = ("smoke", "default", "deep")
_KEYS = {
    "vendor": "the contract: a vendor's name, or the path of a document",
    "target": "the implementation: the base URL of its API, or an ASGI app factory",
    "target-file": "credentials and known records of an implementation that is not ours (YAML)",
    "control": "where its clock can be moved and its webhooks read",
    "profile": "how much to try: smoke, default or deep",
    "seed": "the seed of everything random",
    "include": "`inferred`: also hold it to inferred facts",
    "timeout": "how many seconds an answer may take",
    "patience": "how many seconds to wait in all where it limits the rate of calls",
    "consistency": "after how many seconds a change shows everywhere",
    "read-only": "make no call that changes anything",
}
"""What may stand in an ini file too, as `mockingbill_vendor` and so on."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the `--mockingbill-` options."""
    group = parser.getgroup("mockingbill", "conformance of an API to its contract")

    def add(name: str, metavar: str | None = None, **how: Any) -> None:
        also = f" (ini: mockingbill_{name.replace('-', '_')})" if name in _KEYS else ""
        how["help"] = _KEYS.get(name) or how["help"]
        group.addoption(f"--mockingbill-{name}", help=how.pop("help") + also, **how, **_shown(metavar))

    add("vendor", "NAME|DOCUMENT")
    add("target", "URL|module:factory")
    add("target-file", "FILE")
    add("control", "URL|/path")
    add("profile", choices=PROFILES)
    add("seed", "NUMBER", type=int)
    add("include", action="append", default=[], choices=("inferred",))
    for name in ("timeout", "patience", "consistency"):
        add(name, "SECONDS")
    add("read-only", action="store_true", default=None)
    add("keep", action="store_true", help="leave what is made where it is")
    add("world", "NAME", default="", help="the name of this run's world; a new one each time by default")
    add("shown", "TARGET", help="how a finding names the implementation, where that is another")
    part = "this is a part of a run: whether every operation succeeded once is judged by whoever joins the parts"
    add("part", action="store_true", help=part)
    add("events", "FILE", help="write what happens to a file, one JSON object a line")
    for name, text in _KEYS.items():
        parser.addini(f"mockingbill_{name.replace('-', '_')}", text, default="")


def _shown(metavar: str | None) -> dict[str, str]:
    return {"metavar": metavar} if metavar else {}


def asked(config: pytest.Config, name: str) -> Any:
    """What an option says, or else the ini file; nothing, where neither does."""
    given = config.getoption(f"--mockingbill-{name}")
    return given if given not in (None, []) else config.getini(f"mockingbill_{name.replace('-', '_')}")


def settings(config: pytest.Config) -> Settings:
    """What is asked for. Raises UsageError."""
    from conformance.settings import Settings

    vendor, target = asked(config, "vendor"), asked(config, "target")
    profile: Any = asked(config, "profile") or "default"
    if not vendor:
        raise pytest.UsageError("--mockingbill-target needs --mockingbill-vendor")
    if profile not in PROFILES:
        raise pytest.UsageError(f"mockingbill_profile is one of {', '.join(PROFILES)}, and not {profile}")
    try:
        seed = 1 if (given := asked(config, "seed")) == "" else int(given)
    except ValueError:
        raise pytest.UsageError("mockingbill_seed is a whole number") from None
    include = asked(config, "include")
    if include and include not in ("inferred", ["inferred"] * len(include)):
        raise pytest.UsageError("mockingbill_include is `inferred`, or is left out")
    return Settings(
        vendor,
        target,
        profile,
        seed,
        bool(include),
        _target_file(config),
        config.getoption("--mockingbill-world") or f"check-{uuid.uuid4().hex[:10]}",
        config.getoption("--mockingbill-shown") or target,
        asked(config, "control") or "",
        _limits(config),
        config.getoption("--mockingbill-keep"),
    )


def _limits(config: pytest.Config) -> Limits:
    """What is said of the target's limits. Raises UsageError."""
    from conformance.limits import Limits

    said = {name: asked(config, name) for name in ("timeout", "patience", "consistency")}
    read_only = asked(config, "read-only")
    if read_only not in (True, None, "", "true", "false"):
        raise pytest.UsageError("mockingbill_read_only is true or false")
    try:
        numbers = {name: float(value) for name, value in said.items() if value not in (None, "")}
        return Limits(**numbers, read_only=read_only in (True, "true"))
    except ValueError as error:
        raise pytest.UsageError(f"the limits of the target: {error}") from None


def _target_file(config: pytest.Config) -> Path | None:
    """The target file: one that an ini file names stands beside it."""
    if given := config.getoption("--mockingbill-target-file"):
        return Path(given)
    named = config.getini("mockingbill_target_file")
    above = config.inipath.parent if config.inipath else config.rootpath
    return above / named if named else None


__all__ = ["asked", "pytest_addoption", "settings"]
