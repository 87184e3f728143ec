"""Finds the operation of a method and path: by dictionary for literal paths, by a tree of segments for templated ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import unquote

T = TypeVar("T")
_NONE: Mapping[str, str] = {}


_Leaf = tuple[tuple[str, ...], dict[str, T]]
"""The names of a path's template, and what stands under each method."""


@dataclass(slots=True)
class _Node(Generic[T]):
    literals: dict[str, _Node[T]] = field(default_factory=dict)
    template: _Node[T] | None = None
    leaf: _Leaf[T] | None = None


def allow(methods: Iterable[str]) -> str:
    """The `Allow` header of a path with these methods."""
    names = set(methods)
    return ", ".join(sorted(names | {"HEAD"} if "GET" in names else names))


class Router(Generic[T]):
    """Concrete segments beat templated ones; a segment is compared after percent-decoding; a slash at the end matters."""

    def __init__(self, entries: Iterable[tuple[str, str, T]]) -> None:
        self._static: dict[str, dict[str, T]] = {}
        self._root: _Node[T] = _Node()
        for method, path, target in entries:
            self._add(method.upper(), path, target)

    def _add(self, method: str, path: str, target: T) -> None:
        if "{" not in path:
            self._static.setdefault(path, {})[method] = target
        node = self._root
        names: list[str] = []
        for segment in path.split("/"):
            if segment.startswith("{") and segment.endswith("}"):
                names.append(segment[1:-1])
                node.template = node.template or _Node()
                node = node.template
            else:
                node = node.literals.setdefault(segment, _Node())
        if node.leaf is None:
            node.leaf = (tuple(names), {})
        node.leaf[1][method] = target

    def match(self, raw_path: str) -> tuple[Mapping[str, T], Mapping[str, str]] | None:
        """What stands under each method (upper case) of a path, as it stood in the request line, and the values of its template."""
        static = self._static.get(raw_path)
        if static is not None:
            return static, _NONE
        segments = raw_path.split("/")
        if "%" in raw_path:
            segments = [unquote(segment) for segment in segments]
        values: list[str] = []
        leaf = _straight(self._root, segments, values)
        if leaf is None:
            values.clear()
            leaf = _search(self._root, segments, 0, values)
        return None if leaf is None else (leaf[1], dict(zip(leaf[0], values, strict=True)))


def _straight(node: _Node[T], segments: list[str], values: list[str]) -> _Leaf[T] | None:
    """The leaf that is found without ever turning back, as nearly every one is."""
    for segment in segments:
        below = node.literals.get(segment)
        if below is None:
            below = node.template
            if below is None or not segment:
                return None
            values.append(segment)
        node = below
    return node.leaf


def _search(node: _Node[T], segments: list[str], at: int, values: list[str]) -> _Leaf[T] | None:
    """The leaf that the segments from `at` on lead to; the templates' values are collected on the way."""
    if at == len(segments):
        return node.leaf
    segment = segments[at]
    literal = node.literals.get(segment)
    if literal is not None and (leaf := _search(literal, segments, at + 1, values)) is not None:
        return leaf
    if node.template is None or not segment:
        return None
    values.append(segment)
    if (leaf := _search(node.template, segments, at + 1, values)) is None:
        values.pop()
    return leaf
