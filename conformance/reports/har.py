"""The calls of the findings as an HTTP Archive (HAR 1.2), to be opened in a browser's network panel."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from conformance.reports.plain import coverage_rows
from conformance.reports.record import Record


def text(told: Record) -> str:
    """The archive: a page for each finding, an entry for each of its calls."""
    pages, entries = [], []
    for vendor, found in told["vendors"].items():
        for finding in (*found["findings"], *found["known"], *found["apart"]):
            if finding["steps"]:
                pages.append(_page(vendor, finding))
                entries += [_entry(finding["id"], step) for step in finding["steps"]]
    log = {
        "version": "1.2",
        "creator": {"name": "mockingbill", "version": told["mockingbill"]},
        "comment": _comment(told),
        "pages": pages,
        "entries": entries,
    }
    return json.dumps({"log": log}, indent=1, ensure_ascii=False) + "\n"


def _comment(told: Record) -> str:
    coverage = [
        f"{vendor} {row.kind} index {row.index} %, score {row.score} %, {row.failed} failed"
        for vendor, found in told["vendors"].items()
        for row in coverage_rows(found["coverage"])
    ]
    return "; ".join([f"{told['verdict']}, seed {told['seed']}", *coverage])


def _page(vendor: str, finding: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "startedDateTime": finding["steps"][0]["began"],
        "id": finding["id"],
        "title": f"{vendor} {finding['promise']} {finding['subject']}",
        "pageTimings": {},
        "comment": f"expected {finding['expected']}; observed {finding['observed']}",
    }


def _entry(page: str, step: Mapping[str, Any]) -> dict[str, Any]:
    milliseconds = round(step["seconds"] * 1000, 1)
    return {
        "pageref": page,
        "startedDateTime": step["began"],
        "time": milliseconds,
        "request": _request(step),
        "response": _response(step),
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
    }


def _request(step: Mapping[str, Any]) -> dict[str, Any]:
    body = step["body"]
    kind = next((value for name, value in step["headers"].items() if name.lower() == "content-type"), "")
    query = parse_qsl(urlsplit(step["url"]).query, keep_blank_values=True)
    data = {"postData": {"mimeType": kind, "text": body, **({"comment": "base64"} if step["binary"] else {})}}
    return {
        "method": step["method"],
        "url": step["url"],
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(step["headers"].items()),
        "queryString": _pairs(query),
        **(data if body is not None else {}),
        "headersSize": -1,
        "bodySize": _size(body or ""),
    }


def _response(step: Mapping[str, Any]) -> dict[str, Any]:
    kind = next((value for name, value in step["answered"].items() if name.lower() == "content-type"), "")
    return {
        "status": step["status"],
        "statusText": "",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(step["answered"].items()),
        "content": {"size": _size(step["answer"]), "mimeType": kind, "text": step["answer"]},
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": _size(step["answer"]),
    }


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def _pairs(items: Any) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in items]
