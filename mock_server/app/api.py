"""The only place that knows Connexion: one Connexion API a vendor, whose operations are compiled once.

Connexion reads the document, builds its operations and resolves each operationId to the engine; `CompiledApi` takes these operations and serves
them without rebuilding anything per request.
"""

from __future__ import annotations

import copy
import functools
from typing import Any

import jsonschema_rs
import orjson
from connexion.middleware.abstract import AbstractRoutingAPI
from connexion.operations.abstract import AbstractOperation
from connexion.resolver import Resolution, Resolver
from connexion.spec import OpenAPISpecification, Specification

from mock_server.app.compiled import CompiledOperation, VendorApp
from mock_server.app.fallback import Served, with_fallback
from mock_server.app.routing import Router
from mock_server.app.schemas import Schemas
from mock_server.contract import ContractError
from mock_server.engine import Engine


class EngineResolver(Resolver):
    """Binds every operationId to what the engine does for it."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self._engine = engine

    def resolve(self, operation: AbstractOperation) -> Resolution:
        """The operation's own function; Connexion asks several times."""
        identifier = operation.operation_id
        return Resolution(self._engine.contract.operations[identifier], identifier)  # type: ignore[no-untyped-call]


class CompiledApi(AbstractRoutingAPI[CompiledOperation]):
    """The operations of one document, compiled as Connexion hands them over."""

    def __init__(self, specification: Specification, *, engine: Engine, **options: Any) -> None:
        self._schemas = Schemas(engine.contract)
        self._inferred = engine.inferred
        self.entries: list[tuple[str, str, CompiledOperation]] = []
        super().__init__(specification, **options)

    def make_operation(self, operation: AbstractOperation) -> CompiledOperation:
        """Compile what the resolver found."""
        return CompiledOperation(operation.function, self._schemas, inferred=self._inferred)

    @staticmethod
    def _framework_path_and_name(operation: AbstractOperation, path: str) -> tuple[str, str]:
        return path, operation.operation_id

    def _add_operation_internal(
        self, method: str, path: str, operation: CompiledOperation, name: str | None = None
    ) -> None:
        self.entries.append((method, path, operation))


class Document(OpenAPISpecification):
    """Connexion's specification of a contract: checked against its schema of OpenAPI by jsonschema-rs, in milliseconds.

    The stock check takes longer than everything else at start; `mockingbill lint` holds documents to openapi-spec-validator besides.
    """

    @classmethod
    def _validate_spec(cls, spec: Any) -> None:
        for error in _openapi().iter_errors(spec):
            pointer = "".join(f"/{step}" for step in error.instance_path)
            raise ContractError(f"{pointer} is not OpenAPI 3.0: {error.message}")


class _Copied(dict[str, Any]):
    """A document that is copied deeply in no time: Connexion does so twice, and fills in defaults."""

    def __deepcopy__(self, memo: Any) -> _Copied:
        return _Copied(orjson.loads(orjson.dumps(self)))


@functools.cache
def _openapi() -> jsonschema_rs.Validator:
    return jsonschema_rs.Draft4Validator(OpenAPISpecification.openapi_schema)


def build(engine: Engine) -> Served:
    """The Connexion application of an engine, its operations compiled. Raises ContractError for a document that is not OpenAPI."""
    specification = Document(copy.deepcopy(_Copied(engine.contract.document)))  # type: ignore[no-untyped-call]  # Connexion's
    api = CompiledApi(specification, engine=engine, resolver=EngineResolver(engine), base_path="")
    return with_fallback(VendorApp(engine, Router(api.entries)))
