"""What Schemathesis is given: a document of the operations that count, and settings that make a run repeatable."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from typing import Any, Literal

from conformance.client import Client
from conformance.limits import changes
from conformance.run import Run
from conformance.schemas import Schemas
from conformance.settings import AMOUNTS
from conformance.target import WORLD_HEADER
from conformance.wire import FORM
from mock_server.contract import Operation

Layer = Literal["responses", "fuzzing"]
"""Two runs of the tool, which need nothing of each other: named examples and boundaries, and what is made up, linked operations included.

Both send the examples first: what the tool learns from their answers it makes up other requests with.
"""

_METHODS = ("GET", "PUT", "POST", "DELETE", "OPTIONS", "PATCH", "TRACE")
_COLUMNS = {"smoke": 1, "default": 2, "deep": 6}
_OPERATORS = 2
"""How many conditions of a column a smoke run takes up, but for the first filter: what they find is a promise, and they are alike."""


def document(run: Run) -> dict[str, Any]:
    """The contract's document without the operations that do not count."""
    raw = copy.deepcopy(run.scope.contract.document)
    for operation in (*run.scope.unseen(), *_excused(run)):
        del raw["paths"][operation.path][operation.method]
    _prune(run, raw)
    raw["paths"] = {
        path: item for path, item in raw["paths"].items() if {name.upper() for name in item} & {*_METHODS, "HEAD"}
    }
    return raw


def _excused(run: Run) -> list[Operation]:
    """The operations in scope that cannot be put to the test."""
    return [operation for operation in run.scope.operations if operation.id in run.excused]


def _prune(run: Run, raw: dict[str, Any]) -> None:
    """Leave out what only multiplies the cases: most columns of a filter, each like the next; in a smoke run conditions and forms too."""
    schemas, name = Schemas(raw), run.scope.contract.filter_parameter
    short = False
    for operation in run.scope.operations:
        if operation.id in run.excused:
            continue
        node = raw["paths"][operation.path][operation.method]
        content = schemas.follow(node.get("requestBody", {})).get("content", {})
        if operation.action.verb == "filter":
            parameters = [schemas.follow(parameter) for parameter in node.get("parameters", ())]
            found = [parameter.get("schema") for parameter in parameters if parameter.get("name") == name]
            found += [schemas.properties(media.get("schema", {})).get(name or "") for media in content.values()]
            for schema in [schemas.follow(schema) for schema in found if schema]:
                columns = [key for key in schema.get("properties", {}) if not key.startswith("$")]
                kept = set(columns[: _COLUMNS[run.settings.profile]])
                schema["properties"] = {
                    k: v if k.startswith("$") or not short else _few(schemas, v)
                    for k, v in schema["properties"].items()
                    if k.startswith("$") or k in kept
                }
            short = run.settings.profile == "smoke"
        if run.settings.profile == "smoke" and len(content) > 1:
            content.pop(FORM, None)


def _few(schemas: Schemas, column: Mapping[str, Any]) -> dict[str, Any]:
    """A column of a filter with its first few conditions."""
    node = schemas.follow(column)
    conditions = schemas.follow(node["allOf"][0]) if "allOf" in node else node
    properties = dict(list(conditions.get("properties", {}).items())[:_OPERATORS])
    return {**conditions, "properties": properties}


def configuration(run: Run, client: Client, layer: Layer) -> dict[str, Any]:
    """Schemathesis' settings: repeatable (one worker, no cache, no database), every check on, the layer's phases and the profile's amounts."""
    amount = AMOUNTS[run.settings.profile]
    unseen = {operation.method.upper() for operation in run.scope.unseen()}
    unseen |= {operation.method.upper() for operation in _excused(run)}
    probed = [name for name in _METHODS if name not in unseen and not (unseen and name == "OPTIONS")]
    if run.target.limits.read_only:
        probed = [name for name in probed if not changes(None, name)]
    caller = run.target.caller
    headers = {**caller.headers, **({WORLD_HEADER: client.world} if client.world else {})}
    config: dict[str, Any] = {
        "base-url": run.target.base_url,
        "seed": run.settings.seed,
        "workers": 1,
        "tls-verify": os.environ.get("SSL_CERT_FILE") or True,
        "max-redirects": 0,  # a redirect is the answer
        "request-timeout": run.sending.timeout,
        "continue-on-failure": True,
        "cache": {"enabled": False},
        "generation": {"max-examples": max(amount, 1), "database": "none", "allow-x00": False},
        "phases": {
            "coverage": {"enabled": layer == "responses", "unexpected-methods": probed},
            "fuzzing": {"enabled": layer == "fuzzing"},
            "stateful": {"enabled": layer == "fuzzing"},
        },
        "warnings": False,
    }
    if headers:
        config["headers"] = headers
    if caller.token is not None:
        schemes = run.scope.contract.document.get("components", {}).get("securitySchemes", {})
        authority = {
            name: _authority(run.scope.schemas.follow(scheme), caller.token) for name, scheme in schemes.items()
        }
        config["auth"] = {"openapi": {name: value for name, value in authority.items() if value}}
    return config


def forget_unread(schema: Any, layer: Layer) -> None:
    """Let the tool keep no values that it will not ask for: only what it makes up is made of them, and they are in every answer."""
    source = schema.analysis.extra_data_source
    if layer == "responses" and source is not None:
        source.semantic_index = None


def _authority(scheme: Mapping[str, Any], token: str) -> dict[str, str] | None:
    if scheme["type"] == "apiKey":
        return {"api_key": token}
    if scheme["type"] == "http" and scheme.get("scheme", "").lower() == "bearer":
        return {"bearer": token}
    return None
