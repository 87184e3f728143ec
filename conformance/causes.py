"""One finding for each cause: what several layers, or several requests, show of one broken promise is told once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any


def cause(vendor: str, finding: Mapping[str, Any]) -> str:
    """A short name of what is wrong, the same in every run: of the promise, its subject and the place of the fact."""
    text = "\n".join((vendor, finding["promise"], finding["subject"], finding["pointer"]))
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def joined(vendor: str, findings: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The findings, one for each cause: the one with the fewest calls, the layers that met it, and what else they observed."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for finding in findings:
        groups.setdefault(cause(vendor, finding), []).append(finding)
    return [_one(name, group) for name, group in groups.items()]


def _one(name: str, group: list[Mapping[str, Any]]) -> dict[str, Any]:
    shortest = min(group, key=lambda finding: len(finding["requests"]))
    observed = dict.fromkeys(finding["observed"] for finding in group if finding is not shortest)
    return {
        **shortest,
        "id": name,
        "layers": sorted({finding["layer"] for finding in group}),
        "also": [text for text in observed if text != shortest["observed"]][:5],
    }
