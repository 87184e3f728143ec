"""What the hand-written servers of the small document keep: a dict, an index of the unique field and one of the mail addresses."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

SMALL = Path(__file__).parent.parent / "small"
DOCUMENT = SMALL / "openapi" / "small.yaml"
PAGE = 50


def fixtures(resource: str) -> dict[str, Any]:
    """A fixtures file of the small document."""
    found: dict[str, Any] = yaml.safe_load((SMALL / "fixtures" / "small" / f"{resource}.yaml").read_text())
    return found


def tokens() -> dict[str, str]:
    """The tenant of each token."""
    records = fixtures("Credential")["records"].values()
    return {record["value"]["token"]: record["value"]["tenant"] for record in records}


class Customers:
    """The records, in order of creation."""

    def __init__(self) -> None:
        self.records: dict[str, dict[str, Any]] = {}
        self.by_external_id: dict[str, dict[str, Any]] = {}
        self.by_email: dict[str, list[dict[str, Any]]] = {}
        self._pages: list[dict[str, Any]] = []
        self._keep(dict(fixtures("Customer")["records"]["ada"]["value"]))

    def create(self, body: dict[str, Any]) -> dict[str, Any] | None:
        """The new record; None where its external id is taken."""
        if body["external_id"] in self.by_external_id:
            return None
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return self._keep({"id": f"cus_{len(self._pages) + 1:07d}", **body, "created_at": now, "updated_at": now})

    def with_external_id(self, external_id: str) -> list[dict[str, Any]]:
        """The record with that external id, if there is one."""
        found = self.by_external_id.get(external_id)
        return [] if found is None else [found]

    def page(self, number: int) -> list[dict[str, Any]]:
        """A page, counted from 1."""
        return self._pages[(number - 1) * PAGE : number * PAGE]

    def _keep(self, record: dict[str, Any]) -> dict[str, Any]:
        self.records[record["id"]] = record
        self.by_external_id[record["external_id"]] = record
        self.by_email.setdefault(record["email"], []).append(record)
        self._pages.append(record)
        return record
