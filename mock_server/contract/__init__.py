"""The reader of contracts: OpenAPI documents, their `x-` facts, and the records known beforehand.

This is the only part of the mock that the conformance suite may import.
"""

from mock_server.contract.build import load, vendors
from mock_server.contract.calls import Action, Body, Operation, Parameter, Response, Verb, View
from mock_server.contract.changes import Change, Emission, Signature, Transition, Webhook
from mock_server.contract.extensions import Finding, check, check_keys
from mock_server.contract.files import ContractError, Json, data_root, escape, resolve
from mock_server.contract.fixtures import Fixtures, Record, load_fixtures
from mock_server.contract.json_schema import Definitions, convert, definitions
from mock_server.contract.model import Contract, Idempotency, Kind, Pagination, Provenance, Resource, Tenancy
from mock_server.contract.openapi import invalidities
from mock_server.contract.parts import METHODS, Part, walk
from mock_server.contract.references import follow, named_records
from mock_server.contract.source import provenance
from mock_server.contract.sums import Sum, Term

__all__ = [
    "METHODS",
    "Action",
    "Body",
    "Change",
    "Contract",
    "ContractError",
    "Definitions",
    "Emission",
    "Finding",
    "Fixtures",
    "Idempotency",
    "Json",
    "Kind",
    "Operation",
    "Pagination",
    "Parameter",
    "Part",
    "Provenance",
    "Record",
    "Resource",
    "Response",
    "Signature",
    "Sum",
    "Tenancy",
    "Term",
    "Transition",
    "Verb",
    "View",
    "Webhook",
    "check",
    "check_keys",
    "convert",
    "data_root",
    "definitions",
    "escape",
    "follow",
    "invalidities",
    "load",
    "load_fixtures",
    "named_records",
    "provenance",
    "resolve",
    "vendors",
    "walk",
]
