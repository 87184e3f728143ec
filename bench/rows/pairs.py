"""What the rows that compare two servers share: several servers up at once, the same loads for each in turn, round by round."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager

from bench.load import Load, Request, send
from bench.processes import Server
from bench.results import Figure, Ratio, quotient
from bench.settings import Settings

Samples = Mapping[tuple[str, str, int], Sequence[Load]]
"""Loads by server, operation and number of connections, one a round."""
Ready = Callable[[], AbstractContextManager[tuple[Server, Mapping[str, Request]]]]
"""Starts a server, proves that its answers are right, and gives it with the request of each operation."""


def sample(
    settings: Settings,
    row: str,
    servers: Mapping[str, Ready],
    operations: Sequence[str],
    connections: Sequence[int],
    headers: Mapping[str, str],
    *,
    cycle: int = 1,
) -> Samples:
    """The loads of every server, operation and number of connections; each server starts anew in each round.

    Before an operation is measured it is sent for `settings.warm` seconds: what compiles while it runs, as Node does, is several times slower before.
    """
    found: dict[tuple[str, str, int], list[Load]] = defaultdict(list)
    names = list(servers)
    for number in range(settings.rounds):
        turn = number % len(names)
        with contextlib.ExitStack() as stack:
            up = {name: stack.enter_context(servers[name]()) for name in names[turn:] + names[:turn]}
            for operation in operations:
                settings.say(f"{row}: round {number + 1} of {settings.rounds}, {operation}")
                for count, seconds in [(max(connections), 0.0), *((count, settings.seconds) for count in connections)]:
                    for name, (server, requests) in up.items():
                        load = send(
                            server,
                            [requests[operation]],
                            core=settings.cores.load,
                            connections=count,
                            headers=headers,
                            seconds=seconds or settings.warm,
                            cycle=cycle,
                        )
                        if seconds:
                            found[name, operation, count].append(load)
    return found


def named(operation: str, connections: int) -> str:
    """A measurement's name."""
    return f"{operation}, {connections} connection{'' if connections == 1 else 's'}"


def compare(
    samples: Samples, ours: str, theirs: str, operation: str, connections: int, reach: float | None = None
) -> list[Ratio]:  # fmt: skip
    """How much faster one server is than another: by requests a second, and by the server's CPU time for a request."""
    own, other = samples[ours, operation, connections], samples[theirs, operation, connections]
    rates = quotient([load.rate for load in own], [load.rate for load in other])
    costs = quotient([load.cost for load in other], [load.cost for load in own])
    measure = named(operation, connections)
    return [Ratio(measure, theirs, "requests a second", rates, reach), Ratio(measure, theirs, "CPU time", costs, reach)]


def figures(samples: Samples) -> list[Figure]:
    """Everything that was measured."""
    found = []
    for (name, operation, connections), loads in samples.items():
        measure = named(operation, connections)
        found.append(Figure(measure, name, "requests/s", tuple(load.rate for load in loads)))
        found.append(Figure(measure, name, "CPU µs/request", tuple(load.cost for load in loads)))
        found.append(Figure(measure, name, "p50 µs", tuple(load.p50 for load in loads)))
        found.append(Figure(measure, name, "p99 µs", tuple(load.p99 for load in loads)))
    return found
