"""What a run was asked to do, as every row gets it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.machine import Cores


@dataclass(frozen=True)
class Settings:
    """Interleaved rounds of so many seconds a measurement, after so many to get warm, at so many connections.

    `records` is the size of the large world, `scale` what counts of requests are multiplied by; `say` reports progress.
    """

    cores: Cores
    say: Callable[[str], None]
    rounds: int = 5
    seconds: float = 3.0
    warm: float = 5.0
    connections: tuple[int, ...] = (1, 16, 64)
    records: int = 1_000_000
    scale: float = 1.0

    def requests(self, count: int) -> int:
        """A number of requests, scaled."""
        return max(200, round(count * self.scale))
