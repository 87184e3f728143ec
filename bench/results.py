"""What a run finds: figures, one value a round, and ratios of them with what is to be reached. Kept as JSON, a file for each row."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Literal, Self

Sense = Literal["least", "most"]


@dataclass(frozen=True)
class Figure:
    """What was measured of one server, a value for each round."""

    measure: str
    who: str
    unit: str
    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one."""
        return median(self.values)


@dataclass(frozen=True)
class Ratio:
    """How two figures compare, a value for each round. `reach` is what the median must be at `least`, or at `most`; None asks for nothing."""

    measure: str
    against: str
    by: str
    values: tuple[float, ...]
    reach: float | None = None
    sense: Sense = "least"

    @property
    def median(self) -> float:
        """The middle one."""
        return median(self.values)

    @property
    def reached(self) -> bool | None:
        """Whether the median is what was asked for; None where nothing was."""
        if self.reach is None:
            return None
        return self.median >= self.reach if self.sense == "least" else self.median <= self.reach

    @property
    def asked(self) -> str:
        """What is asked for, in words."""
        if self.reach is None:
            return ""
        return f"{'at least' if self.sense == 'least' else 'at most'} {self.reach:g}"


@dataclass(frozen=True)
class Row:
    """All that one row of the benchmarks found, and how."""

    name: str
    title: str
    how: str
    ratios: tuple[Ratio, ...]
    figures: tuple[Figure, ...]
    date: str = ""
    commit: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    machine: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        """Keep it as JSON, with the summaries a reader wants beside the values."""
        folder.mkdir(parents=True, exist_ok=True)
        content = asdict(self)
        for found, ratio in zip(content["ratios"], self.ratios, strict=True):
            found["summary"] = {
                "min": min(ratio.values),
                "median": ratio.median,
                "max": max(ratio.values),
                "reached": ratio.reached,
            }
        path = folder / f"{self.name}.json"
        path.write_text(json.dumps(content, indent=2) + "\n")
        return path

    @classmethod
    def read(cls, path: Path) -> Self:
        """What `write` kept."""
        content = json.loads(path.read_text())
        for found in content["ratios"]:
            del found["summary"]
            found["values"] = tuple(found["values"])
        ratios = tuple(Ratio(**found) for found in content.pop("ratios"))
        figures = tuple(Figure(**{**found, "values": tuple(found["values"])}) for found in content.pop("figures"))
        return cls(**content, ratios=ratios, figures=figures)


def quotient(over: Sequence[float], under: Sequence[float]) -> tuple[float, ...]:
    """Round by round, one value over the other."""
    return tuple(a / b for a, b in zip(over, under, strict=True))
