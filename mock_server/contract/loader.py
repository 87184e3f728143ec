"""Reads YAML as JSON's superset: only `true`, `false`, `null`, decimal numbers and strings.

So a date stays text and the country `NO` stays a country. A repeated key is an error, as it is a fact lost.
PyYAML parses; what its nodes mean is decided here, in a third of the time that its own constructors take.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import yaml
from yaml.constructor import ConstructorError
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

_NULL, _BOOL, _INT, _FLOAT, _STR, _SEQ, _MAP, _MERGE = (
    f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "str", "seq", "map", "merge")
)


class Loader(yaml.CSafeLoader):
    """CSafeLoader with JSON's values only: keys are text, and none stands twice."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  # PyYAML's own attribute
    yaml_constructors = {  # noqa: RUF012  # PyYAML's own attribute
        tag: function
        for tag, function in yaml.CSafeLoader.yaml_constructors.items()
        if tag in (None, _NULL, _STR, _SEQ, _MAP)
    }

    def __init__(self, stream: Any) -> None:
        super().__init__(stream)
        self._made: dict[int, Any] = {}
        self._checked: set[int] = set()

    def descend_resolver(self, current_node: Node | None, current_index: Any) -> None:
        """Nothing: a value means the same wherever it stands."""

    def ascend_resolver(self) -> None:
        """Nothing."""

    def resolve(self, kind: type[Node], value: str, implicit: Any) -> str:
        """The tag of a node that has none written out."""
        if kind is ScalarNode:
            if implicit[0]:
                for tag, pattern in self.yaml_implicit_resolvers.get(value[:1], ()):
                    if pattern.match(value):
                        return tag
            return _STR
        return _MAP if kind is MappingNode else _SEQ

    def construct_document(self, node: Node) -> Any:
        """The value of the whole text."""
        return self._build(node)

    def _build(self, node: Any) -> Any:
        """The value of a node. What several aliases name is made once, and known before what stands in it."""
        kind, tag = node.__class__, node.tag
        if kind is ScalarNode:
            return node.value if tag == _STR else self._scalar(node)
        if id(node) in self._made:
            return self._made[id(node)]
        if kind is MappingNode and tag == _MAP:
            if id(node) not in self._checked:
                self.flatten_mapping(node)
            found: dict[str, Any] = {}
            self._made[id(node)] = found
            build = self._build
            for key, value in node.value:
                found[key.value] = build(value)
            return found
        if kind is SequenceNode and tag == _SEQ:
            items: list[Any] = []
            self._made[id(node)] = items
            items.extend(map(self._build, node.value))
            return items
        return self._odd(node)

    def _scalar(self, node: ScalarNode) -> Any:
        make = _SCALARS.get(node.tag)
        return make(self, node) if make else self._odd(node)

    def _odd(self, node: Node) -> Any:
        """A node with a tag that is written out: PyYAML's constructors know which of them fit, and refuse the rest."""
        return self.construct_object(node, deep=True)

    def flatten_mapping(self, node: MappingNode) -> None:
        """Check the keys before any are merged in, which happens to a node as often as it is referred to."""
        if id(node) not in self._checked:
            self._checked.add(id(node))
            if not _merges(node):
                return
        super().flatten_mapping(node)


def _merges(node: MappingNode) -> bool:
    """Whether a mapping takes in another. Raises ConstructorError for a key that is no text, or stands twice."""
    merges = False
    seen: set[str] = set()
    for key, _ in node.value:
        if key.__class__ is not ScalarNode:
            raise ConstructorError(None, None, "a key is text", key.start_mark)
        if key.tag == _MERGE:
            merges = True
            continue
        key.tag = _STR
        if key.value in seen:
            raise ConstructorError(None, None, f"the key {key.value!r} stands twice", key.start_mark)
        seen.add(key.value)
    return merges


def _boolean(loader: Loader, node: ScalarNode) -> bool:
    value = loader.construct_scalar(node)
    if value not in ("true", "false"):
        raise ConstructorError(None, None, "this is neither true nor false", node.start_mark)
    return bool(value == "true")


def _integer(loader: Loader, node: ScalarNode) -> int:
    try:
        return int(loader.construct_scalar(node))
    except ValueError:
        raise ConstructorError(None, None, "this is no usable integer", node.start_mark) from None


def _number(loader: Loader, node: ScalarNode) -> float:
    try:
        number = float(loader.construct_scalar(node))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ConstructorError(None, None, "this is no usable number", node.start_mark)
    return number


Loader.add_constructor(_BOOL, _boolean)
Loader.add_constructor(_INT, _integer)
Loader.add_constructor(_FLOAT, _number)
_SCALARS: dict[str, Callable[[Loader, ScalarNode], Any]] = {
    tag: Loader.yaml_constructors[tag] for tag in (_NULL, _BOOL, _INT, _FLOAT)
}
for _tag, _pattern, _first in (
    (_BOOL, r"^(?:true|false)$", "tf"),
    (_NULL, r"^(?:null|~|)$", ["n", "~", ""]),
    (_INT, r"^-?(?:0|[1-9][0-9]*)$", "-0123456789"),
    (_FLOAT, r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$", "-0123456789"),
    (_MERGE, r"^<<$", "<"),
):
    Loader.add_implicit_resolver(_tag, re.compile(_pattern), list(_first))
