"""Connexion's parser of addresses and forms, put right: places apart, names with brackets, every style, the types as the compiled path casts them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from connexion.uri_parsing import OpenAPIURIParser

from mock_server.app import bodies, texts
from mock_server.app.stock.styles import Misstyled, cut
from mock_server.contract import escape
from mock_server.problems import Problem, Violation, Where

Definition = Mapping[str, Any]
"""A parameter as Connexion read it, every reference followed."""


def as_it_is(schema: Any) -> Mapping[str, Any]:
    """Connexion has followed the references already."""
    return schema if isinstance(schema, dict) else {}


class Parser(OpenAPIURIParser):
    """What Connexion makes for each request of an operation's parameters and body."""

    def __init__(self, param_defns: Sequence[Definition], body_defn: Mapping[str, Any]) -> None:
        super().__init__(param_defns, body_defn)  # type: ignore[no-untyped-call]  # Connexion's
        self._all = param_defns

    def at(self, where: Where) -> list[Definition]:
        """The parameters of one place; Connexion itself would confuse two of one name."""
        return [definition for definition in self._all if definition["in"] == where]

    def resolve_path(self, path: Mapping[str, Any]) -> dict[str, Any]:
        """The values of the template; they come as `normal` has written them."""
        names = {definition["name"]: definition["name"].replace("-", "_") for definition in self.at("path")}
        return self.resolve_texts("path", {name: unquote(path[key]) for name, key in names.items() if key in path})

    def resolve_texts(self, where: Where, given: Mapping[str, str]) -> dict[str, Any]:
        """The values of a place where a parameter is one text."""
        definitions = [definition for definition in self.at(where) if definition["name"] in given]
        return {each["name"]: self._value(each, given[each["name"]]) for each in definitions}

    def resolve_query(self, query_data: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        """The values of the query, by name."""
        definitions = self.at("query")
        if not definitions or not query_data:
            return {}
        try:
            tree = texts.nest((name, text) for name, listed in query_data.items() for text in listed)
        except texts.Tangled as error:
            raise Problem("parameter", f"The query string cannot be read: {error}.") from None
        found = {definition["name"]: self._of_query(definition, query_data, tree) for definition in definitions}
        return {name: value for name, value in found.items() if value is not _ABSENT}

    def read_form_as(self, schema: Mapping[str, Any]) -> None:
        """Take the fields of a form for what a schema says they are."""
        self._body_schema = schema

    def resolve_form(self, form_data: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        """A form's fields as an object. Raises Problem `malformed`."""
        try:
            tree = texts.nest((name, text) for name, listed in form_data.items() for text in listed)
        except texts.Tangled as error:
            raise Problem("malformed", f"The form cannot be read: {error}.") from None
        known = texts._properties(self._body_schema, as_it_is)
        for name, encoding in self._body_encoding.items():
            text = tree.get(name)
            kind = texts._kind(as_it_is(known.get(name)), as_it_is)
            if not isinstance(text, str):
                continue
            if bodies.media_type(encoding.get("contentType"))[0] == bodies.JSON:
                tree[name] = _Ready(bodies.decode_json(text.encode()))
            elif kind in ("array", "object") and not _is_exploded(encoding):
                tree[name] = _cut(text, kind, encoding, name, "body")
        return _cast_form(tree, self._body_schema, known)

    def media_type_of(self, name: str) -> str:
        """How a property of a form in parts is written where it is an object: JSON, unless the document says otherwise."""
        return str(self._body_encoding.get(name, {}).get("contentType", bodies.JSON))

    def _of_query(self, definition: Definition, pairs: Mapping[str, Sequence[str]], tree: Mapping[str, Any]) -> Any:
        name, style = definition["name"], definition.get("style", "form")
        schema = as_it_is(definition.get("schema"))
        kind = texts._kind(schema, as_it_is)
        if style == "form" and kind == "object" and _is_exploded(definition):
            value = {key: tree[key] for key in self._names(definition, schema, tree) if key in tree}
            return texts.cast(value, schema, as_it_is) if value else _ABSENT
        if texts.split(name)[1] and name in pairs:
            whole: Any = pairs[name][0] if len(pairs[name]) == 1 else list(pairs[name])
        else:
            whole = tree.get(name)
        if whole is None:
            return _ABSENT
        if (
            isinstance(whole, str)
            and kind in ("array", "object")
            and not _is_exploded(definition)
            and style != "deepObject"
        ):
            whole = _cut(whole, kind, definition, name, "query")
        return whole if whole == "" and definition.get("allowEmptyValue") else self._cast(definition, whole)

    def _names(self, definition: Definition, schema: Mapping[str, Any], tree: Mapping[str, Any]) -> Iterable[str]:
        """The names in the query that are an exploded object's own."""
        declared = texts._properties(schema, as_it_is)
        if not schema.get("additionalProperties"):
            return declared
        taken = {other["name"] for other in self.at("query") if other is not definition}
        return [name for name in tree if name in declared or name not in taken]

    def _value(self, definition: Definition, text: str) -> Any:
        kind = texts._kind(as_it_is(definition.get("schema")), as_it_is)
        style = definition.get("style", "simple")
        plain = kind not in ("array", "object") and style not in ("label", "matrix")
        return self._cast(
            definition, text if plain else _cut(text, kind, definition, definition["name"], definition["in"])
        )

    def _cast(self, definition: Definition, value: Any) -> Any:
        if "content" not in definition:
            return texts.cast(value, definition.get("schema", {}), as_it_is)
        try:
            return bodies.decode_json(str(value).encode())
        except Problem as problem:
            raise Problem("parameter", problem.detail.replace("The body", definition["name"])) from None


_ABSENT = object()


class _Ready:
    """A value in a form that is no text any more."""

    def __init__(self, value: Any) -> None:
        self.value = value


def _cast_form(tree: dict[str, Any], schema: Any, known: Mapping[str, Any]) -> dict[str, Any]:
    ready = {name: value.value for name, value in tree.items() if isinstance(value, _Ready)}
    plain = {name: value for name, value in tree.items() if name not in ready}
    cast = texts.cast(plain, schema, as_it_is)
    return {name: ready[name] if name in ready else cast[name] for name in tree}


def _is_exploded(definition: Definition) -> bool:
    style = definition.get("style", "form" if definition.get("in", "query") in ("query", "cookie") else "simple")
    return bool(definition.get("explode", style == "form"))


def _cut(text: str, kind: str, definition: Definition, name: str, where: Where) -> Any:
    style = definition.get("style", "form" if where in ("query", "cookie", "body") else "simple")
    explode = style in ("simple", "label", "matrix") and bool(definition.get("explode"))
    try:
        return cut(text, kind, style, explode, name)
    except Misstyled as error:
        violation = Violation(where, f"/{escape(name)}", "style", f"must {error}")
        raise Problem("invalid" if where == "body" else "parameter", violations=(violation,)) from None
