"""Makes values for a schema: a plain one, one never used before, one that names nothing, and awkward ones."""

from __future__ import annotations

import string
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from conformance.finding import NotTested
from conformance.schemas import Schema, Schemas
from mock_server.contract import Json

MARK = "mockingbill-"
"""What every text begins with that the suite makes up for a record, wherever its schema has room for it."""
AWKWARD_TEXT = (
    "  Zoë Ångström-Ó Briain  ",
    "山田太郎 🎈",
    "Мария «Тест» ёж",
    'quote " back \\ slash / percent % plus + and & equals =',
    "O'Brien; -- <b>&amp;</b>",
    "Zoe\u0308 A\u030angstro\u0308m \ufb01",  # letters and their marks apart, and a ligature: every form of Unicode is another text
    "000123",
)

_LONGEST = 100_000
"""The longest text that is sent for the sake of a limit."""
_KEYS: Mapping[str, Json] = {"Ключ": "значение", "a.b": "c", "two words": ""}


class Fresh:
    """Hands out values nobody has used before in this run. Same run name, same order of calls: same values."""

    def __init__(self, run: str, schemas: Schemas) -> None:
        self.run = run
        self.schemas = schemas
        self.mark = f"{MARK}{run}"
        self.count = 0
        self.made: set[Json] = set()

    def token(self) -> str:
        """A new string of letters, digits and dashes, for headers and marks."""
        self.count += 1
        return f"{self.mark}-{self.count:05d}"

    def marked(self, schema: Schema, like: Json = None) -> Json:
        """A new text that begins with the mark and fits `schema`, an address where `like` is one; None where it has no room."""
        self.count += 1
        for candidate in self._marked(schema, like, self._number()):
            if candidate not in self.made and self.schemas.fits(schema, candidate):
                self.made.add(candidate)
                return candidate
        return None

    def value(self, schema: Schema, like: Json = None) -> Json:
        """A new value that fits `schema`, after the fashion of `like` where it can be. Raises NotTested when none is found."""
        for _ in range(20):
            self.count += 1
            for candidate in self._candidates(schema, like):
                if candidate not in self.made and self.schemas.fits(schema, candidate):
                    self.made.add(candidate)
                    return candidate
        raise NotTested(f"no way to make a fresh value for {dict(schema)}")

    def _candidates(self, schema: Schema, like: Json) -> Iterator[Json]:
        number = self._number()
        if schema.get("type") in ("integer", "number"):
            low, high = int(schema.get("minimum", 1)), int(schema.get("maximum", 2**31 - 1))
            yield low + number % max(high - low, 1)
            return
        if schema.get("format") in ("date", "date-time"):
            day = f"{2020 + number % 15}-{1 + number // 15 % 12:02d}-{1 + number // 180 % 28:02d}"
            yield day if schema["format"] == "date" else f"{day}T{number // 5040 % 24:02d}:00:00Z"
            return
        unique = self._unique(number)
        yield from self._marked(schema, like, number)
        yield str(uuid.UUID(int=number))
        if isinstance(like, str) and "pattern" in schema:
            yield _reshape(like, number)
        letters = "".join(string.ascii_uppercase[(number >> shift) % 26] for shift in range(0, 100, 5))
        for size in (int(schema.get("maxLength", 20)), int(schema.get("minLength", 8)), 2, 3):
            yield unique[-size:]
            yield letters[:size]
            yield str(number)[-size:]

    def _number(self) -> int:
        return int(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.run}/{self.count}").int)

    def _unique(self, number: int) -> str:
        return f"{number % 36**10:010x}"[:10] + f"{self.count % 4096:03x}"

    def _marked(self, schema: Schema, like: Json, number: int) -> Iterator[str]:
        unique = self._unique(number)
        if (isinstance(like, str) and "@" in like) or schema.get("format") == "email":
            yield f"{self.mark}-{self.count:05d}@example.com"
            yield f"{MARK}{unique}@example.com"
        yield f"{self.mark}-{self.count:05d}"
        yield f"{MARK}{unique}"
        yield f"{MARK}{unique[-6:]}"
        yield f"{self.mark}-{self.count:05d}".ljust(int(schema.get("minLength", 0)), "x")


def _reshape(like: str, number: int) -> str:
    """A string of the same shape: digits for digits, letters for letters."""
    made = []
    for sign in like:
        if sign.isdigit():
            number, digit = divmod(number, 10)
            made.append(str(digit))
        elif sign.isascii() and sign.isalpha():
            number, place = divmod(number, 6)
            made.append(("ABCDEF" if sign.isupper() else "abcdef")[place])
        else:
            made.append(sign)
    return "".join(made)


