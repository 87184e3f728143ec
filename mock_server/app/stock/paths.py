"""The paths of a document in order: the most concrete first, segment by segment."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from re import Pattern
from urllib.parse import unquote

from connexion.frameworks.starlette import starlettify_path
from starlette.routing import compile_path

from mock_server.contract import Operation

_ENCODED = str.maketrans({"%": "%25", "/": "%2F", "\n": "%0A"})


@dataclass(frozen=True, slots=True)
class Path:
    """A path, what stands under each method (upper case), and the pattern of what comes in for it, written as `normal` does."""

    template: str
    pattern: Pattern[str]
    methods: Mapping[str, Operation]

    def at(self, method: str) -> Operation | None:
        """The operation of a method; HEAD is GET's unless it has its own."""
        return self.methods.get(method) or (self.methods.get("GET") if method == "HEAD" else None)

    def values(self, raw_path: str) -> dict[str, str]:
        """The texts of the template, by the document's names."""
        match = self.pattern.match(normal(raw_path))
        found = match.groupdict() if match else {}
        names = re.findall(r"\{([^}]*)\}", self.template)
        return {name: unquote(found[name.replace("-", "_")]) for name in names}


def paths_of(operations: Iterable[Operation]) -> list[Path]:
    """The paths of operations, the most concrete first."""
    methods: dict[str, dict[str, Operation]] = {}
    for operation in operations:
        methods.setdefault(operation.path, {})[operation.method.upper()] = operation
    return [Path(path, _pattern(path), methods[path]) for path in sorted(methods, key=concreteness)]


def concreteness(path: str) -> tuple[int, ...]:
    """Sorts literal segments before those with a template in them, and these before templates."""
    return tuple(
        0 if "{" not in segment else 2 if re.fullmatch(r"\{[^{}]*\}", segment) else 1 for segment in path.split("/")
    )


def _pattern(path: str) -> Pattern[str]:
    return compile_path(starlettify_path(path.replace("%", "%25")))[0]  # type: ignore[no-untyped-call]  # Connexion's


def normal(raw_path: str) -> str:
    """A path with one way of writing: what could be taken for its end or its parts is encoded, all else is itself."""
    return "/".join(unquote(segment).translate(_ENCODED) for segment in raw_path.split("/"))
