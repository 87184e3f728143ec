"""What a newcomer needs to know of the vendors served: base URLs, documents, sandbox credentials, ids that exist."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any
from urllib.parse import urlsplit

from mock_server.contract import Contract, Fixtures, resolve
from mock_server.engine import Engine


def describe(contract: Contract, fixtures: Fixtures) -> dict[str, Any]:
    """A vendor in plain data: `{vendor, title, base_path, document, operations, credentials, known}`.

    `document` is the file of the contract; `credentials.headers` are ready to send for the default caller; `known` maps a name that requests use to a
    value that exists for that caller.
    """
    levels = Counter(operation.provenance.level for operation in contract.operations.values())
    return {
        "vendor": contract.name,
        "title": contract.title,
        "base_path": f"/{contract.name}",
        "document": str(contract.bundle.path),
        "operations": {level: levels[level] for level in ("documented", "published", "inferred")},
        "credentials": _credentials(contract, fixtures),
        "known": known(contract, fixtures),
    }


def _credentials(contract: Contract, fixtures: Fixtures) -> dict[str, Any]:
    found: dict[str, Any] = {"headers": {}}
    for record in fixtures.of("Credential")[:1]:
        found["headers"]["Authorization"] = f"Bearer {record.value['token']}"
    for record in fixtures.of("Client")[:1]:
        found["oauth"] = {
            "token_path": _token_path(contract),
            "client_id": record.value["client_id"],
            "client_secret": record.value["client_secret"],
        }
    return found


def _token_path(contract: Contract) -> str:
    schemes = contract.document.get("components", {}).get("securitySchemes", {})
    for scheme in schemes.values():
        for flow in scheme.get("flows", {}).values():
            if "tokenUrl" in flow:
                return urlsplit(str(flow["tokenUrl"])).path
    return ""


def known(contract: Contract, fixtures: Fixtures) -> dict[str, Any]:
    """For each name under which a request refers to a record: the key of the first that the default caller may name."""
    found: dict[str, Any] = {}
    for name, resource in _named(contract):
        records = fixtures.of(resource)
        if records and name not in found:
            found[name] = records[0].value[contract.resources[resource].key]
    return dict(sorted(found.items()))


def _named(contract: Contract) -> Iterator[tuple[str, str]]:
    for operation in contract.operations.values():
        by = operation.action.by
        for parameter in operation.parameters:
            if parameter.references:
                yield parameter.name, parameter.references
            elif by == (parameter.where, parameter.name) and parameter.where == "path":
                yield parameter.name, operation.action.resource
        if operation.body:
            yield from _references(contract, operation.body.schema, frozenset())


def _references(contract: Contract, schema: Any, trail: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Every property below a schema that refers to a resource, with its name."""
    if not isinstance(schema, dict):
        return
    reference = schema.get("$ref")
    if reference is not None:
        if reference not in trail:
            target = resolve(contract.document, reference.removeprefix("#"))
            yield from _references(contract, target, trail | {reference})
        return
    for name, item in schema.get("properties", {}).items():
        target = resolve(contract.document, item["$ref"].removeprefix("#")) if "$ref" in item else item
        inner = target.get("items", {}) if target.get("type") == "array" else {}
        if target.get("readOnly"):
            continue
        for holder in (target, inner):
            if "x-references" in holder:
                yield name, holder["x-references"]
        yield from _references(contract, item, trail)
    for part in (schema.get("items"), *schema.get("allOf", ()), *schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from _references(contract, part, trail)


def listing(engines: Sequence[Engine], root: str) -> dict[str, Any]:
    """The index as JSON: every vendor served, with URLs below `root`."""
    entries = []
    for engine in engines:
        entry = describe(engine.contract, engine.fixtures)
        url = f"{root}/{engine.contract.name}"
        entry.pop("document")
        entries.append({**entry, "base_url": url, "documents": [f"{url}/openapi.json", f"{url}/openapi.yaml"]})
    return {"vendors": entries, "control": f"{root}/_mock", "health": f"{root}/_mock/health"}


def page(found: Mapping[str, Any]) -> str:
    """The index as a page for people."""
    cards = "\n".join(_card(entry) for entry in found["vendors"])
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>mockingbill</title>
<style>
  :root {{ color-scheme: light dark; --line: #8884; --soft: #8881; }}
  body {{ font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }}
  section {{ border: 1px solid var(--line); border-radius: 8px; margin: 1rem 0; padding: 1rem 1.25rem; }}
  h1, h2 {{ margin: 0 0 .5rem; }}
  dl {{ display: grid; gap: .25rem 1rem; grid-template-columns: max-content 1fr; margin: 0; }}
  dt {{ opacity: .7; }} dd {{ margin: 0; overflow-wrap: anywhere; }}
  code {{ background: var(--soft); border-radius: 4px; padding: .1em .35em; }}
  @media (max-width: 34rem) {{ dl {{ display: block; }} dd {{ margin-bottom: .5rem; }} }}
</style>
<h1>mockingbill</h1>
<p>A sandbox for subscription and billing APIs. What you create here can be read back, until the process ends.</p>
{cards}
<p>Control: <a href="{escape(found["health"])}">{escape(found["health"])}</a></p>
</html>
"""


def _card(entry: Mapping[str, Any]) -> str:
    documents = " · ".join(
        f'<a href="{escape(url)}">{escape(url.rpartition("/")[2])}</a>' for url in entry["documents"]
    )
    operations = ", ".join(f"{count} {level}" for level, count in entry["operations"].items() if count)
    rows = [("Base URL", f"<code>{escape(entry['base_url'])}</code>"), ("Document", documents)]
    rows.append(("Operations", escape(operations)))
    for name, value in entry["credentials"]["headers"].items():
        rows.append((escape(name), f"<code>{escape(value)}</code>"))
    if oauth := entry["credentials"].get("oauth"):
        rows.append(
            (
                "OAuth client",
                f"<code>{escape(oauth['client_id'])}</code> · <code>{escape(oauth['client_secret'])}</code>",
            )
        )
    for name, value in entry["known"].items():
        rows.append((escape(name), f"<code>{escape(str(value))}</code>"))
    body = "\n".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows)
    return f"<section><h2>{escape(entry['title'])}</h2><dl>\n{body}\n</dl></section>"
