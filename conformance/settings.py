"""What a run was asked for: which contract, which implementation, how much; and the command that asks for it again."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from conformance.limits import UNSAID, Limits

Profile = Literal["smoke", "default", "deep"]
AMOUNTS: dict[Profile, int] = {"smoke": 0, "default": 25, "deep": 100}
"""How many requests for each operation, and scenarios of linked ones, the fuzzing layer makes up; a smoke run does without it."""


@dataclass(frozen=True)
class Settings:
    """What was asked for. `vendor` may be the path of a document; `target` is the base URL of its API."""

    vendor: str
    target: str
    profile: Profile = "default"
    seed: int = 1
    inferred: bool = False
    target_file: Path | None = None
    world: str = ""
    shown_target: str = ""
    control: str = ""
    limits: Limits = UNSAID
    keep: bool = False

    def replay(self, only: str = "") -> str:
        """The command that does this again, in part or as a whole."""
        parts = ["pytest", "--pyargs", "conformance.suite", "--mockingbill-vendor", self.vendor]
        parts += ["--mockingbill-target", self.shown_target or self.target, "--mockingbill-seed", str(self.seed)]
        parts += ["--mockingbill-profile", self.profile]
        parts += ["--mockingbill-include", "inferred"] if self.inferred else []
        parts += ["--mockingbill-target-file", str(self.target_file)] if self.target_file else []
        parts += ["--mockingbill-control", self.control] if self.control else []
        for name, value in self.limits.options().items():
            parts += [f"--mockingbill-{name}", *filter(None, [value])]
        parts += ["--mockingbill-keep"] if self.keep else []
        parts += ["-k", only] if only else []
        return shlex.join(parts)