def nothing(schemas: Schemas, schema: Schema, like: Json) -> Json:
    """A key of the right type and shape that names no record."""
    candidates: list[Json]
    if isinstance(like, bool) or schema.get("type") in ("integer", "number"):
        candidates = [1_999_999_983, 99_999_989, 9_973, 97]
    else:
        tail = str(like)
        candidates = [
            "".join("9" if sign.isdigit() else sign for sign in tail),
            f"{MARK}names-nothing",
            "00000000-0000-4000-8000-00000000dead",
            "".join("Z" if sign.isalpha() else sign for sign in tail),
            "ZZ",
        ]
    for candidate in candidates:
        if candidate != like and schemas.fits(schema, candidate):
            return candidate
    raise NotTested(f"no way to make a key that names nothing for {dict(schema)}")


def sample(schemas: Schemas, schema: Json, depth: int = 0) -> Json:
    """A plain value that fits a schema: its example, its first choice, or the least that is allowed."""
    node = schemas.follow(schema)
    if not isinstance(node, Mapping) or depth > 8:
        return {}
    if "example" in node:
        return node["example"]
    if node.get("enum"):
        return node["enum"][0]
    if "default" in node:
        return node["default"]
    for choice in ("oneOf", "anyOf"):
        if node.get(choice) and "type" not in node:
            return sample(schemas, node[choice][0], depth + 1)
    kind = node.get("type")
    if kind == "object" or "properties" in node or "allOf" in node:
        properties = schemas.properties(node)
        return {name: sample(schemas, properties.get(name, {}), depth + 1) for name in schemas.required(node)}
    if kind == "array":
        return [sample(schemas, node.get("items", {}), depth + 1) for _ in range(node.get("minItems", 0))]
    plain: dict[Any, Json] = {"integer": node.get("minimum", 1), "number": node.get("minimum", 1), "boolean": True}
    if kind in plain:
        return plain[kind]
    formats = {"date-time": "2026-01-01T00:00:00Z", "date": "2026-01-01", "email": "sample@example.com"}
    formats |= {"uuid": "00000000-0000-4000-8000-000000000001", "uri": "https://example.com/"}
    text = formats.get(node.get("format", ""), "sample")
    return text.ljust(int(node.get("minLength", 0)), "x")


def edges(schema: Schema) -> list[Json]:
    """The values at the limits that a schema states, the largest first, or those of its enumeration; none where it has other rules besides."""
    if any(key in schema for key in ("x-references", "readOnly", "pattern", "multipleOf", "not", "oneOf", "anyOf")):
        return []
    if "enum" in schema:
        return [value for value in schema["enum"] if value is not None]
    kind = schema.get("type")
    if kind == "string" and "format" not in schema:
        sizes = [schema[key] for key in ("maxLength", "minLength") if schema.get(key, _LONGEST + 1) <= _LONGEST]
        word = (
            "veil" if schema.get("writeOnly") else "long"
        )  # a secret is hidden wherever it stands: it stands in no other text
        return [word * (size // 4) + "text"[: size % 4] for size in dict.fromkeys(sizes)]
    if kind in ("integer", "number"):
        exclusive = {"maximum": "exclusiveMaximum", "minimum": "exclusiveMinimum"}
        return [schema[key] for key, without in exclusive.items() if key in schema and not schema.get(without)]
    return []


def awkward(schema: Schema) -> list[Json]:
    """Values that fit a schema and that careless servers change or choke on."""
    kind = schema.get("type")
    if any(key in schema for key in ("enum", "x-references", "readOnly")):
        return []
    if kind is None:
        texts = [choice for choice in schema.get("oneOf", schema.get("anyOf", ())) if choice.get("type") == "string"]
        return [value for choice in texts for value in awkward(choice)]
    if kind == "string" and not any(key in schema for key in ("pattern", "format")):
        longest = int(schema.get("maxLength", 10_000))
        shortest = int(schema.get("minLength", 0))
        texts = [text[:longest] for text in AWKWARD_TEXT if len(text[:longest]) >= shortest]
        return [*texts, *([""] if shortest == 0 else []), "long" * (longest // 4 if "maxLength" in schema else 500)]
    if kind == "integer" and "maximum" in schema:
        return [schema["maximum"], schema.get("minimum", 0)]
    if kind == "integer" and schema.get("format") in ("int32", "int64"):
        top = 2**31 - 1 if schema["format"] == "int32" else 2**53 + 1
        return [top, schema.get("minimum", -top)]
    if kind == "boolean":
        return [True, False]
    if kind == "object" and schema.get("additionalProperties") not in (False, None) and not schema.get("properties"):
        extra = schema["additionalProperties"]
        if extra is True:
            return [{**_KEYS, "no": False, "zero": 0, "large": 2**53 + 1, "deep": {"order": [3, 1, 2]}}, _KEYS, {}]
        if isinstance(extra, Mapping) and extra.get("type", "string") == "string":
            return [_KEYS, {}]
    if kind == "array" and isinstance(schema.get("items"), Mapping) and schema["items"].get("type") == "object":
        found = awkward(schema["items"])
        return [[value] for value in found[:2]]
    return []
