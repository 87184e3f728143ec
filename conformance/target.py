"""Where the implementation is, who may call it, and what is known to be there beforehand."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from conformance.address import checked, is_url
from conformance.caller import BadTarget, Caller
from conformance.exchange import is_credential
from conformance.finding import Unreachable
from conformance.limits import UNSAID, Limits
from conformance.sandbox import worlds_listed
from conformance.sending import Sending
from conformance.target_file import control_address, limits_of
from conformance.target_file import read as read_target_file
from mock_server.contract import Contract, load_fixtures

__all__ = [
    "ALONE",
    "WORLD_HEADER",
    "BadTarget",
    "Caller",
    "Target",
    "base_url",
    "describe",
    "limits_of",
    "reach",
    "secrets_of",
    "serve",
]

WORLD_HEADER = "X-Mock-World"
ALONE = "only one tenant's credentials are known"


@dataclass(frozen=True)
class Target:
    """An implementation of one contract.

    `others` are callers of other tenants, `spares` of the same one: an operation on credentials may use one up.
    `refused` maps why to a token that must not work. `control` is where its clock and its sink are, a URL or a path on its host.
    """

    base_url: str
    caller: Caller
    others: tuple[Caller, ...] = ()
    spares: tuple[Caller, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    world: str = ""
    names: Mapping[str, Mapping[Any, str]] = field(default_factory=dict)
    control: str = ""
    limits: Limits = UNSAID


def describe(
    contract: Contract,
    base_url: str,
    world: str,
    target_file: Path | None = None,
    control: str = "",
    limits: Limits = UNSAID,
) -> Target:
    """The target at a URL, with the fixtures' callers and records, or those of a target file. Raises BadTarget.

    What is said of its control address and its limits goes before what the file says.
    """
    base_url, control = base_url.rstrip("/"), control_address(control)
    fixtures = load_fixtures(contract)
    names = {
        name: {record.value.get(contract.resources[name].key): record.name for record in records}
        for name, records in fixtures.records.items()
        if name in contract.resources
    }
    if target_file is not None:
        told = read_target_file(contract, target_file)
        return Target(
            base_url, told.caller, told.others, told.spares, told.refused, world, names,
            control or told.control, limits.over(told.limits),
        )  # fmt: skip
    callers, refused = [], {}
    for credential in fixtures.of("Credential"):
        value = credential.value
        expires = value.get("expires_at")
        if value.get("revoked"):
            refused["revoked"] = str(value["token"])
        elif expires and datetime.fromisoformat(expires) < datetime.now(UTC):
            refused["expired"] = str(value["token"])
        else:
            tenant = str(value.get("tenant", ""))
            known = {
                name: {record.name: record.value for record in fixtures.of(name, tenant)} for name in fixtures.records
            }
            callers.append(Caller(credential.name, str(value["token"]), tenant, value.get("subject"), {}, known))
    if not callers:
        callers = [
            Caller(
                "anonymous",
                None,
                known={name: {r.name: r.value for r in fixtures.of(name)} for name in fixtures.records},
            )
        ]
    others = tuple(caller for caller in callers[1:] if caller.tenant != callers[0].tenant)
    spares = tuple(caller for caller in callers[1:] if caller.tenant == callers[0].tenant)
    return Target(base_url, callers[0], others, spares, refused, world, names, control, limits)


def secrets_of(target: Target) -> dict[str, str]:
    """What must stand in no report, and the shell variable that stands there instead: tokens, and what callers' headers hold."""
    callers = (target.caller, *target.others, *target.spares)
    found = {caller.token: f"$TOKEN{n or ''}" for n, caller in enumerate(callers) if caller.token}
    for why, token in target.refused.items():
        found.setdefault(token, f"${why.upper()}")
    for n, caller in enumerate(callers):
        for name, value in caller.headers.items():
            if is_credential(name) and len(value) > 3:
                found.setdefault(value, f"${name.upper().replace('-', '_')}{n or ''}")
    return found


def base_url(target: str, vendor: str, limits: Limits = UNSAID) -> str:
    """The base URL of a vendor's API at a target.

    `{vendor}` in it is replaced; where our own mock's health page answers below it, it is a server of many vendors and `/vendor` is appended.
    """
    if "{vendor}" in target:
        return target.replace("{vendor}", vendor).rstrip("/")
    root = target.rstrip("/")
    sending = Sending(root, limits)
    try:
        answer = sending.fetch(f"{root}/_mock/health")
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        late = (
            f" within {sending.timeout:g} s (--timeout allows longer)"
            if isinstance(error, httpx.TimeoutException)
            else ""
        )
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            late = " with a certificate that is trusted (SSL_CERT_FILE names a file of more)"
        raise Unreachable(f"{target} does not answer{late}: {error}") from None
    return root if worlds_listed(answer) is None else f"{root}/{vendor}"


@contextlib.contextmanager
def reach(target: str) -> Iterator[str]:
    """The URL of a target; `module:factory` is imported and served in this process meanwhile. Raises BadTarget."""
    if is_url(target):
        yield checked(target)
        return
    module, _, factory = target.partition(":")
    if not module or not factory:
        raise BadTarget(f"{target} is neither a URL (http://…) nor module:factory")
    sys.path.insert(0, os.getcwd())
    try:
        made: Any = importlib.import_module(module)
        for name in factory.split("."):
            made = getattr(made, name)
        app = made()
    except (Exception, SystemExit) as error:  # a module that is a script may end the process, with 0 even
        raise BadTarget(f"{target} cannot be made: {type(error).__name__}: {error}") from error
    if not callable(app):
        raise BadTarget(f"{target} gives {type(app).__name__}, which is no ASGI application")
    with serve(app) as url:
        yield url


@contextlib.contextmanager
def serve(app: Any) -> Iterator[str]:
    """Serve an ASGI app on a free port of this machine, in a thread, for as long as the context lasts."""
    import uvicorn

    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        for _ in range(2000):
            if server.started and server.servers:
                break
            if not thread.is_alive():
                raise BadTarget("the app did not start: its start-up failed")
            time.sleep(0.005)
        else:
            raise BadTarget("the app did not start within ten seconds")
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=5)
