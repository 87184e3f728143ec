"""An answer held to the document in two parts is held to all of it; what was found to fit is not gone through again."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.app.schemas import Schemas
from mock_server.app.shapes import shape_of
from mock_server.contract import Contract, Response, load, vendors
from mock_server.store import FrozenDict, freeze

SMALL = Path(__file__).parents[2] / "bench" / "small" / "openapi" / "small.yaml"
JUNK = st.sampled_from([None, True, 0, -1.5, "", "x", [], {}, [{}], {"id": 7}])


def shown() -> list[Any]:
    """Every documented success with a body, and its named examples."""
    found = []
    for contract in (*map(load, vendors()), load(SMALL)):
        for operation in contract.operations.values():
            response = operation.success
            for media, schema in response.content.items():
                bodies = [example["value"] for example in response.examples.get(media, {}).values()]
                if schema is not None and bodies:
                    found.append(pytest.param(contract, response, schema, bodies, id=f"{contract.name} {operation.id}"))
    return found


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to everything in a value."""
    found = [path]
    if isinstance(value, dict | list):
        for step, item in value.items() if isinstance(value, dict) else enumerate(value):
            found += places(item, (*path, step))
    return found


def changed(value: Any, path: tuple[Any, ...], junk: Any, *, drop: bool) -> Any:
    """A copy with something else at a place, or nothing."""
    if not path:
        return junk
    made = copy.deepcopy(value)
    node = made
    for step in path[:-1]:
        node = node[step]
    if drop:
        del node[path[-1]]
    else:
        node[path[-1]] = junk
    return made


def stored(value: Any, depth: int) -> Any:
    """The value as an action might give it: frozen from some level on."""
    if depth == 0:
        return freeze(value)
    if isinstance(value, dict):
        return {name: stored(item, depth - 1) for name, item in value.items()}
    return [stored(item, depth - 1) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(("contract", "response", "schema", "bodies"), shown())
def test_it_fits_in_parts_exactly_where_it_fits_whole(
    contract: Contract, response: Response, schema: Any, bodies: list[Any]
) -> None:
    schemas = Schemas(contract)
    fits, whole = shape_of(response, schema, schemas), schemas.validator(schema, "response")

    @settings(max_examples=40, deadline=None)
    @given(st.data())
    def hold(data: st.DataObject) -> None:
        body = data.draw(st.sampled_from(bodies))
        path = data.draw(st.sampled_from(places(body)))
        spoilt = changed(body, path, data.draw(JUNK), drop=data.draw(st.booleans()))
        for depth in range(4):
            for each in (stored(body, depth), stored(spoilt, depth)):
                assert [fits(each), fits(each)] == [whole.is_valid(each)] * 2

    hold()


@pytest.fixture
def small() -> tuple[Schemas, Response]:
    contract = load(SMALL)
    return Schemas(contract), contract.operations["listCustomers"].success


def customer(**values: Any) -> dict[str, Any]:
    given = {"external_id": "e", "name": "Ada", "email": "ada@example.com", "currency": "EUR", **values}
    place = {"line1": "1 Example Street", "city": "Austin", "country": "US"}
    return {"id": "cus_1", **given, "address": place, "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"}  # fmt: skip


def test_a_stored_record_that_fitted_is_known_to_and_its_successor_is_looked_at(
    small: tuple[Schemas, Response],
) -> None:
    schemas, response = small
    fits = shape_of(response, response.content["application/json"], schemas)
    record = freeze(customer())
    assert isinstance(record, FrozenDict)
    assert fits([record])
    assert record.fits is schemas.validator({"$ref": "#/components/schemas/Customer"}, "response")
    assert not fits([record, freeze({**record, "currency": "XXX"})])
    assert not fits([record] * 51), "what stands around the records is looked at each time"


def test_what_fits_one_schema_is_looked_at_for_another(small: tuple[Schemas, Response]) -> None:
    schemas, response = small
    record: Any = freeze(customer())
    record.fits = schemas.validator({"type": "object"}, "response")
    wrong: Any = freeze(customer(currency="XXX"))
    wrong.fits = record.fits
    fits = shape_of(response, response.content["application/json"], schemas)

    assert fits([record])
    assert not fits([wrong])
