"""Cuts a parameter's text by its style, as RFC 6570 and OpenAPI have it; what the parts stand for is told elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

Cut = str | list[str] | dict[str, str]
_DELIMITERS = {"spaceDelimited": " ", "pipeDelimited": "|"}


class Misstyled(ValueError):
    """A text that is not written in the style of its parameter."""


def cut(text: str, kind: str, style: str, explode: bool, name: str) -> Cut:
    """The text itself, its items, or its properties, by the kind of value that it should be. Raises Misstyled."""
    if style == "label":
        return _label(text, kind, explode)
    if style == "matrix":
        return _matrix(text, kind, explode, name)
    if kind == "object" and explode:
        return _equations(text.split(","))
    return _listed(text, kind, _DELIMITERS.get(style, ","))


def _listed(text: str, kind: str, delimiter: str) -> Cut:
    if kind == "array":
        return text.split(delimiter) if text else []
    return _alternating(text.split(delimiter)) if kind == "object" else text


def _label(text: str, kind: str, explode: bool) -> Cut:
    if not text.startswith("."):
        raise Misstyled("begin with a dot")
    if kind in ("array", "object") and explode:
        parts = text[1:].split(".")
        return parts if kind == "array" else _equations(parts)
    return _listed(text[1:], kind, ",")


def _matrix(text: str, kind: str, explode: bool, name: str) -> Cut:
    if not text.startswith(";"):
        raise Misstyled("begin with a semicolon")
    parts = text[1:].split(";")
    if kind == "object" and explode:
        return _equations(parts)
    named = [part.partition("=") for part in parts]
    if any(head != name for head, _, _ in named):
        raise Misstyled(f"be written as ;{name}=")
    values = [value for _, _, value in named]
    if kind == "array" and explode:
        return values
    if len(values) > 1:
        raise Misstyled("be given once")
    return _listed(values[0], kind, ",")


def _equations(parts: Sequence[str]) -> dict[str, str]:
    """`a=1`, `b=2`."""
    if not all("=" in part for part in parts):
        raise Misstyled("be pairs of name=value")
    return {name: value for name, _, value in (part.partition("=") for part in parts)}


def _alternating(parts: Sequence[str]) -> dict[str, str]:
    """`a`, `1`, `b`, `2`."""
    if len(parts) % 2:
        raise Misstyled("be names and values in turn")
    return dict(zip(parts[::2], parts[1::2], strict=True))
