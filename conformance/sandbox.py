"""Our own sandbox among the targets: its control API stands beside the vendors, and its health page lists the worlds that were called."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx

from conformance.sending import Sending


def control_beside(base_url: str) -> str:
    """Where the control API of our own sandbox would be, beside a vendor's mount; empty where the vendor is mounted at the root."""
    above, _, name = base_url.rpartition("/")
    return f"{above}/_mock" if name and urlsplit(above).netloc else ""


def worlds_beside(sending: Sending, base_url: str) -> list[str] | None:
    """The worlds that were called at the sandbox of ours that a vendor's base URL belongs to; None where it belongs to none."""
    if not (control := control_beside(base_url)):
        return None
    try:
        return worlds_listed(sending.fetch(f"{control}/health"))
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError):
        return None


def worlds_listed(health: httpx.Response) -> list[str] | None:
    """The worlds that a health page lists; None where it lists none: a server that answers anything is no sandbox of ours."""
    try:
        page = health.json() if health.status_code == 200 else None
    except (ValueError, RecursionError):
        return None
    worlds = page.get("worlds") if isinstance(page, dict) else None
    return worlds if isinstance(worlds, list) else None
