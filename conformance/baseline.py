"""Known findings: a file that says which promises are broken for now, why, and until when. What it knows does not fail; all else does.

An entry that does not hold any more fails too: where what it knows is kept by now, and where its day has passed. So the file stays true.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml

from conformance.causes import cause
from conformance.result import Result
from conformance.target import BadTarget
from mock_server.contract import ContractError
from mock_server.contract.files import read as read_yaml

_NEEDED = ("promise", "subject", "reason", "expires")
_ALLOWED = (*_NEEDED, "vendor", "layer", "fact")
_DAYS = 90


@dataclass(frozen=True)
class Known:
    """One known finding: `vendor`, `layer` and `fact` (the pointer in the document) narrow it down where they are given."""

    promise: str
    subject: str
    reason: str
    expires: date
    place: str
    vendor: str = ""
    layer: str = ""
    fact: str = ""

    def matches(self, vendor: str, finding: Mapping[str, Any]) -> bool:
        """Whether a finding is this one."""
        return (
            (self.promise, self.subject) == (finding["promise"], finding["subject"])
            and self.vendor in ("", vendor)
            and self.layer in ("", finding["layer"])
            and self.fact in ("", finding["pointer"])
        )

    def was_tested(self, result: Result) -> bool:
        """Whether a run looked at what this is about, so that not finding it means something."""
        return result.finished and any(
            outcome["status"] != "not tested"
            and outcome["subject"] == self.subject
            and (outcome["promise"] == self.promise or outcome["layer"] != "promises")
            and self.layer in ("", outcome["layer"])
            for outcome in result.outcomes
        )

    def __str__(self) -> str:
        return f"{self.place} {self.promise} {self.subject}"


def read(path: Path) -> list[Known]:
    """The entries of a baseline. Raises BadTarget, naming the entry that makes no sense."""
    try:
        content = read_yaml(path)
    except ContractError as error:
        raise BadTarget(f"the baseline cannot be read: {error}") from None
    entries = content if content is not None else []
    if not isinstance(entries, list):
        raise BadTarget(f"the baseline {path.name} is a list, each entry with {', '.join(_NEEDED)}")
    return [_entry(f"{path.name}, entry {number}:", entry) for number, entry in enumerate(entries, start=1)]


def _entry(place: str, entry: Any) -> Known:
    if not isinstance(entry, dict) or not set(_NEEDED) <= set(entry) <= set(_ALLOWED):
        raise BadTarget(f"{place} it needs {', '.join(_NEEDED)}, and may have {', '.join(_ALLOWED[len(_NEEDED) :])}")
    expires = entry["expires"]
    try:
        day = date.fromisoformat(str(expires))
    except ValueError:
        raise BadTarget(f"{place} {expires!r} is no day, such as 2026-12-31") from None
    texts = {name: entry[name] for name in _ALLOWED if name != "expires" and entry.get(name) is not None}
    if wrong := next((name for name, text in texts.items() if not isinstance(text, str)), None):
        raise BadTarget(f"{place} its {wrong} is a text; put it in quotes")
    if missing := next((name for name in _NEEDED[:-1] if not texts.get(name, "").strip()), None):
        raise BadTarget(f"{place} it needs a {missing}")
    return Known(expires=day, place=place, **texts)


def apply(known: Sequence[Known], result: Result, today: date) -> None:
    """Set what is known aside in a result, and note the entries that do not hold any more."""
    met: set[Known] = set()
    result.outcomes = [_aside(known, result.vendor, outcome, met, today) for outcome in result.outcomes]
    others = [entry for entry in known if entry.vendor in ("", result.vendor)]
    if result.gone:
        return
    result.stale += [line for entry in others if (line := _stale(entry, result, today, met))]


def entry_for(known: Sequence[Known], vendor: str, finding: Mapping[str, Any], today: date) -> Known | None:
    """The entry that knows a finding, where its day has not passed."""
    return next((entry for entry in known if entry.expires >= today and entry.matches(vendor, finding)), None)


def marked(entry: Known | None, finding: Mapping[str, Any]) -> Mapping[str, Any]:
    """A finding with what is known of it."""
    return {**finding, "reason": entry.reason, "expires": entry.expires.isoformat()} if entry else finding


def _aside(
    known: Sequence[Known], vendor: str, outcome: Mapping[str, Any], met: set[Known], today: date
) -> Mapping[str, Any]:
    entries = [entry_for(known, vendor, finding, today) for finding in outcome["findings"]]
    met.update(filter(None, entries))
    if outcome["status"] != "broken" or not any(entries):
        return outcome
    pairs = list(zip(entries, outcome["findings"], strict=True))
    if all(entries):
        return {**outcome, "status": "known", "findings": [marked(*pair) for pair in pairs]}
    return {**outcome, "findings": [finding for entry, finding in pairs if entry is None]}


def _stale(entry: Known, result: Result, today: date, met: set[Known]) -> str:
    if entry.expires < today:
        occurs = any(entry.matches(result.vendor, finding) for finding in result.findings())
        if not occurs and not entry.was_tested(result):
            return ""
        now = "it still occurs" if occurs else "it does not occur any more"
        return f"{entry}: expired on {entry.expires} and {now}; mend it or remove the entry"
    if entry not in met and entry.was_tested(result):
        return f"{entry}: does not occur any more; remove the entry"
    return ""


def show(results: Sequence[Result], today: date) -> str:
    """A baseline of everything that a run found, as YAML: reasons and days are for whoever keeps it to say."""
    found: dict[str, dict[str, Any]] = {}
    for result in results:
        for finding in (*result.findings(), *result.findings("known")):
            found[cause(result.vendor, finding)] = {
                "vendor": result.vendor,
                "promise": finding["promise"],
                "subject": finding["subject"],
                "fact": finding["pointer"],
                "reason": finding.get("reason", "not looked into yet"),
                "expires": date.fromisoformat(finding["expires"])
                if "expires" in finding
                else today + timedelta(days=_DAYS),
            }
    head = "# Known findings. Each needs a reason and a day; after that day, and once it does not occur any more, it fails.\n"
    return head + (
        yaml.safe_dump(list(found.values()), sort_keys=False, allow_unicode=True, width=120) if found else "[]\n"
    )
