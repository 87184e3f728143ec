"""Every rule of lint, by a small document that breaks it and nothing else."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from shop import DOCUMENT, Shop, fresh

from mock_server import cli
from mock_server.contract import data_root, escape, resolve, vendors
from mock_server.lint import RULES, lint

CREATE = "/paths/~1things/post"
GET = "/paths/~1things~1{id}/get"
SELL = "/paths/~1things~1{id}~1sale/post"
JSON = "content/application~1json"


@pytest.fixture
def shop() -> Shop:
    return fresh()


def put(pointer: str, value: Any) -> Callable[[Shop], None]:
    return lambda shop: shop.put(pointer, copy.deepcopy(value))


def drop(pointer: str) -> Callable[[Shop], None]:
    return lambda shop: shop.drop(pointer)


def seed(resource: str, pointer: str, value: Any) -> Callable[[Shop], None]:
    def change(shop: Shop) -> None:
        holder, _, name = pointer.rpartition("/")
        resolve(shop.fixtures[resource], holder)[name] = copy.deepcopy(value)

    return change


def all_of(*changes: Callable[[Shop], None]) -> Callable[[Shop], None]:
    def change(shop: Shop) -> None:
        for one in changes:
            one(shop)

    return change


SCHEMAS = "/components/schemas"
OWNER = f"{SCHEMAS}/NewThing/properties/owner_id"
FORM = f"{CREATE}/requestBody/content/application~1x-www-form-urlencoded"
MAIL = "someone@{}.net".format("gmail")
TOKEN = ".".join(("eyJhbGciOiJIUzI1NiJ9", "eyJzdWIiOiIxIn0", "c2lnbmVk"))

BROKEN: list[tuple[str, str, Callable[[Shop], None]]] = [
    ("unreadable", f"{CREATE}/requestBody/{JSON}/examples/small", put(f"{CREATE}/requestBody/{JSON}/examples/small/$ref", "nowhere.yaml#/x")),
    ("unreadable", f"{SCHEMAS}/Thing/x-resource", put(f"{SCHEMAS}/Thing/x-resource/state", "colour")),
    ("unreadable", "/records", lambda shop: shop.fixtures.update(Ghost={"records": {"casper": {"summary": "White.", "value": {}}}})),
    ("fixture-shape", "/records/first", seed("Thing", "/records/first", {"summary": "Nothing."})),
    ("fixture-shape", "/rows", seed("Thing", "/rows", {})),
    ("fixture-shape", "", lambda shop: shop.fixtures.update(Owner=["ada"])),
    ("openapi", f"{CREATE}/responses/201", drop(f"{CREATE}/responses/201/description")),
    ("openapi", "/x-webhooks/thing.created/post", drop("/x-webhooks/thing.created/post/responses")),
    ("reference", f"{GET}/responses/404", put(f"{GET}/responses/404/$ref", "#/components/responses/Lost")),
    ("reference-siblings", f"{GET}/responses/404", put(f"{GET}/responses/404/description", "Lost.")),
    ("unknown-extension", f"{GET}/x-colour", put(f"{GET}/x-colour", "blue")),
    ("unknown-extension", "/records/first/x-owner", seed("Thing", "/records/first/x-owner", "ada")),
    ("extension-place", f"{GET}/x-references", put(f"{GET}/x-references", "Owner")),
    ("extension-value", f"{GET}/x-provenance", put(f"{GET}/x-provenance", "guessed")),
    ("extension-value", f"{SCHEMAS}/Thing/x-resource/mint/id", put(f"{SCHEMAS}/Thing/x-resource/mint/id", "always-the-same")),
    ("vendor-fact", "/x-vendor/error", put("/x-vendor/error", "Mistake")),
    ("vendor-fact", "/x-vendor/pagination/parameter", put("/x-vendor/pagination", {"parameter": "page", "size": 10})),
    ("unknown-resource", f"{OWNER}/x-references", put(f"{OWNER}/x-references", "Holder")),
    ("unknown-resource", f"{GET}/x-action/retrieve", put(f"{GET}/x-action/retrieve", "Error")),
    ("unknown-resource", f"{SCHEMAS}/Error/x-view", put(f"{SCHEMAS}/Error/x-view", "Mistake")),
    ("reference-type", f"{SCHEMAS}/NewThing/properties/owners/x-references",
     put(f"{SCHEMAS}/NewThing/properties/owners", {"type": "boolean", "x-references": "Owner"})),
    ("unknown-event", f"{SCHEMAS}/Thing/x-emits/thing.made", put(f"{SCHEMAS}/Thing/x-emits", {"thing.made": {"on": "created"}})),
    ("operation-id", GET, all_of(put(f"{GET}/operationId", "get_thing"), drop(f"{CREATE}/responses/201/links"))),
    ("summary", GET, drop(f"{GET}/summary")),
    ("description", GET, put(f"{GET}/description", " ")),
    ("tag", GET, put(f"{GET}/tags", [])),
    ("tag", f"{GET}/tags/0", put(f"{GET}/tags", ["People"])),
    ("provenance", GET, drop(f"{GET}/x-provenance")),
    ("action", GET, drop(f"{GET}/x-action")),
    ("action", GET, put(f"{GET}/x-action", {"retrieve": "Thing", "delete": "Thing", "by": "path.id"})),
    ("action-fact", f"{SELL}/x-action/from/0", put(f"{SELL}/x-action/from", ["old"])),
    ("action-fact", f"{SELL}/x-action/to/0", put(f"{SELL}/x-action/to", ["gone"])),
    ("lifecycle-fact", f"{SCHEMAS}/Thing/x-lifecycle/fade/at", put(f"{SCHEMAS}/Thing/x-lifecycle", {"fade": {"at": "name"}})),
    ("lifecycle-fact", f"{SCHEMAS}/Thing/x-lifecycle/fade/to/0",
     put(f"{SCHEMAS}/Thing/x-lifecycle", {"fade": {"at": "made", "from": ["new"], "to": ["old"]}})),
    ("lifecycle-fact", f"{SCHEMAS}/Owner/x-lifecycle/leave/at", put(f"{SCHEMAS}/Owner/x-lifecycle", {"leave": {"at": "id"}})),
    ("emission-fact", f"{SCHEMAS}/Thing/x-emits/thing.created/where/state",
     put(f"{SCHEMAS}/Thing/x-emits", {"thing.created": {"on": "created", "where": {"state": "old"}}})),
    ("emission-fact", f"{SCHEMAS}/Owner/x-emits/thing.created/on", put(f"{SCHEMAS}/Owner/x-emits", {"thing.created": {"on": "moved"}})),
    ("sum-fact", f"{SCHEMAS}/Thing/x-sums/size", put(f"{SCHEMAS}/Thing/x-sums", {"size": ["-state"]})),
    ("example-sum", "/records/first/value/size", all_of(put(f"{SCHEMAS}/Thing/x-sums", {"size": "code"}),
     seed("Thing", "/records/first/value/code", "7.10"), seed("Thing", "/records/first/value/size", 7))),
    ("example-sum", "/answers/one/value", all_of(put(f"{SCHEMAS}/Thing/x-sums", {"size": ["code", "-code"]}),
     seed("Thing", "/answers/one/value/code", "7"), seed("Thing", "/answers/one/value/size", 7))),
    ("action-fact", f"{SELL}/x-action/set/state", put(f"{SELL}/x-action/set/state", "gone")),
    ("action-fact", f"{SELL}/x-action/set/colour", put(f"{SELL}/x-action/set", {"colour": "blue"})),
    ("action-fact", f"{CREATE}/x-action/moves/code/C1", put(f"{CREATE}/x-action/moves", {"code": {"C1": "gone"}})),
    ("action-fact", f"{CREATE}/x-action/moves/code/C2",
     all_of(put(f"{CREATE}/x-action/to", ["new"]), put(f"{CREATE}/x-action/moves", {"code": {"C1": "new", "C2": "sold"}}))),
    ("default-response", f"{GET}/responses/default", put(f"{GET}/responses/default", {"description": "Anything."})),
    ("unstated-status", "/x-vendor/statuses", drop("/x-vendor/statuses/duplicate")),
    ("unnamed-example", f"{GET}/responses/200/{JSON}", drop(f"{GET}/responses/200/{JSON}/examples")),
    ("example-shape", f"{GET}/responses/200/{JSON}/examples/one", put(f"{GET}/responses/200/{JSON}/examples/one", {"summary": "Nothing."})),
    ("example-invalid", "/answers/one/value/name", seed("Thing", "/answers/one/value/name", 7)),
    ("example-invalid", "/requests/small/value", seed("Thing", "/requests/small/value", {"code": "C1"})),
    ("example-invalid", f"{SCHEMAS}/Name/example", put(f"{SCHEMAS}/Name/example", "")),
    ("example-invalid", "/components/parameters/Key/example", put("/components/parameters/Key/example", "much too long")),
    ("example-duplicate", f"{GET}/responses/200/{JSON}/examples/again",
     put(f"{GET}/responses/200/{JSON}/examples/again", {"value": {"state": "new", "id": "t-1", "name": "Lamp"}})),
    ("example-reference", "/requests/small/value/owner_id", seed("Thing", "/requests/small/value/owner_id", "o-2")),
    ("unused-example", "/answers/two", seed("Thing", "/answers/two", {"summary": "A desk.", "value": {"id": "t-2", "name": "Desk"}})),
    ("fixture-shape", "/records/first", seed("Owner", "/records/first", {"value": {"id": "o-3"}})),
    ("fixture-shape", "/records/ada/values", seed("Owner", "/records/ada/values", 1)),
    ("fixture-invalid", "/records/first/value/state", seed("Thing", "/records/first/value/state", "old")),
    ("fixture-invalid", "/records/first/value/owner_id", seed("Thing", "/records/first/value/owner_id", "o-2")),
    ("fixture-invalid", "/records/second/value/id", seed("Thing", "/records/second/value/id", "t-1")),
    ("fixture-invalid", "/records/second/value/code", seed("Thing", "/records/second/value/code", "L1")),
    ("unknown-tenant", "/records/bob/x-tenant", seed("Owner", "/records/bob/x-tenant", "third")),
    ("unknown-tenant", "/records/second/x-tenant", seed("Credential", "/records/second/x-tenant", "second")),
    ("no-credential", "", all_of(seed("Credential", "/records", {}), seed("Owner", "/records/bob", {"summary": "Another.", "value": {"id": "o-2"}}))),
    ("real-address", "/records/second/value/name", seed("Thing", "/records/second/value/name", MAIL)),
    ("real-address", "/info/description", put("/info/description", f"Write to {MAIL}.")),
    ("real-token", "/records/second/value/token", seed("Credential", "/records/second/value/token", TOKEN)),
    ("unbounded-integer", f"{SCHEMAS}/NewThing/properties/size", put(f"{SCHEMAS}/NewThing/properties/size", {"type": "integer", "minimum": 1})),
    ("unbounded-integer", "/components/parameters/Key/schema",
     put("/components/parameters/Key", {"name": "Idempotency-Key", "in": "header", "schema": {"type": "integer"}})),
    ("parameter-type", "/components/parameters/Key", put("/components/parameters/Key/schema", {"maxLength": 10})),
    ("form-type", f"{SCHEMAS}/NewThing/properties/code",
     all_of(put(f"{SCHEMAS}/NewThing/properties/code", {}), put(FORM, {"schema": {"$ref": "#/components/schemas/NewThing"}}))),
    ("array-items", f"{SCHEMAS}/Error/properties/path", put(f"{SCHEMAS}/Error/properties/path", {"type": "array"})),
    ("nullable-place", f"{SCHEMAS}/Error/properties/name/nullable",
     put(f"{SCHEMAS}/Error/properties/name", {"nullable": True, "allOf": [{"$ref": "#/components/schemas/Name"}]})),
    ("nullable-place", f"{SCHEMAS}/Error/properties/name/nullable", put(f"{SCHEMAS}/Error/properties/name", {"nullable": True, "minLength": 1})),
    ("link-operation", f"{CREATE}/responses/201/links/read/operationId", put(f"{CREATE}/responses/201/links/read/operationId", "readThing")),
    ("discriminator-mapping", f"{SCHEMAS}/Error/discriminator/mapping/big",
     put(f"{SCHEMAS}/Error/discriminator", {"propertyName": "message", "mapping": {"big": "#/components/schemas/Big", "small": "Error"}})),
    ("unserved", "/security", put("/components/securitySchemes/bearer", {"type": "apiKey", "in": "header", "name": "X-Key"})),
    ("unserved", f"{CREATE}/requestBody/content/application~1xml",
     put(f"{CREATE}/requestBody/content/application~1xml", {"schema": {"$ref": "#/components/schemas/NewThing"}})),
    ("unused-component", f"{SCHEMAS}/Left",
     put(f"{SCHEMAS}/Left", {"type": "object", "properties": {"right": {"$ref": "#/components/schemas/Left"}}})),
    ("unused-component", "/components/responses/Lost", put("/components/responses/Lost", {"description": "Lost."})),
    ("unused-component", "/components/parameters/Page",
     put("/components/parameters/Page", {"name": "page", "in": "query", "schema": {"type": "string"}})),
    ("schema-unusable", f"{SCHEMAS}/Error/properties/note", put(f"{SCHEMAS}/Error/properties/note", {"$ref": "#/components/parameters/Key/schema"})),
]  # fmt: skip


def test_a_document_that_keeps_every_rule_has_no_findings(shop: Shop, tmp_path: Path) -> None:
    assert shop.lint(tmp_path) == []


@pytest.mark.parametrize(
    ("rule", "pointer", "change"), BROKEN, ids=[f"{rule} {pointer}" for rule, pointer, _ in BROKEN]
)
def test_a_broken_rule_is_named_with_its_place(
    shop: Shop, tmp_path: Path, rule: str, pointer: str, change: Callable[[Shop], None]
) -> None:
    change(shop)
    assert {(finding.rule, finding.pointer) for finding in shop.lint(tmp_path)} == {(rule, pointer)}


@pytest.mark.parametrize(
    ("operation", "status", "change"),
    [
        (CREATE, 400, None),
        (CREATE, 401, None),
        (CREATE, 409, None),
        (CREATE, 415, None),
        (CREATE, 422, None),
        (CREATE, 423, None),
        (CREATE, 424, None),
        (GET, 401, None),
        (GET, 404, None),
        (SELL, 409, None),
        (CREATE, 427, put("/x-vendor/statuses/malformed", 427)),
        (CREATE, 427, put("/x-vendor/statuses/missing", 427)),
        (CREATE, 427, put("/x-vendor/statuses/invalid", 427)),
        (CREATE, 427, put("/x-vendor/statuses/parameter", 427)),
        (CREATE, 427, put("/x-vendor/statuses/dangling", 427)),
        (CREATE, 427, put("/x-vendor/statuses/duplicate", 427)),
        (CREATE, 427, put(f"{CREATE}/x-statuses", {"missing": 427})),
        (SELL, 427, put("/x-vendor/statuses/state", 427)),
        (GET, 400, put(f"{GET}/parameters/0/schema", {"type": "integer", "format": "int32"})),
        (GET, 400, put(f"{GET}/parameters/0/schema", {"type": "string", "pattern": "^t"})),
        (GET, 400, put(f"{GET}/parameters/1", {"name": "q", "in": "query", "schema": {"type": "string"}})),
        (GET, 400, put(f"{GET}/parameters/1", {"name": "q", "in": "header", "required": True, "schema": {"type": "string"}})),
        (CREATE, 404, put(f"{CREATE}/parameters/1", {"name": "o", "in": "header", "x-references": "Owner", "schema": {"type": "string"}})),
        (SELL, 400, put(f"{SELL}/requestBody", {"content": {"application/json": {"schema": {"type": "object"}}}})),
        (GET, 403, all_of(put("/x-vendor/statuses/forbidden", 403), put(f"{SCHEMAS}/Credential/properties/revoked", {"type": "boolean"}))),
    ],
)  # fmt: skip
def test_a_status_that_the_facts_can_lead_to_is_listed(
    shop: Shop, tmp_path: Path, operation: str, status: int, change: Callable[[Shop], None] | None
) -> None:
    if change is None:
        shop.drop(f"{operation}/responses/{status}")
    else:
        change(shop)
    named = [finding for finding in shop.lint(tmp_path) if finding.pointer == f"{operation}/responses"]
    assert [finding.rule for finding in named] == ["missing-status"] * len(named)
    assert any(f" does not list {status}: " in finding.message for finding in named)


def test_every_rule_is_broken_by_some_document_here() -> None:
    assert {rule for rule, _, _ in BROKEN} | {"missing-status"} == set(RULES)


def test_a_finding_names_the_file_and_the_line(shop: Shop, tmp_path: Path) -> None:
    shop.put("/info/description", f"Ask {MAIL}.")
    (finding,) = shop.lint(tmp_path)
    path = tmp_path / "openapi" / "shop.yaml"
    line = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if "Ask " in text)
    assert str(finding).startswith(f"{path}:{line}: /info/description: real-address: ")


def test_a_finding_in_a_file_that_the_document_refers_to_names_that_file(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "openapi" / "shop").mkdir(parents=True)
    error = {
        "schemas": {"Error": {"type": "object", "required": ["message"], "properties": {"message": {"type": "array"}}}}
    }
    part = tmp_path / "openapi" / "shop" / "shared.yaml"
    part.write_text(yaml.safe_dump(error))
    shop.put(f"{SCHEMAS}/Error", {"$ref": "shop/shared.yaml#/schemas/Error"})
    shop.put("/components/responses/Failed/content/application~1json/examples/failed/value", {"message": []})
    assert [(finding.file, finding.pointer, finding.rule) for finding in shop.lint(tmp_path)] == [
        (str(part), "/schemas/Error/properties/message", "array-items")
    ]


def test_the_first_finding_does_not_keep_the_others_from_being_found(shop: Shop, tmp_path: Path) -> None:
    kept = (
        "unreadable",
        "openapi",
        "reference",
        "unknown-resource",
        "extension",
        "operation-id",
        "action",
        "provenance",
    )
    wanted = {
        "summary",
        "unused-component",
        "nullable-place",
        "real-token",
        "link-operation",
        "tag",
        "default-response",
    }
    for rule, _, change in BROKEN:
        if rule in wanted and not rule.startswith(kept):
            change(shop)
    assert {finding.rule for finding in shop.lint(tmp_path)} >= wanted


def test_a_file_that_is_no_yaml_is_one_finding(tmp_path: Path) -> None:
    path = tmp_path / "openapi" / "shop.yaml"
    path.parent.mkdir()
    path.write_text("openapi: 3.0.3\ninfo: {title: Shop\n")
    assert [(f.file, f.line, f.pointer, f.rule) for f in lint(path)] == [(str(path), 3, "", "unreadable")]


def test_a_document_that_is_not_there_is_one_finding(tmp_path: Path) -> None:
    assert [finding.rule for finding in lint(tmp_path / "shop.yaml")] == ["unreadable"]


@pytest.mark.parametrize(
    "content", ["", "[]", "7", "openapi: 3.0.3", "{openapi: 3.0.3, paths: {}, info: {title: t, version: v}}"]
)
def test_what_is_hardly_a_document_has_findings(tmp_path: Path, content: str) -> None:
    path = tmp_path / "shop.yaml"
    path.write_text(content)
    assert list(lint(path))


def pointers(node: Any, at: str = "") -> list[str]:
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [
        place
        for key, value in items
        for place in (f"{at}/{escape(str(key))}", *pointers(value, f"{at}/{escape(str(key))}"))
    ]


JUNK = st.sampled_from(
    [
        None,
        True,
        0,
        -1,
        1.5,
        "",
        "x",
        "#/components/schemas/Thing",
        [],
        [None],
        {},
        {"": None},
        {"$ref": "#/paths"},
        {"$ref": "#"},
    ]
)


@given(changes=st.lists(st.tuples(st.sampled_from(pointers(yaml.safe_load(DOCUMENT))), JUNK), min_size=1, max_size=3))
@settings(max_examples=40, deadline=None)
def test_no_document_makes_lint_stumble(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[str, Any]]
) -> None:
    shop = fresh()
    for pointer, junk in changes:
        try:
            shop.put(pointer, junk)
        except (KeyError, TypeError, IndexError):
            continue  # an earlier change took the place away
    for finding in shop.lint(tmp_path_factory.mktemp("shop")):
        assert re.match(r"^.+:\d+: (#|/.+): [a-z-]+: .", str(finding))


def test_the_command_lists_the_findings_and_exits_with_1(shop: Shop, tmp_path: Path) -> None:
    shop.drop(f"{GET}/summary")
    shop.lint(tmp_path)
    result = CliRunner().invoke(cli.main, ["lint", str(tmp_path / "openapi" / "shop.yaml")])
    assert result.exit_code == 1
    assert f": {GET}: summary: getThing has no summary\n" in result.stdout


@pytest.mark.parametrize("vendor", vendors())
def test_the_shipped_documents_keep_every_rule(vendor: str) -> None:
    assert [str(finding) for finding in lint(vendor)] == []


def test_the_control_api_keeps_every_rule() -> None:
    assert [str(finding) for finding in lint(Path(cli.__file__).parent.with_name("control.yaml"))] == []


ROOT = Path(__file__).resolve().parent.parent


def test_only_the_vendors_own_modules_know_their_names() -> None:
    names = re.compile("|".join(vendors()), re.IGNORECASE)
    core = [path for path in (ROOT / "mock_server").rglob("*.py") if "vendors" not in path.relative_to(ROOT).parts]
    assert core
    assert [path.name for path in core if names.search(path.read_text(encoding="utf-8"))] == []


def test_every_word_of_the_vocabulary_is_explained() -> None:
    vocabulary = yaml.safe_load((data_root() / "openapi" / "extensions.schema.json").read_text(encoding="utf-8"))
    text = (data_root() / "openapi" / "README.md").read_text(encoding="utf-8")
    assert [key for key in vocabulary["properties"] if not re.search(f"`{key}[`:]", text)] == []
