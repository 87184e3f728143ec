"""The record as JSON lines: the run, then each outcome and each doubt, then the coverage of each vendor."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from conformance.reports.record import Record


def text(told: Record) -> str:
    """One JSON object a line; `kind` says what it is."""
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in _lines(told))


def _lines(told: Record) -> Iterator[dict[str, Any]]:
    yield {"kind": "run", **{name: value for name, value in told.items() if name != "vendors"}}
    for vendor, found in told["vendors"].items():
        for kind, name in (("finding", "findings"), ("known", "known"), ("apart", "apart")):
            yield from ({"kind": kind, "vendor": vendor, **item} for item in found[name])
        for kind in ("not_tested", "kept"):
            yield from ({"kind": kind, "vendor": vendor, **item} for item in found[kind])
        for kind, name in (("doubt", "doubts"), ("stale", "stale")):
            yield from ({"kind": kind, "vendor": vendor, "message": message} for message in found[name])
        yield from ({"kind": "left_behind", "vendor": vendor, **left} for left in found["left_behind"])
        numbers = {
            name: {key: number for key, number in counted.items() if key != "not_kept"}
            if isinstance(counted, dict)
            else counted
            for name, counted in found["coverage"].items()
        }
        yield {"kind": "coverage", "vendor": vendor, **numbers}
        yield {"kind": "vendor", "vendor": vendor, **{key: found[key] for key in ("code", "verdict", "finished")}}
