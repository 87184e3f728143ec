"""Reads `fixtures/<vendor>/*.yaml`: the records known beforehand, named, each with its tenant and its place in a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mock_server.contract.files import ContractError, escape, line_of, read, shown
from mock_server.contract.model import Contract

GROUPS = ("records", "requests", "answers")


@dataclass(frozen=True, slots=True)
class Record:
    """A record of the fixtures: its name, value, tenant (None for records all tenants share) and `file:line`."""

    resource: str
    name: str
    summary: str
    value: Mapping[str, Any]
    tenant: str | None
    path: Path
    pointer: str

    @property
    def place(self) -> str:
        """`file:line` of the record."""
        return f"{shown(self.path)}:{line_of(self.path, self.pointer)}"


@dataclass(frozen=True)
class Fixtures:
    """Every record known beforehand, by resource, in the order of the files: the first is the default caller's."""

    records: Mapping[str, tuple[Record, ...]]

    @property
    def tenant(self) -> str:
        """The default caller's tenant; empty where the vendor knows none."""
        return next((str(record.value.get("tenant", "")) for record in self.records.get("Credential", ())), "")

    def of(self, resource: str, tenant: str | None = None) -> tuple[Record, ...]:
        """The records of a resource that a tenant sees; the default caller's where no tenant is given."""
        seen_by = self.tenant if tenant is None else tenant
        return tuple(record for record in self.records.get(resource, ()) if record.tenant in (None, seen_by))


def load_fixtures(contract: Contract, folder: Path | None = None) -> Fixtures:
    """Read the fixtures of a contract; a vendor without a folder has none. Raises ContractError with file and line."""
    folder = folder or contract.bundle.path.parent.parent / "fixtures" / contract.name
    files = {path.stem: path for path in sorted(folder.glob("*.yaml"))} if folder.is_dir() else {}
    tenant = ""
    if "Credential" in files:
        first = next(iter(_group(files["Credential"], "records").values()), None)
        value = first.get("value") if isinstance(first, dict) else None
        tenant = str(value.get("tenant", "")) if isinstance(value, dict) else ""
    return Fixtures({name: tuple(_records(contract, name, path, tenant)) for name, path in files.items()})


def _group(path: Path, name: str) -> dict[str, Any]:
    content = read(path)
    if not isinstance(content, dict) or not set(content) <= set(GROUPS):
        raise ContractError(f"a fixtures file has the groups {', '.join(GROUPS)} and nothing else", f"{shown(path)}:1")
    group = content.get(name) or {}
    if not isinstance(group, dict):
        raise ContractError(f"{name} is a mapping of names", f"{shown(path)}:{line_of(path, f'/{name}')}", f"/{name}")
    return group


def _records(contract: Contract, resource: str, path: Path, default: str) -> list[Record]:
    records = _group(path, "records")
    if records and resource not in contract.resources:
        raise ContractError(f"{contract.name} has no resource {resource}", f"{shown(path)}:1", "/records")
    shared = records and contract.resources[resource].scope == "vendor"
    found = []
    for name, example in records.items():
        pointer = f"/records/{escape(name)}"
        if not isinstance(example, dict) or not isinstance(example.get("value"), dict):
            place = f"{shown(path)}:{line_of(path, pointer)}"
            raise ContractError(f"{name} is no Example Object with a value", place, pointer)
        tenant = None if shared else str(example.get("x-tenant", default))
        found.append(Record(resource, name, example.get("summary", ""), example["value"], tenant, path, pointer))
    return found
