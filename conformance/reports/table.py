"""A matrix of implementations as one HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from conformance.reports.style import STYLE

_CLASSES = {"kept": "good", "broken": "bad", "known": "warn", "apart": "warn", "not tested": "warn"}


def text(told: Mapping[str, Any]) -> str:
    """The page: a row for each promise, a column for each implementation."""
    found = told["implementations"]
    heads = "".join(
        f"<th>{escape(name)}<br><small>{escape(entry['verdict'])}</small></th>" for name, entry in found.items()
    )
    promises = sorted({promise for entry in found.values() for promise in entry["promises"]})
    rows = "".join(f"<tr><th>{escape(promise)}</th>{_cells(found, promise)}</tr>" for promise in promises)
    scores = "".join(f"<td>{share(entry)}</td>" for entry in found.values())
    drift = "".join(
        f"<li>{escape(one['implementation'])} {escape(one['promise'])}: was {escape(one['was'] or 'not there')}, "
        f"is {escape(one['is'] or 'not there')}</li>"
        for one in told["drift"]
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">'
        f"<title>{escape(told['vendor'])}: {len(found)} implementations</title><style>{STYLE}</style></head><body>"
        f'<header><p class="brand">mockingbill matrix</p><h1>{escape(told["vendor"])}</h1>'
        f"<p>profile {escape(told['profile'])}, seed {told['seed']}, {escape(told['began'])}</p></header><main>"
        f'<div class="scroll"><table><thead><tr><th>promise</th>{heads}</tr></thead><tbody>{rows}'
        f"<tr><th>index, score</th>{scores}</tr></tbody></table></div>"
        f"{f'<h2>Drift</h2><ul>{drift}</ul>' if drift else ''}</main></body></html>\n"
    )


def share(entry: Mapping[str, Any]) -> str:
    """The index and the score of an implementation, where the run came to any."""
    return "–" if entry["score"] is None else f"{entry['index']} %, {entry['score']} %"


def _cells(found: Mapping[str, Any], promise: str) -> str:
    entries = (entry["promises"].get(promise, {"state": "", "why": ""}) for entry in found.values())
    return "".join(
        f'<td class="{_CLASSES.get(entry["state"], "")}" title="{escape(entry["why"])}">{entry["state"] or "–"}</td>'
        for entry in entries
    )
