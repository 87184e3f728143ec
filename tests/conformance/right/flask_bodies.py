"""What the miniature in Flask takes in: bodies that are JSON, each held to a schema of the document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from flask import request
from jsonschema import Draft202012Validator

from right import ACME

COMPONENTS = yaml.safe_load(Path(ACME).read_text(encoding="utf-8"))["components"]


class Refused(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        self.status, self.code, self.message = status, code, message


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": COMPONENTS})


VALIDATORS = {
    name: validator(name) for name in ("CustomerRequest", "CustomerChange", "CustomerFilter", "Currency", "Name")
}


def hold(name: str, value: Any, status: int) -> None:
    problems = sorted(error.json_path for error in VALIDATORS[name].iter_errors(value))
    if problems:
        raise Refused(status, "schema_violation", f"Have another look at {', '.join(problems)}")


def read() -> dict[str, Any]:
    """The body, an object of JSON; a body that does not say what it is passes for JSON."""
    media = request.mimetype
    if media and media != "application/json" and not media.endswith("+json"):
        raise Refused(415, "unsupported_media_type", f"{media} is not spoken here")
    try:
        body = json.loads(request.get_data().decode("utf-8"), parse_constant=_nonsense, parse_float=_finite)
        json.dumps(body, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise Refused(400, "unreadable", "That is not JSON") from None
    if not isinstance(body, dict):
        raise Refused(400, "unreadable", "That is no JSON object")
    return body


def _nonsense(text: str) -> Any:
    raise ValueError(text)


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(text)
    return number


def whole_numbers(body: dict[str, Any]) -> dict[str, Any]:
    """1.0 is an integer to JSON Schema, and shown as one."""
    cents = body.get("credit_cents")
    return {**body, "credit_cents": int(cents)} if isinstance(cents, float) else body
