"""Where the implementation is, who may call it, and what is known to be there beforehand."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import yaml

from conformance.exchange import is_credential
from conformance.finding import Unreachable
from conformance.limits import KEYS, UNSAID, Limits, taken
from conformance.sending import Sending
from mock_server.contract import Contract, load_fixtures

WORLD_HEADER = "X-Mock-World"


ALONE = "only one tenant's credentials are known"


class BadTarget(Exception):
    """The target, or the file that describes it, makes no sense; the message says what."""


@dataclass(frozen=True)
class Caller:
    """Someone who may call: a token, a tenant, headers of their own, and the records they know by name."""

    name: str
    token: str | None
    tenant: str = ""
    subject: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    known: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)

    def records(self, resource: str) -> tuple[Mapping[str, Any], ...]:
        """The records of a resource known beforehand, the default one first."""
        return tuple(self.known.get(resource, {}).values())


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
    fixtures = load_fixtures(contract)
    names = {
        name: {record.value.get(contract.resources[name].key): record.name for record in records}
        for name, records in fixtures.records.items()
        if name in contract.resources
    }
    if target_file is not None:
        found = _from_file(contract, base_url, world, target_file, names)
        return replace(found, control=control or found.control, limits=limits.over(found.limits))
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
    return Target(base_url.rstrip("/"), callers[0], others, spares, refused, world, names, control, limits)


def _from_file(
    contract: Contract, base_url: str, world: str, path: Path, names: Mapping[str, Mapping[Any, str]]
) -> Target:
    content = _content(path)
    limits = _limits(content)
    control = content.pop("control", None) or ""
    if not isinstance(control, str):
        raise BadTarget("control is a URL, or a path on the target's host")
    second, spare = content.pop("second", None), content.pop("spare", None)
    refused: dict[str, str] = {why: str(content.pop(why)) for why in ("expired", "revoked") if why in content}
    others = (_caller(contract, "second", second),) if second else ()
    spares = (_caller(contract, "spare", spare),) if spare else ()
    caller = _caller(contract, "default", content)
    return Target(base_url.rstrip("/"), caller, others, spares, refused, world, names, control, limits)


def limits_of(target_file: Path | None, said: Limits) -> Limits:
    """The limits that were said, and those of the target file where nothing was. Raises BadTarget."""
    return said.over(_limits(_content(target_file))) if target_file else said


def _content(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadTarget(f"the target file cannot be read: {error}") from None
    if not isinstance(content, dict):
        raise BadTarget(
            "the target file is a mapping: token, tenant, subject, headers, known, second, spare, expired, revoked, control, "
            + ", ".join(KEYS)
        )
    return content


def _limits(content: dict[str, Any]) -> Limits:
    try:
        return taken(content)
    except ValueError as error:
        raise BadTarget(f"the target file says of the target's limits: {error}") from None


def _caller(contract: Contract, name: str, node: Any) -> Caller:
    allowed = {"token", "tenant", "subject", "headers", "known"}
    if not isinstance(node, dict) or not set(node) <= allowed:
        raise BadTarget(
            f"a caller in the target file has {', '.join(sorted(allowed))} and nothing else; {name} has {sorted(node)}"
        )
    known: dict[str, dict[str, Mapping[str, Any]]] = {}
    for resource, records in (node.get("known") or {}).items():
        if resource not in contract.resources:
            raise BadTarget(f"the target file knows a {resource}, which {contract.name} does not have")
        if not isinstance(records, dict):
            raise BadTarget(f"known records of {resource} are a mapping of name to key, or of name to record")
        key = contract.resources[resource].key
        known[resource] = {name: value if isinstance(value, dict) else {key: value} for name, value in records.items()}
    headers = {str(key): str(value) for key, value in (node.get("headers") or {}).items()}
    token = node.get("token")
    return Caller(
        name, None if token is None else str(token), str(node.get("tenant", "")), node.get("subject"), headers, known
    )


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
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        late = (
            f" within {sending.timeout:g} s (--timeout allows longer)"
            if isinstance(error, httpx.TimeoutException)
            else ""
        )
        raise Unreachable(f"{target} does not answer{late}: {error}") from None
    ours = answer.status_code == 200 and "json" in answer.headers.get("content-type", "")
    return f"{root}/{vendor}" if ours else root


@contextlib.contextmanager
def reach(target: str) -> Iterator[str]:
    """The URL of a target; `module:factory` is imported and served in this process meanwhile. Raises BadTarget."""
    if target.startswith(("http://", "https://")):
        yield target
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
    except Exception as error:
        raise BadTarget(f"{target} cannot be made: {type(error).__name__}: {error}") from error
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
