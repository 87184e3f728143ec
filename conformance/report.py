"""What a run says in the end; the names of old, gathered from where they are now."""

from __future__ import annotations

from conformance.reports.terminal import show_finding, summarise
from conformance.result import BREAKS, CONFORMS, STOPPED, UNTOLD, VERDICTS, Result

__all__ = ["BREAKS", "CONFORMS", "STOPPED", "UNTOLD", "VERDICTS", "Result", "show_finding", "summarise"]
