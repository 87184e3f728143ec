"""What came of a run, vendor by vendor, and what that means: the verdicts and the exit codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from conformance.causes import joined

CONFORMS, BREAKS, UNTOLD, STOPPED = 0, 1, 2, 130
VERDICTS = {CONFORMS: "conforms", BREAKS: "does not conform", UNTOLD: "could not tell", STOPPED: "stopped"}


@dataclass
class Result:
    """What came of one vendor: its outcomes as plain data, what stayed in doubt, and whether it was finished.

    `stale` are entries of the baseline that do not hold any more; `fields` what calls held, by operation; `coverage` as `conformance.coverage` says;
    `left` is what the run made and could not delete again, as `Left` says. `gone` is a target that went away, or could not be judged at all,
    whatever was found before.
    `reproduced` where the reproducer of a finding is; `document` is the name or the path by which the contract is read.
    """

    vendor: str
    base_url: str = ""
    planned: int = 0
    outcomes: list[Mapping[str, Any]] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    finished: bool = False
    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)
    stale: list[str] = field(default_factory=list)
    coverage: Mapping[str, Any] = field(default_factory=dict)
    reproduced: dict[str, str] = field(default_factory=dict)
    document: str = ""
    gone: bool = False
    left: list[Mapping[str, Any]] = field(default_factory=list)

    @property
    def code(self) -> int:
        """0 conforms, 1 does not, 2 could not tell, 130 stopped by hand."""
        if self.gone:
            return UNTOLD
        if self.stale or any(outcome["status"] == "broken" for outcome in self.outcomes):
            return BREAKS
        return CONFORMS if self.finished and not self.doubts else UNTOLD

    def having(self, status: str) -> list[Mapping[str, Any]]:
        """The outcomes with a status."""
        return [outcome for outcome in self.outcomes if outcome["status"] == status]

    def findings(self, status: str = "broken") -> list[Mapping[str, Any]]:
        """The findings of the outcomes with a status, one for each cause: those that fail, the known, or those reported apart."""
        found = joined(self.vendor, (finding for outcome in self.having(status) for finding in outcome["findings"]))
        return [{**one, "reproducer": self.reproduced.get(one["id"], "")} for one in found]
