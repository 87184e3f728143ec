"""Reads the file that describes an implementation which is not ours: who may call, what is there beforehand, and what its limits are.

It is read as the documents are, so a date stays text, `NO` stays a country, and a key that stands twice is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.address import checked, is_url
from conformance.caller import BadTarget, Caller
from conformance.limits import KEYS, Limits, taken
from mock_server.contract import Contract, ContractError
from mock_server.contract.files import read as read_yaml

_OF_A_CALLER = ("token", "tenant", "subject", "headers", "known")
_REFUSED = ("expired", "revoked")
_ALLOWED = (*_OF_A_CALLER, "second", "spare", *_REFUSED, "control", *KEYS)
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[!-~]([ -~\t]*[!-~])?")


@dataclass(frozen=True)
class TargetFile:
    """What a target file says."""

    caller: Caller
    others: tuple[Caller, ...]
    spares: tuple[Caller, ...]
    refused: Mapping[str, str]
    control: str
    limits: Limits


def read(contract: Contract, path: Path) -> TargetFile:
    """What the file says of an implementation of a contract. Raises BadTarget."""
    content = _content(path)
    return TargetFile(
        caller=_caller(contract, "", {key: content[key] for key in _OF_A_CALLER if key in content}),
        others=_named(contract, "second", content),
        spares=_named(contract, "spare", content),
        refused={why: token for why in _REFUSED if (token := _text(content.get(why), why)) is not None},
        control=control_address("" if content.get("control") is None else content["control"]),
        limits=_limits(content),
    )


def limits_of(target_file: Path | None, said: Limits) -> Limits:
    """The limits that were said, and those of the target file where nothing was. Raises BadTarget."""
    return said.over(_limits(_content(target_file))) if target_file else said


def control_address(said: Any) -> str:
    """Where clock and sink are, as it was said. Raises BadTarget."""
    if isinstance(said, str) and is_url(said):
        return checked(said, "control")
    if not isinstance(said, str) or (said and not said.startswith("/")):
        raise BadTarget(f"control is a URL, or a path on the target's host, such as /control; not {said!r}")
    return said


def _content(path: Path) -> dict[str, Any]:
    try:
        content = read_yaml(path)
    except ContractError as error:
        raise BadTarget(f"the target file cannot be read: {error}") from None
    if not isinstance(content, dict):
        raise BadTarget(f"the target file is a mapping: {', '.join(_ALLOWED)}")
    _only(content, _ALLOWED, "the target file")
    return content


def _limits(content: Mapping[str, Any]) -> Limits:
    try:
        return taken(dict(content))
    except ValueError as error:
        raise BadTarget(f"the target file says of the target's limits: {error}") from None


def _only(node: Mapping[str, Any], allowed: tuple[str, ...], what: str) -> None:
    if unknown := [name for name in node if name not in allowed]:
        raise BadTarget(f"{what} has {', '.join(allowed)} and nothing else: there is no {', '.join(unknown)}")


def _named(contract: Contract, name: str, content: Mapping[str, Any]) -> tuple[Caller, ...]:
    node = content.get(name)
    return () if node is None else (_caller(contract, f"{name}: ", _mapping(node, name)),)


def _caller(contract: Contract, where: str, node: Mapping[str, Any]) -> Caller:
    """A caller; `where` begins what is said of it."""
    name = where.partition(":")[0] or "default"
    _only(node, _OF_A_CALLER, f"{name}, a caller in the target file,")
    if name != "default" and not set(node) & {"token", "tenant", "headers"}:
        raise BadTarget(f"{name} in the target file says nothing of who calls: a token, a tenant or headers")
    tenant = node.get("tenant")
    tenant = str(tenant) if isinstance(tenant, int) and not isinstance(tenant, bool) else tenant
    known = _mapping(node.get("known") or {}, f"{where}known")
    return Caller(
        name,
        _text(node.get("token"), f"{where}token"),
        _text(tenant, f"{where}tenant") or "",
        node.get("subject"),
        _headers(_mapping(node.get("headers") or {}, f"{where}headers"), where),
        {resource: _records(contract, resource, records) for resource, records in known.items()},
    )


def _headers(node: Mapping[str, Any], where: str) -> dict[str, str]:
    found = {}
    for name, value in node.items():
        if not _NAME.fullmatch(name):
            raise BadTarget(f"{where}headers in the target file: {name!r} is no name of a header")
        value = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if (text := _text(value, f"{where}headers: {name}")) is None:
            raise BadTarget(f"{where}headers: {name} in the target file has no value")
        found[name] = text
    return found


def _records(contract: Contract, resource: str, records: Any) -> dict[str, Mapping[str, Any]]:
    if resource not in contract.resources:
        raise BadTarget(f"the target file knows a {resource}, which {contract.name} does not have")
    if not isinstance(records, dict):
        raise BadTarget(f"known records of {resource} are a mapping of name to key, or of name to record")
    key = contract.resources[resource].key
    found: dict[str, Mapping[str, Any]] = {
        name: value if isinstance(value, dict) else {key: value} for name, value in records.items()
    }
    for name, record in found.items():
        if record.get(key) is None or isinstance(record[key], dict | list | bool):
            raise BadTarget(f"known records of {resource}: {name} has no key, which is its {key}")
    return found


def _mapping(node: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(node, dict):
        raise BadTarget(f"{what} in the target file is a mapping, and not {type(node).__name__}")
    return node


def _text(value: Any, what: str) -> str | None:
    """A text that can stand in a header; None where nothing is said. What it is may be secret, so no message shows it."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise BadTarget(f"{what} in the target file is a text; put it in quotes")
    if not _VALUE.fullmatch(value):
        raise BadTarget(
            f"{what} in the target file cannot stand in a header: ASCII, no line breaks, no spaces around it"
        )
    return value
