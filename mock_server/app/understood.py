"""What the compiled path cannot take of an operation, and why: such an operation is served by Connexion's stock classes, or by nothing.

A reason that is not `served` names what neither of the two serves rightly; a server with such an operation does not start.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mock_server.app import texts
from mock_server.contract import Contract, ContractError, Operation, Parameter, escape, resolve

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
_TEMPLATE = re.compile(r"\{([^{}]*)\}")
_ROUTABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+")
_COMPOSED = ("anyOf", "oneOf", "not")
_BY_TOKEN = ("oauth2", "openIdConnect")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an operation is not compiled: the JSON pointer of the part that is to blame, and whether the fallback serves it."""

    pointer: str
    message: str
    served: bool = True


def fallbacks(contract: Contract) -> dict[str, tuple[Reason, ...]]:
    """The operations that are not compiled, by id, with the reasons. Raises ContractError for one that cannot be served at all."""
    found = {}
    for operation in contract.operations.values():
        if why := reasons(contract, operation):
            found[operation.id] = why
        for reason in why:
            if not reason.served:
                place = contract.bundle.written_at(reason.pointer)[1]
                raise ContractError(unserved(operation, reason), contract.place(reason.pointer), place)
    return found


def unserved(operation: Operation, reason: Reason) -> str:
    """The sentence that refuses an operation."""
    return f"{operation.id} cannot be served: {reason.message}"


def reasons(contract: Contract, operation: Operation) -> tuple[Reason, ...]:
    """Everything that keeps an operation from being compiled; nothing for one that is."""

    def deref(schema: Any) -> Mapping[str, Any]:
        while isinstance(schema, dict) and "$ref" in schema:
            schema = resolve(contract.document, schema["$ref"].removeprefix("#"))
        return schema if isinstance(schema, dict) else {}

    found = [
        *_path(operation),
        *(reason for parameter in operation.parameters for reason in _parameter(contract, parameter, deref)),
        *_body(contract, operation, deref),
        *_answers(operation, deref),
        *_security(contract, operation),
    ]
    names = _TEMPLATE.findall(operation.path)
    if found and (not all(map(_ROUTABLE.fullmatch, names)) or len({n.replace("-", "_") for n in names}) < len(names)):
        pointer = operation.pointer.rpartition("/")[0]
        found.append(Reason(pointer, "beside that, Connexion does not route by the names in its path", served=False))
    return tuple(found)


def _path(operation: Operation) -> Iterator[Reason]:
    for segment in operation.path.split("/"):
        if "{" in segment and not _TEMPLATE.fullmatch(segment):
            yield Reason(operation.pointer.rpartition("/")[0], f"{segment} is a template of a part of a segment")


def _parameter(contract: Contract, parameter: Parameter, deref: texts.Deref) -> Iterator[Reason]:
    node = resolve(contract.document, parameter.pointer)
    kind = texts._kind(deref(parameter.schema), deref)
    for message, served in _of_parameter(parameter, node, kind, deref):
        yield Reason(parameter.pointer, f"the {parameter.where} parameter {parameter.name} {message}", served)


def _of_parameter(
    parameter: Parameter, node: Mapping[str, Any], kind: str, deref: texts.Deref
) -> Iterator[tuple[str, bool]]:
    if "content" in node:
        media = next(iter(node["content"]), "")
        yield f"has content, as {media}", is_json(media)
        return
    schema = deref(parameter.schema)
    if _is_untyped(schema, kind):
        yield "has a schema without a type", False
    if node.get("allowEmptyValue") and kind != "string":
        yield "may be empty", True
    if node.get("allowReserved"):
        yield "may have reserved characters", True
    if parameter.where == "query" and texts.split(parameter.name)[1]:
        yield "has brackets in its name", True
    if parameter.where == "query":
        yield from _of_query(parameter, schema, kind)
    elif parameter.style in ("label", "matrix"):
        yield f"is in the style {parameter.style}", True
    elif kind in ("array", "object"):
        yield f"is an {kind}", parameter.where != "cookie" or not parameter.explode


