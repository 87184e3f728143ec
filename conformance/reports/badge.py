"""The verdict as a badge: a small SVG picture for a README."""

from __future__ import annotations

from html import escape

from conformance.reports.record import Record
from conformance.result import BREAKS, CONFORMS

_COLOURS = {CONFORMS: "#2e7d32", BREAKS: "#c62828"}
_OTHER = "#8a6d00"
_SIGN = 6.6
"""About how wide a letter is, in pixels, at the size of the text."""


def text(told: Record) -> str:
    """The picture: what it is about on the left, the verdict and the score on the right; the coverage where the pointer rests."""
    name = ", ".join(told["vendors"]) or "mockingbill"
    scores = [found["coverage"]["score"] for found in told["vendors"].values() if found["coverage"]]
    share = f", {min(scores):.0f} % tested" if scores else ""
    said = f"{told['verdict']}{share}"
    left, right = (round(len(words) * _SIGN) + 14 for words in (name, said))
    colour = _COLOURS.get(told["code"], _OTHER)
    title = escape(f"{name}: {said}; {_counted(told)}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" aria-label="{title}">'
        f"<title>{title}</title>"
        f'<rect width="{left + right}" height="20" rx="3" fill="#444"/>'
        f'<path d="M{left} 0h{right - 3}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3H{left}z" fill="{colour}"/>'
        f'<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">'
        f'<text x="{left / 2}" y="14">{escape(name)}</text><text x="{left + right / 2}" y="14">{escape(said)}</text>'
        "</g></svg>\n"
    )


def _counted(told: Record) -> str:
    counted = [
        f"{kind} {numbers['kept']} kept, {numbers['failed']} failed, {numbers['stated'] - numbers['kept'] - numbers['failed']} not tested"
        for found in told["vendors"].values()
        for kind, numbers in found["coverage"].items()
        if isinstance(numbers, dict)
    ]
    return "; ".join(counted) or "nothing was tested"
