"""The record of a run: everything that reports tell, as plain data. The JSON report is the record itself."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

from conformance.result import VERDICTS, Result

Record = Mapping[str, Any]
_KEPT = ("layer", "promise", "subject", "calls")
_NOT_TESTED = ("layer", "promise", "subject", "reason")


def record(
    results: Sequence[Result], settings: Mapping[str, Any], code: int, began: float = 0.0, seconds: float = 0.0
) -> dict[str, Any]:
    """The record of a run: what was asked, the verdict, and what came of each vendor."""
    return {
        "mockingbill": metadata.version("mockingbill"),
        "code": code,
        "verdict": VERDICTS[code],
        "began": datetime.fromtimestamp(began, UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "seconds": round(seconds, 1),
        **settings,
        "vendors": {result.vendor: _vendor(result) for result in results},
    }


def _vendor(result: Result) -> dict[str, Any]:
    return {
        "code": result.code,
        "verdict": VERDICTS[result.code],
        "document": result.document or result.vendor,
        "base_url": result.base_url,
        "finished": result.finished,
        "planned": result.planned,
        "doubts": result.doubts,
        "left_behind": result.left,
        "findings": result.findings(),
        "known": result.findings("known"),
        "stale": result.stale,
        "apart": result.findings("apart"),
        "not_tested": [{key: o[key] for key in _NOT_TESTED} for o in result.having("not tested")],
        "kept": [{key: o[key] for key in _KEPT} for o in result.having("kept")],
        "statuses": result.counts,
        "coverage": result.coverage,
    }


def text(told: Record) -> str:
    """The record as JSON."""
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"
