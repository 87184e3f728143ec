"""The reader of contracts: OpenAPI documents, their `x-` facts, and the records known beforehand.

This is the only part of the mock that the conformance suite may import.
"""

from mock_server.contract.build import load, provenance, vendors
from mock_server.contract.extensions import METHODS, Finding, check
from mock_server.contract.files import ContractError, Json, data_root, escape, resolve
from mock_server.contract.fixtures import Fixtures, Record, load_fixtures
from mock_server.contract.json_schema import convert, definitions
from mock_server.contract.model import (
    Action,
    Body,
    Contract,
    Idempotency,
    Kind,
    Operation,
    Pagination,
    Parameter,
    Provenance,
    Resource,
    Response,
    Tenancy,
    Verb,
    View,
)

__all__ = [
    "METHODS",
    "Action",
    "Body",
    "Contract",
    "ContractError",
    "Finding",
    "Fixtures",
    "Idempotency",
    "Json",
    "Kind",
    "Operation",
    "Pagination",
    "Parameter",
    "Provenance",
    "Record",
    "Resource",
    "Response",
    "Tenancy",
    "Verb",
    "View",
    "check",
    "convert",
    "data_root",
    "definitions",
    "escape",
    "load",
    "load_fixtures",
    "provenance",
    "resolve",
    "vendors",
]
