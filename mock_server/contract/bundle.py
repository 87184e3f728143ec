"""Makes one self-contained document of a contract and the files it refers to, and remembers where each part came from.

A reference to another file is replaced by what it names, or, where the main document lists that part among its components, by a local
reference to the component; so the files of a document may refer to each other directly. A reference from such a file back into the main
document becomes a local one.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mock_server.contract.files import ContractError, Json, escape, line_of, read, resolve, shown, steps


@dataclass(frozen=True)
class Bundle:
    """A document with every reference to another file inlined.

    `origins` maps the pointer of each inlined part to the file and pointer it stands at.
    """

    path: Path
    document: dict[str, Any]
    origins: dict[str, tuple[Path, str]]

    def written_at(self, pointer: str) -> tuple[Path, str]:
        """File and pointer where the part of the bundled document at `pointer` is written."""
        tokens = steps(pointer)
        for size in range(len(tokens), -1, -1):
            head = "".join("/" + escape(token) for token in tokens[:size])
            if head in self.origins:
                path, start = self.origins[head]
                return path, start + "".join("/" + escape(token) for token in tokens[size:])
        return self.path, pointer

    def place(self, pointer: str) -> str:
        """`file:line` of the part at `pointer`, for people."""
        path, inside = self.written_at(pointer)
        return f"{shown(path)}:{line_of(path, inside)}"


def bundle(path: Path) -> Bundle:
    """Read `path` and everything it refers to. Raises ContractError with file and line."""
    document = read(path)
    if not isinstance(document, dict):
        raise ContractError("a contract is a mapping", f"{shown(path)}:1")
    origins: dict[str, tuple[Path, str]] = {}
    files: dict[Path, Json] = {}
    resolved = functools.cache(lambda file, name: (file.parent / name).resolve())

    def inline(value: Json, file: Path, inside: str, at: str, trail: tuple[tuple[Path, str], ...]) -> Json:
        if isinstance(value, dict):
            reference = value.get("$ref")
            if isinstance(reference, str):
                return follow(reference, value, file, inside, at, trail)
            copied = {}
            for key, item in value.items():
                if isinstance(item, dict | list):
                    step = escape(key)
                    item = inline(item, file, f"{inside}/{step}", f"{at}/{step}", trail)
                copied[key] = item
            return copied
        if isinstance(value, list):
            return [inline(item, file, f"{inside}/{i}", f"{at}/{i}", trail) for i, item in enumerate(value)]
        return value

    def follow(
        reference: str, value: Json, file: Path, inside: str, at: str, trail: tuple[tuple[Path, str], ...]
    ) -> Json:
        name, _, pointer = reference.partition("#")

        def refusal(why: str) -> ContractError:
            return ContractError(f"the reference {reference} {why}", f"{shown(file)}:{line_of(file, inside)}", inside)

        try:
            target = resolved(file, name) if name else file
        except ValueError:
            raise refusal("names no file") from None
        if target == path:
            return {"$ref": f"#{pointer}"}
        step = (target, pointer)
        if components.get(step, at) != at:
            return {"$ref": f"#{components[step]}"}
        if step in trail:
            raise refusal("leads back to itself")
        try:
            if target not in files:
                files[target] = read(target)
            found = resolve(files[target], pointer)
        except KeyError:
            raise refusal("names nothing") from None
        except ContractError as error:
            raise refusal(f"cannot be followed: {error}") from None
        origins[at] = step
        return inline(found, target, pointer, at, (*trail, step))

    path = path.resolve()
    components = _components(path, document)
    try:
        return Bundle(path, inline(document, path, "", "", ()), origins)
    except RecursionError:
        raise ContractError("nested too deep, or an anchor that stands inside itself", f"{shown(path)}:1") from None


def _components(path: Path, document: dict[str, Any]) -> dict[tuple[Path, str], str]:
    """For each part of another file that the document lists among its components: the pointer of the component."""
    found: dict[tuple[Path, str], str] = {}
    sections = document.get("components")
    for section, entries in sections.items() if isinstance(sections, dict) else ():
        for name, entry in entries.items() if isinstance(entries, dict) else ():
            reference = entry.get("$ref") if isinstance(entry, dict) else None
            file, mark, pointer = reference.partition("#") if isinstance(reference, str) else ("", "", "")
            if file and mark and "\0" not in file:
                place = f"/components/{escape(str(section))}/{escape(str(name))}"
                found.setdefault(((path.parent / file).resolve(), pointer), place)
    return found
