"""The record as one HTML page that needs nothing else: no script, no font, no picture from anywhere. Light and dark, wide and narrow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import groupby
from typing import Any

from conformance.reports.plain import Row, coverage_rows, left_lines
from conformance.reports.record import Record
from conformance.reports.style import STYLE

_MOST = 300
"""How many lines of what was not tested are shown of each kind; the JSON report has all."""


def text(told: Record) -> str:
    """The page."""
    verdict = escape(told["verdict"])
    vendors = "".join(_vendor(name, found) for name, found in told["vendors"].items())
    facts = (("target", told["target"]), ("profile", told["profile"]), ("seed", told["seed"]), ("began", told["began"]))
    asked = "".join(f"<div><dt>{name}</dt><dd>{escape(str(value))}</dd></div>" for name, value in facts)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{verdict}: {escape(', '.join(told['vendors']))}</title><style>{STYLE}</style></head><body>"
        f'<header><p class="brand">mockingbill {escape(told["mockingbill"])}</p>'
        f'<h1 class="code{min(told["code"], 2)}">{verdict}</h1><dl class="asked">{asked}'
        f"<div><dt>took</dt><dd>{told['seconds']} s</dd></div></dl></header><main>{vendors}</main></body></html>\n"
    )


def _vendor(name: str, found: Mapping[str, Any]) -> str:
    groups = (
        ("Findings", found["findings"], True),
        ("Known findings", found["known"], False),
        ("Apart: what rests on inferred facts", found["apart"], False),
    )
    findings = "".join(
        f"<h3>{title} <small>{len(items)}</small></h3>{''.join(_finding(item, is_open) for item in items)}"
        for title, items, is_open in groups
        if items
    )
    notes = (
        ("Stale in the baseline", found["stale"]),
        ("In doubt", found["doubts"]),
        ("Left behind", left_lines(found["left_behind"])),
    )
    lists = "".join(f"<h3>{title}</h3>{_list(lines)}" for title, lines in notes if lines)
    unfinished = "" if found["finished"] else "<p class=warn>The run was not finished.</p>"
    return (
        f'<section id="{escape(name)}"><h2>{escape(name)} <span class="tag code{min(found["code"], 2)}">'
        f"{escape(found['verdict'])}</span></h2>{unfinished}{_coverage(found['coverage'])}{findings}{lists}"
        f"{_kept(found)}{_missing(found['coverage'])}</section>"
    )


def _coverage(coverage: Mapping[str, Any]) -> str:
    rows = coverage_rows(coverage)
    if not rows:
        return "<p class=warn>Nothing was tested.</p>"
    total = f"<p>index <b>{coverage['index']} %</b>, score <b>{coverage['score']} %</b></p>"
    legend = "<p class=note>Index: what could be reached of all that is stated. Score: what was tested of that.</p>"
    return f"<h3>Coverage</h3>{total}<div class=bars>{''.join(_bar(row) for row in rows)}</div>{legend}"


def _bar(row: Row) -> str:
    parts = (
        ("kept", row.reached - row.failed),
        ("failed", row.failed),
        ("missed", row.missed),
        ("barred", row.barred),
    )
    shares = "".join(
        f'<i class="{name}" style="flex-grow:{number}" title="{number} {name}"></i>' for name, number in parts if number
    )
    failed = f", <b>{row.failed} failed</b>" if row.failed else ""
    said = f"{row.reached} of {row.reachable} tested{failed}; index {row.index} %, score {row.score} %"
    return f"<div><strong>{row.kind}</strong><span class=bar>{shares}</span><span>{said}</span></div>"


def _finding(finding: Mapping[str, Any], is_open: bool) -> str:
    known = f"<p class=note>Known until {escape(str(finding['expires']))}: {escape(finding['reason'])}</p>" if (
        "reason" in finding
    ) else ""  # fmt: skip
    also = "".join(f"<dt>also</dt><dd>{escape(text)}</dd>" for text in finding.get("also", ()))
    where = f"{finding['place']} {finding['pointer']}"
    alone = finding.get("reproducer")
    reproducer = f"<dt>alone</dt><dd><code>{escape(alone)}</code></dd>" if alone else ""
    return (
        f'<details{" open" if is_open else ""} id="{finding["id"]}"><summary><b>{escape(finding["promise"])}</b> '
        f"{escape(finding['subject'])}</summary>{known}<blockquote>{escape(finding['sentence'])}</blockquote><dl>"
        f"<dt>stated</dt><dd>{escape(finding['provenance'])}, <code>{escape(where)}</code></dd>"
        f"<dt>expected</dt><dd>{escape(finding['expected'])}</dd><dt>observed</dt><dd>{escape(finding['observed'])}</dd>"
        f"{also}</dl><ol class=steps>{''.join(_steps(finding['steps']))}</ol>"
        f"<dl><dt>seed</dt><dd>{finding['seed']}</dd><dt>again</dt><dd><code>{escape(finding['replay'])}</code></dd>"
        f"{reproducer}</dl></details>"
    )


def _steps(steps: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Each call with its answer; the same call several times in a row stands once, with all its answers."""
    for curl, same in groupby(steps, key=lambda step: step["curl"]):
        group = list(same)
        times = f"<p class=note>{len(group)} times</p>" if len(group) > 1 else ""
        yield f"<li>{times}<pre>{escape(curl)}</pre>{''.join(map(_answer, group))}</li>"


def _answer(step: Mapping[str, Any]) -> str:
    answer = escape(step["answer"][:2000]) or "<i>no body</i>"
    took = round(step["seconds"] * 1000)
    return f"<details><summary>answered {step['status']} in {took} ms</summary><pre>{answer}</pre></details>"


def _kept(found: Mapping[str, Any]) -> str:
    untested = [f"{o['promise']} {o['subject']}: {o['reason']}" for o in found["not_tested"]]
    kept = [f"{o['promise']} {o['subject']}" for o in found["kept"]]
    return _folded("Not tested", untested) + _folded("Kept", kept)


def _missing(coverage: Mapping[str, Any]) -> str:
    return "".join(
        _folded(f"{kind}: not kept", [f"{one['name']}: {one['state']}, {one['reason']}" for one in counted["not_kept"]])
        for kind, counted in coverage.items()
        if isinstance(counted, dict)
    )


def _folded(title: str, lines: Sequence[str]) -> str:
    return f"<details><summary>{title} <small>{len(lines)}</small></summary>{_list(lines)}</details>" if lines else ""


def _list(lines: Sequence[str]) -> str:
    more = f"<li>… and {len(lines) - _MOST} more, in the JSON report</li>" if len(lines) > _MOST else ""
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines[:_MOST])}{more}</ul>"