def _of_query(parameter: Parameter, schema: Mapping[str, Any], kind: str) -> Iterator[tuple[str, bool]]:
    if parameter.style == "deepObject":
        if kind != "object":
            yield "is no object, which deepObject is for", False
    elif parameter.style != "form":
        yield f"is in the style {parameter.style}", True
    elif kind == "object" and not parameter.explode:
        yield "is an object that is not exploded", True
    elif kind == "object" and schema.get("additionalProperties"):
        yield "is an exploded object of any names", True
    elif kind in ("array", "object") and "type" not in schema:
        yield f"is an {kind} by composition", True


def _is_untyped(schema: Mapping[str, Any], kind: str) -> bool:
    """Whether nobody can tell what a text of this schema stands for."""
    if kind:
        return False
    return any(key in schema for key in _COMPOSED) or any(not isinstance(item, str) for item in schema.get("enum", ()))


def _body(contract: Contract, operation: Operation, deref: texts.Deref) -> Iterator[Reason]:
    if operation.body is None:
        return
    for media, schema in operation.body.content.items():
        pointer = f"{operation.body.pointer}/content/{escape(media)}"
        entry = resolve(contract.document, pointer)
        essence = essence_of(media)
        if not _MEDIA_TYPE.fullmatch(media):
            yield Reason(pointer, f"{media} is a range, or has capitals or parameters")
        if essence in (FORM, MULTIPART):
            yield from (replace(reason, pointer=pointer) for reason in _form(essence, schema, entry, deref))
        elif not is_json(essence) and "*" not in essence:
            served = texts._kind(deref(schema), deref) in ("", "string")
            why = f"its body may be {media}" + ("" if served else ", which is held to a schema of type string alone")
            yield Reason(pointer, why, served)


def _form(essence: str, schema: Any, entry: Mapping[str, Any], deref: texts.Deref) -> Iterator[Reason]:
    if essence == MULTIPART:
        yield Reason("", f"its body may be {MULTIPART}")
    else:
        for name, encoding in entry.get("encoding", {}).items():
            if not _nests(encoding):
                yield Reason("", f"the form's {name} is encoded in a way of its own")
    if any("headers" in encoding for encoding in entry.get("encoding", {}).values()):
        yield Reason("", "the form's encoding asks for headers", served=False)
    whole = deref(schema)
    if texts._kind(whole, deref) not in ("object", "") or any(key in whole for key in _COMPOSED):
        yield Reason("", "the form's schema is not one object", served=False)
    for name, item in texts._properties(whole, deref).items():
        if _is_untyped(deref(item), texts._kind(deref(item), deref)):
            yield Reason("", f"the form's property {name} has a schema without a type", served=False)


def _nests(encoding: Mapping[str, Any]) -> bool:
    """Whether a form's field is written as all are where nothing is said: repeated, or with brackets."""
    written = encoding.get("style", "form"), encoding.get("explode", True)
    other = encoding.get("contentType", "text/plain") != "text/plain" or encoding.get("allowReserved")
    return written in (("form", True), ("deepObject", True)) and not other


def _answers(operation: Operation, deref: texts.Deref) -> Iterator[Reason]:
    for response in operation.responses.values():
        for media, schema in response.content.items():
            if media == "application/json":
                continue
            served = is_json(media) or texts._kind(deref(schema), deref) in ("", "string")
            why = "" if served else ", but not of type string: a record is JSON"
            pointer = f"{response.pointer}/content/{escape(media)}"
            yield Reason(pointer, f"its answer {response.status} is {media}{why}", served)


def _security(contract: Contract, operation: Operation) -> Iterator[Reason]:
    """The engine knows callers by a bearer token alone, which is also what comes of OAuth 2."""
    if not operation.secured:
        return
    schemes = contract.document.get("components", {}).get("securitySchemes", {})
    own = operation.raw.get("security")
    pointer = "/security" if own is None else f"{operation.pointer}/security"
    for name in sorted({name for needed in own or contract.document.get("security", ()) for name in needed}):
        scheme = schemes.get(name, {})
        if scheme.get("type") not in _BY_TOKEN and str(scheme.get("scheme")).lower() != "bearer":
            kind = scheme.get("scheme") or scheme.get("type")
            yield Reason(pointer, f"{name} is {kind}; callers are known by a bearer token alone", served=False)


def essence_of(media: str) -> str:
    """A media type as it is compared: in lower case, without parameters."""
    return media.partition(";")[0].strip().lower()


def is_json(media: str) -> bool:
    """Whether a media type is JSON, or a format made of it."""
    essence = essence_of(media)
    return essence == "application/json" or essence.endswith("+json")
