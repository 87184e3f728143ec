"""Reads the hand-written files, each once, and says on which line anything in them stands."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from mock_server.contract.loader import Loader

Json = Any
"""A JSON value as Python has it: dict, list, str, int, float, bool or None."""


class ContractError(Exception):
    """A document, fixture or extension that cannot be used: why, and at which place (`file:line`) and JSON pointer in that file."""

    def __init__(self, message: str, place: str = "", pointer: str = "") -> None:
        super().__init__(f"{place}: {message}" if place else message)
        self.message = message
        self.place = place
        self.pointer = pointer


@functools.cache
def data_root() -> Path:
    """The folder that holds `openapi/` and `fixtures/`: in the installed package, or the checkout it is run from."""
    package = Path(__file__).resolve().parent.parent
    packed = package / "_data"
    return packed if packed.is_dir() else package.parent


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
        # A subclass of CSafeLoader: no tag in the file can build anything but plain data.
        return yaml.load(_Named(text, shown(path)), Loader=Loader)  # noqa: S506
    except OSError:
        raise ContractError("this is no readable file", f"{shown(path)}:1") from None
    except UnicodeDecodeError:
        raise ContractError("not UTF-8", f"{shown(path)}:1") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ContractError(f"{error.problem}", f"{shown(path)}:{line}") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ContractError(
            f"the character #x{error.character:04x} cannot stand here", f"{shown(path)}:{line}"
        ) from None
    except RecursionError:
        raise ContractError("nested too deep", f"{shown(path)}:1") from None


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
    except (OSError, ValueError):
        raise ContractError("there is no such file", f"{shown(path)}:1") from None
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
        return yaml.compose(stream, Loader=Loader)


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
