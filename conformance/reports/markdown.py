"""The record as Markdown, for the summary of a GitHub step and for whoever reads text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.reports.plain import coverage_rows, described, left_lines
from conformance.reports.record import Record

_SIGNS = {0: "✅", 1: "❌"}
_MOST = 50


def text(told: Record) -> str:
    """The summary: verdict, coverage, findings folded up, what was not tested and why."""
    lines = [f"# {_SIGNS.get(told['code'], '⚠️')} mockingbill: {told['verdict']}", ""]
    lines += [f"{_cell(told['target'])}, profile {told['profile']}, seed {told['seed']}, {told['seconds']} s", ""]
    for vendor, found in told["vendors"].items():
        lines += [f"## {_cell(vendor)}: {found['verdict']}", "", *_coverage(found["coverage"])]
        lines += [f"- **stale**: {_cell(line)}" for line in found["stale"]]
        lines += [f"- **in doubt**: {_cell(line)}" for line in found["doubts"][:_MOST]]
        lines += [f"- **left behind**: {_cell(line)}" for line in left_lines(found["left_behind"])]
        for title, name in (("Findings", "findings"), ("Known", "known"), ("Apart: inferred facts", "apart")):
            if found[name]:
                lines += ["", f"### {title}", "", *_findings(found[name])]
        lines += _not_tested(found["not_tested"])
    return "\n".join(lines) + "\n"


def _coverage(coverage: Mapping[str, Any]) -> Iterator[str]:
    rows = coverage_rows(coverage)
    if not rows:
        return
    yield "| | stated | could be reached (index) | was tested (score) | failed |"
    yield "| --- | --- | --- | --- | --- |"
    for row in rows:
        index, score = f"{row.reachable} ({row.index} %)", f"{row.reached} ({row.score} %)"
        yield f"| {row.kind} | {row.stated} | {index} | {score} | {row.failed} |"
    yield ""


def _findings(findings: Any) -> Iterator[str]:
    for finding in findings[:_MOST]:
        title = f"{finding['promise']}: {finding['subject']}"
        reason = f" (known: {finding['reason']})" if "reason" in finding else ""
        yield f"<details><summary><b>{_html(title)}</b>{_html(reason)}, at {_html(finding['place'])}</summary>"
        yield ""
        lines = "\n".join(described(finding))
        fence = "`" * (3 + max((len(run) for run in lines.split() if set(run) == {"`"}), default=0))
        while fence in lines:
            fence += "`"
        yield f"{fence}text\n{lines}\n{fence}"
        yield "</details>"
        yield ""
    if len(findings) > _MOST:
        yield f"… and {len(findings) - _MOST} more, in the other reports."


def _not_tested(items: Any) -> Iterator[str]:
    if items:
        yield ""
        yield f"<details><summary>not tested: {len(items)}</summary>"
        yield ""
        yield "| promise | subject | why |"
        yield "| --- | --- | --- |"
        for item in items[: 4 * _MOST]:
            yield f"| {_cell(item['promise'])} | {_cell(item['subject'])} | {_cell(item['reason'])} |"
        yield ""
        yield "</details>"


def _cell(text: str) -> str:
    return _html(" ".join(text.split())).replace("|", "\\|")


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
