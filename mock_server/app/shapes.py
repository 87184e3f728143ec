"""Holds answers to the document.

A record that is stored cannot change, and whether a value fits a schema depends on nothing but the two: one that was found to fit is not gone through
again for the same schema. What stands around it, and everything that is not stored as it is shown, is validated each time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jsonschema_rs

from mock_server.app.schemas import Schemas
from mock_server.contract import Response
from mock_server.store import FrozenDict

Fits = Callable[[Any], bool]


def shape_of(response: Response, schema: Any, schemas: Schemas) -> Fits:
    """What says whether a body fits the schema of a response."""
    whole = schemas.validator(schema, "response")
    for view in sorted(response.views, key=lambda view: len(view.path)):
        steps, is_list = (view.path[:-1], True) if view.is_list else (view.path, False)
        if "-" in steps:
            continue
        parted = _part(schema, (*steps, *(("-",) if is_list else ())), schemas)
        if parted is not None:
            around, inner = parted
            return _Parted(whole, steps, is_list, schemas.validator(around, "response"), inner).fits
    return whole.is_valid


def _part(schema: Any, path: tuple[str, ...], schemas: Schemas) -> tuple[Any, jsonschema_rs.Validator] | None:
    """The schema without what it says of the place that the path leads to, and that as a validator; None where it is not plainly there.

    `properties` and `items` say something of that place alone, so that both together say what the schema does.
    """
    if not path:
        return {}, schemas.validator(schema, "response")
    node: Mapping[str, Any] = schemas.deref(schema)
    step, rest = path[0], path[1:]
    inner = node.get("items") if step == "-" else node.get("properties", {}).get(step)
    parted = _part(inner, rest, schemas) if inner is not None else None
    if parted is None:
        return None
    if step == "-":
        return {**node, "items": parted[0]}, parted[1]
    return {**node, "properties": {**node["properties"], step: parted[0]}}, parted[1]


class _Parted:
    """A schema in two: what stands around the records, and the records."""

    def __init__(
        self,
        whole: jsonschema_rs.Validator,
        steps: tuple[str, ...],
        is_list: bool,
        around: jsonschema_rs.Validator,
        record: jsonschema_rs.Validator,
    ) -> None:
        self._whole = whole.is_valid
        self._steps = steps
        self._is_list = is_list
        self._around = around.is_valid
        self._record = record

    def fits(self, body: Any) -> bool:
        """Whether a body fits."""
        found = body
        for step in self._steps:
            found = found.get(step) if isinstance(found, dict) else None
        records = found if self._is_list else (found,)
        if not isinstance(records, list | tuple) or not records or type(records[0]) is not FrozenDict:
            return self._whole(body)
        return self._around(body) and all(map(self._proven, records))

    def _proven(self, record: Any) -> bool:
        """Whether a record fits, now or ever before."""
        if type(record) is not FrozenDict:
            return self._record.is_valid(record)
        if getattr(record, "fits", None) is self._record:
            return True
        if not self._record.is_valid(record):
            return False
        record.fits = self._record
        return True
