"""The parts of a check: what each process does on its own, and how what came of them is put together again.

A part is the same whoever does it and when: its layers make their records in worlds that no other part sees. So the verdict does not depend on
how many processes there are. Where a target has no worlds, a vendor is one part: two at once would meet in each other's lists.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from conformance.cleaning import STOPPED, gathered
from conformance.finding import Unreachable
from conformance.preflight import preflight
from conformance.report import Result
from conformance.run import UNTESTED, Run, unreached
from conformance.sandbox import worlds_beside
from conformance.scope import Scope
from conformance.settings import AMOUNTS, Settings

_LAYERS = {"fuzzing": 9, "lifecycle": 2, "promises": 2, "responses": 10}
"""Each layer, and how long it takes beside the others, roughly: what takes long is begun first."""
APART = (("fuzzing",), ("lifecycle", "promises"), ("responses",))
"""The layers that make a part each, where there are worlds."""


@dataclass(eq=False)
class Part:
    """Layers of one vendor, and what came of them so far; `fatal` where the target could not be judged at all.

    `there` are the records that it made and did not delete, as far as it told, each with the reason why it is still there.
    """

    settings: Settings
    layers: tuple[str, ...]
    weight: int
    result: Result
    fatal: bool = False
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)
    excused: Mapping[str, str] = field(default_factory=dict)
    there: dict[tuple[str, Any], str] = field(default_factory=dict)

    def arguments(self) -> list[str]:
        """What pytest is told."""
        chosen = self.settings
        options: dict[str, Any] = {"vendor": chosen.vendor, "target": chosen.target, "shown": chosen.shown_target}
        options |= {"profile": chosen.profile, "seed": chosen.seed, "world": chosen.world}
        options |= {"include": "inferred"} if chosen.inferred else {}
        options |= {"target-file": chosen.target_file} if chosen.target_file else {}
        options |= {"control": chosen.control} if chosen.control else {}
        said = chosen.limits.options().items()
        modules = [f"conformance.suite.test_{layer}" for layer in self.layers]
        keep = ["--mockingbill-keep"] if chosen.keep else []
        limits = [f"--mockingbill-{name}={value}" if value else f"--mockingbill-{name}" for name, value in said]
        told = [f"--mockingbill-{name}={value}" for name, value in options.items()]
        return ["--pyargs", *modules, "--mockingbill-part", *told, *limits, *keep]

    def take(self, event: Mapping[str, Any]) -> None:
        """Take in something the process tells."""
        if event["kind"] == "planned":
            self.result.planned = event["count"]
        elif event["kind"] == "outcome":
            self.result.outcomes.append(event)
        elif event["kind"] == "made":
            self.there[event["resource"], event["key"]] = STOPPED
        elif event["kind"] == "gone":
            self.there.pop((event["resource"], event["key"]), None)
        elif event["kind"] == "left":
            self.there |= {(event["resource"], key): event["why"] for key in event["keys"]}
        elif event["kind"] == "finished":
            self.result.finished = True
            self.result.doubts += event["doubts"]
            self.result.base_url = event["base_url"]
            self.fatal = event["fatal"]
            self.excused = event["excused"]
            self.counts = event["counts"]
            self.fields = event["fields"]


def split(settings: Settings, scope: Scope) -> list[Part]:
    """The parts of a vendor's check, in the order in which they are reported."""
    apart = has_worlds(settings)
    layers = tuple(layer for layer in _LAYERS if layer != "fuzzing" or AMOUNTS[settings.profile])
    groups = [tuple(layer for layer in layers if layer in group) for group in (APART if apart else [layers])]
    size = len(scope.operations)
    name = scope.contract.name
    weights = [size * sum(_LAYERS[layer] for layer in group) for group in groups]
    return [Part(settings, *part, Result(name)) for part in zip(groups, weights, strict=True) if part[0]]


def has_worlds(settings: Settings) -> bool:
    """Whether what is done at a target in one world is not seen in another, as in our own sandbox.

    Its health page lists the worlds that were called. Nobody is believed who merely has such a page: a world that is called now must appear in it.
    """
    run = Run.begin(settings)
    if worlds_beside(run.sending, run.target.base_url) is None:
        return False
    with contextlib.suppress(Unreachable):
        preflight(run)
    return bool(run.in_own_worlds)


def join(scope: Scope, parts: Sequence[Part]) -> Result:
    """What came of a vendor's parts, in their order; only the whole can say which operations never succeeded."""
    results = [part.result for part in parts]
    counts: dict[str, Counter[str]] = {}
    for part in parts:
        for operation, found in part.counts.items():
            counts.setdefault(operation, Counter()).update(found)
    whole = Result(
        scope.contract.name,
        next((result.base_url for result in results if result.base_url), ""),
        sum(result.planned for result in results),
        [outcome for result in results for outcome in result.outcomes],
        list(dict.fromkeys(doubt for result in results for doubt in result.doubts)),
        {operation: counts[operation] for operation in sorted(counts)},
        all(result.finished for result in results),
        {name: sorted({path for part in parts for path in part.fields.get(name, ())}) for name in sorted(counts)},
        gone=any(part.fatal for part in parts),
        left=[one.as_json() for one in gathered((*found, why) for part in parts for found, why in part.there.items())],
    )
    if whole.finished and not whole.gone:
        statuses = {name: {int(status): n for status, n in found.items()} for name, found in counts.items()}
        whole.doubts += unreached(scope, statuses, {name for part in parts for name in part.excused})
        if whole.outcomes and all(outcome["status"] == "not tested" for outcome in whole.outcomes):
            whole.doubts.append(UNTESTED)
    return whole
