"""The environment of Mockoon for the small document: its own create, read, update and delete over a data bucket."""

from __future__ import annotations

from typing import Any


def environment() -> dict[str, Any]:
    """One CRUD route `/customers`, its bucket empty."""
    response = {
        "uuid": "00000000-0000-4000-8000-000000000003",
        "body": "{}",
        "latency": 0,
        "statusCode": 200,
        "label": "",
        "headers": [],
        "bodyType": "DATABUCKET",
        "filePath": "",
        "databucketID": "cust",
        "sendFileAsBody": False,
        "rules": [],
        "rulesOperator": "OR",
        "disableTemplating": True,
        "fallbackTo404": False,
        "default": True,
        "crudKey": "id",
        "callbacks": [],
    }
    route = {
        "uuid": "00000000-0000-4000-8000-000000000002",
        "type": "crud",
        "documentation": "",
        "method": "",
        "endpoint": "customers",
        "responses": [response],
        "responseMode": None,
        "streamingMode": None,
        "streamingInterval": 0,
    }
    bucket = {
        "uuid": "00000000-0000-4000-8000-000000000004",
        "id": "cust",
        "name": "customers",
        "documentation": "",
        "value": "[]",
    }
    return {
        "uuid": "00000000-0000-4000-8000-000000000001",
        "lastMigration": 33,
        "name": "small",
        "port": 3000,
        "hostname": "127.0.0.1",
        "endpointPrefix": "",
        "latency": 0,
        "folders": [],
        "routes": [route],
        "rootChildren": [{"type": "route", "uuid": route["uuid"]}],
        "proxyMode": False,
        "proxyHost": "",
        "proxyRemovePrefix": False,
        "tlsOptions": {
            "enabled": False, "type": "CERT", "pfxPath": "", "certPath": "", "keyPath": "", "caPath": "", "passphrase": ""
        },
        "cors": False,
        "headers": [{"key": "Content-Type", "value": "application/json"}],
        "proxyReqHeaders": [],
        "proxyResHeaders": [],
        "data": [bucket],
        "callbacks": [],
    }  # fmt: skip
