"""Reproducers: for each finding a test that stands alone, and its calls sent again to see that it comes back."""

from __future__ import annotations

import json
import os
import pprint
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx

from conformance import reproduction
from conformance.exchange import Mask

_MARKS = (
    re.compile(r"check-[0-9a-f]{10}", re.I),
    re.compile(r"mockingbill-(?:[0-9a-f]{13}|[0-9a-f]{6})(?![0-9a-z-])", re.I),
)
_UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_HEAD = '''"""{title}

{sentence}
Stated {provenance}, {place}
({pointer})

Expected: {expected}
Observed: {observed}
Seed {seed}; the suite runs it again with: {replay}

The calls are sent to MOCKINGBILL_URL, {base_url} where it is not set, with the credentials that the environment
holds: {names}. The test fails as long as the answers are as wrong as they were.
"""
'''
_TEST = '''
BASE_URL = os.environ.get("MOCKINGBILL_URL", {base_url!r})
ABOUT = {about!r}
DUE = {due!r}
"""The statuses of which the last answer should have one; where there is none, the answers are compared with those recorded."""
MARKS = {marks!r}
STEPS: list[dict[str, Any]] = {steps}


def test_{name}() -> None:
    is_wrong, why = recurs(STEPS, send(STEPS, BASE_URL, MARKS), DUE, ABOUT)
    assert not is_wrong, f"{{ABOUT}} ({{why}})"
'''


def steps_of(finding: Mapping[str, Any], base_url: str) -> list[dict[str, Any]]:
    """The calls of a finding, each with its path below the base URL, or `beside` it on the same host."""
    root, origin = base_url.rstrip("/"), re.sub(r"(://[^/]+).*", r"\1", base_url)
    found = []
    for step in finding["steps"]:
        beside = not step["url"].startswith(root)
        path = step["url"].removeprefix(origin if beside else root)
        kept = {name: step[name] for name in ("method", "headers", "body", "binary", "status", "answered", "answer")}
        found.append({**kept, "path": path, "beside": beside, "offset": step["offset"], "seconds": step["seconds"]})
    return found


def marks_of(steps: Sequence[Mapping[str, Any]]) -> list[str]:
    """What names the recorded run in its calls, to be made new when they are sent again: its world, and its unique values."""
    found: dict[str, None] = {}
    answered = ""
    for step in steps:
        sent = f"{step['path']} {json.dumps(dict(step['headers']))} {step['body'] or ''}"
        for mark in (*_MARKS, _UUID):
            found.update(dict.fromkeys(text for text in mark.findall(sent) if text not in answered))
        answered += step["answer"]
    return list(found)


def text(finding: Mapping[str, Any], base_url: str) -> str:
    """The test as a file's text: the calls of a finding, and all of what sends and compares them."""
    steps = steps_of(finding, base_url)
    names = sorted(set(re.findall(r"\$([A-Z][A-Z0-9_]*)", json.dumps(steps))))
    head = _HEAD.format(
        title=_safe(f"{finding['promise']}: {finding['subject']}"),
        **{name: _safe(str(finding[name])) for name in ("sentence", "provenance", "place", "pointer")},
        **{name: _safe(str(finding[name])) for name in ("expected", "observed", "seed", "replay")},
        base_url=base_url,
        names=", ".join(names) or "none is needed",
    )
    _, body = Path(reproduction.__file__).read_text(encoding="utf-8").split("from __future__", 1)
    body = f"\nfrom __future__{body}"
    return head + body + _TEST.format(
        base_url=base_url,
        about=f"{finding['sentence']} Expected {finding['expected']}; observed {finding['observed']}",
        due=tuple(finding["due"]),
        marks=marks_of(steps),
        steps=pprint.pformat(steps, width=116, sort_dicts=False),
        name=re.sub(r"\W+", "_", f"{finding['promise']}_{finding['subject']}").lower(),
    )  # fmt: skip


def write(folder: Path, vendor: str, finding: Mapping[str, Any], base_url: str) -> Path:
    """Write the test of a finding into a folder, which is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"\W+", "_", f"{vendor}_{finding['promise']}_{finding['subject']}").lower()[:100]
    path = folder / f"test_{name}_{finding['id']}.py"
    path.write_text(text(finding, base_url), encoding="utf-8", errors="backslashreplace")
    return path


def comes_back(finding: Mapping[str, Any], recorded: str, base_url: str, mask: Mask) -> bool | None:
    """Send the calls that were recorded at one URL to another and see whether the finding is there; None where they cannot be sent again."""
    steps = steps_of(finding, recorded)
    if not steps:
        return None
    held = {name.removeprefix("$"): secret for secret, name in mask.known.items()}
    try:
        with patch.dict(os.environ, held):
            answers = reproduction.send(steps, base_url, marks_of(steps))
        about = f"{finding['sentence']} {finding['expected']} {finding['observed']}"
        return reproduction.recurs(steps, answers, tuple(finding["due"]), about)[0]
    except (LookupError, httpx.HTTPError, httpx.InvalidURL, ValueError):
        return None


def _safe(text: str) -> str:
    """Text that can stand in a docstring."""
    return text.replace("\\", "\\\\").replace('"""', "'''")[:1500]
