"""A small vendor as data, for tests to break: a document that keeps every rule of lint, and its fixtures."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mock_server.contract import Contract, load, resolve
from mock_server.lint import Finding, lint

DOCUMENT = """
openapi: 3.0.3
info: {title: Shop, version: '1'}
x-vendor:
  name: shop
  error: Error
  tenancy: {in: credential}
  statuses:
    {malformed: 400, missing: 422, invalid: 422, parameter: 400, unauthenticated: 401, unknown: 404, dangling: 422, duplicate: 409, state: 409}
  idempotency: {header: Idempotency-Key, lifetime: PT24H, conflict: 423, in-use: 424}
tags: [{name: Things}]
security: [bearer: []]
paths:
  /things:
    post:
      operationId: createThing
      x-action: {create: Thing}
      x-provenance: documented
      tags: [Things]
      summary: Create a thing
      description: Stores it.
      parameters: [$ref: '#/components/parameters/Key']
      requestBody:
        content:
          application/json:
            schema: {$ref: '#/components/schemas/NewThing'}
            examples: {small: {$ref: '../fixtures/shop/Thing.yaml#/requests/small'}}
      responses:
        '201':
          description: The thing.
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Thing'}
              examples: {one: {$ref: '../fixtures/shop/Thing.yaml#/answers/one'}}
          links: {read: {operationId: getThing, parameters: {id: $response.body#/id}}}
        '400': &failed {$ref: '#/components/responses/Failed'}
        '401': *failed
        '409': *failed
        '415': *failed
        '422': *failed
        '423': *failed
        '424': *failed
  /things/{id}:
    get:
      operationId: getThing
      x-action: {retrieve: Thing, by: path.id}
      x-provenance: documented
      tags: [Things]
      summary: Get a thing
      description: As it is.
      parameters: [{name: id, in: path, required: true, schema: {type: string, minLength: 1}, example: t-1}]
      responses:
        '200':
          description: The thing.
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Thing'}
              examples: {one: {$ref: '../fixtures/shop/Thing.yaml#/answers/one'}}
        '401': {$ref: '#/components/responses/Failed'}
        '404': {$ref: '#/components/responses/Failed'}
  /things/{id}/sale:
    parameters:
      - {name: id, in: path, required: true, schema: {type: string}}
    post:
      operationId: sellThing
      x-action: {update: Thing, by: path.id, from: [new], set: {state: sold}}
      x-provenance: documented
      tags: [Things]
      summary: Sell a thing
      description: A new one.
      responses:
        '204': {description: Sold.}
        '401': {$ref: '#/components/responses/Failed'}
        '404': {$ref: '#/components/responses/Failed'}
        '409': {$ref: '#/components/responses/Failed'}
x-webhooks:
  thing.created:
    post:
      requestBody:
        content:
          application/json:
            schema: {$ref: '#/components/schemas/Thing'}
            examples: {one: {$ref: '../fixtures/shop/Thing.yaml#/answers/one'}}
      responses: {'204': {description: Taken.}}
components:
  securitySchemes: {bearer: {type: http, scheme: bearer}}
  parameters:
    Key: {name: Idempotency-Key, in: header, schema: {type: string, maxLength: 10}, example: k-1}
  responses:
    Failed:
      description: It failed.
      content:
        application/json:
          schema: {$ref: '#/components/schemas/Error'}
          examples: {failed: {value: {message: It failed.}}}
  schemas:
    Thing:
      type: object
      x-resource: {key: id, mint: {id: 't-{n}'}, unique: [[code]], state: state}
      required: [id, name]
      properties:
        id: {type: string, readOnly: true}
        code: {type: string, nullable: true}
        name: {$ref: '#/components/schemas/Name'}
        size: {type: integer}
        state: {type: string, enum: [new, sold], readOnly: true}
        made: {type: string, format: date-time, readOnly: true}
        owner_id: {type: string, x-references: Owner}
    NewThing:
      type: object
      required: [name]
      properties:
        code: {type: string}
        name: {$ref: '#/components/schemas/Name'}
        size: {type: integer, format: int32}
        owner_id: {type: string, x-references: Owner}
    Name: {type: string, minLength: 1, nullable: true, example: Lamp}
    Owner:
      type: object
      x-resource: {key: id, known: true}
      required: [id]
      properties: {id: {type: string}}
    Credential:
      type: object
      x-resource: {key: token, scope: vendor, known: true}
      required: [token, tenant]
      properties: {token: {type: string}, tenant: {type: string}}
    Error:
      type: object
      required: [message]
      properties: {message: {type: string}}
"""
FIXTURES = """
Thing:
  records:
    first: {summary: A lamp., value: {id: t-1, name: Lamp, code: L1, state: new, owner_id: o-1}}
    second: {summary: A desk., value: {id: t-2, name: Desk, code: null, state: new}}
  requests:
    small: {summary: The least., value: {name: Chair, owner_id: o-1}}
  answers:
    one: {summary: A lamp., value: {id: t-1, name: Lamp, state: new}}
Owner:
  records:
    ada: {summary: The default caller's., value: {id: o-1}}
    bob: {summary: The other's., x-tenant: second, value: {id: o-2}}
Credential:
  records:
    first: {summary: The default caller., value: {token: shop-sandbox-1, tenant: first}}
    second: {summary: Another tenant's., value: {token: shop-sandbox-2, tenant: second}}
"""


@dataclass(frozen=True)
class Shop:
    """A vendor's document and fixtures, as data to break."""

    document: dict[str, Any]
    fixtures: dict[str, Any]

    def at(self, pointer: str) -> Any:
        return resolve(self.document, pointer)

    def put(self, pointer: str, value: Any) -> None:
        holder, _, name = pointer.rpartition("/")
        held = self.at(holder)
        if isinstance(held, list):
            held[int(name) : int(name) + 1] = [value]
        else:
            held[name.replace("~1", "/")] = value

    def drop(self, pointer: str) -> None:
        holder, _, name = pointer.rpartition("/")
        del self.at(holder)[name.replace("~1", "/")]

    def write(self, folder: Path) -> Path:
        """Write the document and its fixtures; the document's path."""
        (folder / "openapi").mkdir(exist_ok=True)
        (folder / "fixtures" / "shop").mkdir(parents=True, exist_ok=True)
        document = folder / "openapi" / "shop.yaml"
        document.write_text(json.dumps(self.document, indent=1))
        for name, content in self.fixtures.items():
            (folder / "fixtures" / "shop" / f"{name}.yaml").write_text(json.dumps(content, indent=1))
        return document

    def lint(self, folder: Path) -> list[Finding]:
        return list(lint(self.write(folder)))

    def load(self, folder: Path) -> Contract:
        return load(self.write(folder))


def fresh() -> Shop:
    """The shop, unbroken."""
    return Shop(yaml.safe_load(DOCUMENT), yaml.safe_load(FIXTURES))
