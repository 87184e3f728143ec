"""Reads the hand-written YAML: strict, fast, and able to say on which line anything stands.

YAML is read as JSON's superset: only `true`, `false`, `null`, decimal numbers and strings, so that a date stays text
and the country `NO` stays a country. A repeated key is an error, as it is a fact lost.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import yaml

Json = Any
"""A JSON value as Python has it: dict, list, str, int, float, bool or None."""


class ContractError(Exception):
    """A document, fixture or extension that cannot be used; the message carries file and line."""


def data_root() -> Path:
    """The folder that holds `openapi/` and `fixtures/`: in the installed package, or the checkout it is run from."""
    package = Path(__file__).resolve().parent.parent
    packed = package / "_data"
    return packed if packed.is_dir() else package.parent


class _Loader(yaml.CSafeLoader):
    """CSafeLoader with JSON's scalars only, and no repeated keys."""

    yaml_implicit_resolvers = {}  # noqa: RUF012  # PyYAML's own attribute

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = key_node.value
            if key in seen and key != "<<":
                mark = key_node.start_mark
                raise ContractError(f"{mark.name}:{mark.line + 1}: the key {key!r} stands twice")
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


for _tag, _pattern, _first in (
    ("tag:yaml.org,2002:bool", r"^(?:true|false)$", "tf"),
    ("tag:yaml.org,2002:null", r"^(?:null|~|)$", ["n", "~", ""]),
    ("tag:yaml.org,2002:int", r"^-?(?:0|[1-9][0-9]*)$", "-0123456789"),
    ("tag:yaml.org,2002:float", r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$", "-0123456789"),
    ("tag:yaml.org,2002:merge", r"^<<$", "<"),
):
    _Loader.add_implicit_resolver(_tag, re.compile(_pattern), list(_first))


def shown(path: Path) -> str:
    """The file as a reader would name it: below the data folder where it can be, else as given."""
    try:
        return path.relative_to(data_root()).as_posix()
    except ValueError:
        return str(path)


@functools.lru_cache(maxsize=256)
def _read(path: Path, _stamp: tuple[int, int]) -> Json:
    try:
        text = path.read_text(encoding="utf-8")
        stream = _Named(text, shown(path))
        # A subclass of CSafeLoader: no tag in the file can build anything but plain data.
        return yaml.load(stream, Loader=_Loader)  # noqa: S506
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ContractError(f"{shown(path)}:{line}: {error.problem}") from None
    except UnicodeDecodeError:
        raise ContractError(f"{shown(path)}:1: not UTF-8") from None


class _Named:
    """A text stream with a name, which PyYAML puts into its marks."""

    def __init__(self, text: str, name: str) -> None:
        self._data = text.encode()
        self.name = name

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes, as a file gives them."""
        taken, self._data = self._data[:size], self._data[size:]
        return taken


def read(path: Path) -> Json:
    """The parsed file. Callers treat it as frozen: it is shared.

    Raises ContractError with file and line for what is not YAML of our kind, or not there.
    """
    try:
        stat = path.stat()
    except OSError:
        raise ContractError(f"{shown(path)}:1: there is no such file") from None
    return _read(path, (stat.st_mtime_ns, stat.st_size))


def escape(token: str) -> str:
    """One step of a JSON pointer."""
    return token.replace("~", "~0").replace("/", "~1")


def steps(pointer: str) -> list[str]:
    """The tokens of a JSON pointer, unescaped; the empty pointer has none."""
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]]


def resolve(document: Json, pointer: str) -> Json:
    """What a JSON pointer names. Raises KeyError where it names nothing."""
    value = document
    for token in steps(pointer):
        if isinstance(value, list):
            try:
                value = value[int(token)]
            except (ValueError, IndexError):
                raise KeyError(pointer) from None
        elif isinstance(value, Mapping) and token in value:
            value = value[token]
        else:
            raise KeyError(pointer)
    return value


@functools.lru_cache(maxsize=64)
def _nodes(path: Path, _stamp: int) -> yaml.Node | None:
    with path.open("rb") as stream:
        return yaml.compose(stream, Loader=_Loader)


def line_of(path: Path, pointer: str) -> int:
    """The line, counted from 1, where the value that `pointer` names is written, or its nearest parent's."""
    node = _nodes(path, path.stat().st_mtime_ns)
    line = 1
    for token in steps(pointer):
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == token:
                    line, node = key.start_mark.line + 1, value
                    break
            else:
                return line
        elif isinstance(node, yaml.SequenceNode) and token.isdigit() and int(token) < len(node.value):
            node = node.value[int(token)]
            line = node.start_mark.line + 1
        else:
            return line
    return line
