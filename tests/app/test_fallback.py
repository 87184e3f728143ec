"""Operations that the compiler does not understand are served by Connexion's stock classes, rightly, beside those that it does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from click.testing import CliRunner
from sandboxes import MOMENT, InProcess

from mock_server import Answer, ContractError, Vendor, cli, create_app
from mock_server.contract import load, load_fixtures

DOCUMENT = """
openapi: 3.0.3
info: {title: Odd, version: '1'}
x-vendor:
  name: odd
  error: Problem
  statuses: {malformed: 400, missing: 422, invalid: 422, parameter: 400, unknown: 404, duplicate: 409}
paths:
  /notes:
    post:
      operationId: createNote
      x-action: {create: Note}
      x-provenance: documented
      requestBody:
        required: true
        content:
          multipart/form-data:
            schema:
              type: object
              required: [title, file]
              properties:
                title: {type: string, minLength: 2}
                size: {type: integer}
                tags: {type: array, items: {type: string}}
                place: {type: object, properties: {x: {type: integer}}}
                file: {type: string, format: binary, maxLength: 9}
      responses:
        '201': {description: It., content: {application/json: {schema: {$ref: '#/components/schemas/Note'}}}}
  /notes/{id}:
    parameters: &id [{name: id, in: path, required: true, schema: {type: string}}]
    get:
      operationId: getNote
      x-action: {retrieve: Note, by: path.id}
      x-provenance: documented
      responses:
        '200': {description: It., content: {application/json: {schema: {$ref: '#/components/schemas/Note'}}}}
  /notes/{id}:cancel:
    parameters: *id
    post:
      operationId: cancelNote
      x-action: {none: Note}
      x-provenance: documented
      responses: &echo {'200': {description: It., content: {application/json: {}}}}
  /files/{name}.{ext}:
    parameters:
      - {name: name, in: path, required: true, schema: {type: string}}
      - {name: ext, in: path, required: true, schema: {type: string, enum: [pdf, csv]}}
    get: {operationId: getFile, x-action: {none: Note}, x-provenance: documented, responses: *echo}
  /label/{id}/{list}:
    parameters:
      - {name: id, in: path, required: true, style: label, schema: {type: integer}}
      - {name: list, in: path, required: true, style: matrix, explode: true, schema: {type: array, items: {type: integer}}}
    get: {operationId: getLabel, x-action: {none: Note}, x-provenance: documented, responses: *echo}
  /simple/{list}/{object}:
    parameters:
      - {name: list, in: path, required: true, schema: {type: array, items: {type: integer}}}
      - {name: object, in: path, required: true, schema: {type: object, properties: {x: {type: integer}}}}
      - {name: X-Sizes, in: header, schema: {type: array, items: {type: integer, maximum: 9}}}
    get: {operationId: getSimple, x-action: {none: Note}, x-provenance: documented, responses: *echo}
  /query:
    get:
      operationId: query
      x-action: {none: Note}
      x-provenance: documented
      parameters:
        - {name: pipes, in: query, style: pipeDelimited, explode: false, schema: {type: array, items: {type: integer}}}
        - {name: spaces, in: query, style: spaceDelimited, explode: false, schema: {type: array, items: {type: string}}}
        - {name: point, in: query, explode: false, schema: {type: object, properties: {x: {type: integer}, y: {type: integer}}}}
        - {name: 'page[size]', in: query, schema: {type: integer}}
        - {name: sum, in: query, allowReserved: true, schema: {type: string}}
        - {name: flag, in: query, allowEmptyValue: true, schema: {type: boolean}}
        - name: where
          in: query
          content: {application/json: {schema: {type: object, properties: {a: {type: integer}}, additionalProperties: false}}}
      responses: *echo
  /text:
    post:
      operationId: sendText
      x-action: {none: Note}
      x-provenance: documented
      requestBody: {required: true, content: {text/plain: {schema: {type: string, maxLength: 5}}}}
      responses: {'200': {description: It., content: {text/plain: {schema: {type: string}}}}}
  /octets:
    put:
      operationId: sendOctets
      x-action: {none: Note}
      x-provenance: documented
      requestBody: {content: {application/octet-stream: {schema: {type: string, format: binary}}}}
      responses: *echo
  /form:
    post:
      operationId: sendForm
      x-action: {none: Note}
      x-provenance: documented
      requestBody:
        content:
          application/x-www-form-urlencoded:
            schema: {type: object, properties: {data: {type: object}, list: {type: array, items: {type: integer}}, n: {type: integer}}}
            encoding: {data: {contentType: application/json}, list: {explode: false}}
      responses: *echo
components:
  schemas:
    Note:
      type: object
      x-resource: {key: id, mint: {id: 'n-{n}'}}
      properties:
        id: {type: string, readOnly: true}
        title: {type: string}
        size: {type: integer}
        tags: {type: array, items: {type: string}}
        place: {type: object, properties: {x: {type: integer}}}
        file: {type: string}
    Problem: {type: object}
"""
EVERY = ["createNote", "cancelNote", "getFile", "getLabel", "getSimple", "query", "sendText", "sendOctets", "sendForm"]


def write(folder: Path, change: Any = None) -> Path:
    """The document in a file, changed."""
    document = yaml.safe_load(DOCUMENT)
    if change:
        change(document)
    path = folder / "openapi" / "odd.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return path


def application(path: Path) -> Any:
    """A server of the document, whose operations without an action of their own answer what they were given."""
    vendor = Vendor("odd")

    @vendor.verb("none")
    def echo(call: Any, proceed: Any) -> Answer:
        given = {"path": call.input.path, "query": call.input.query, "header": call.input.header, "body": call.body}
        return Answer(
            200, call.body[::-1] if call.operation.id == "sendText" else {k: v for k, v in given.items() if v}
        )

    contract = load(path)
    app: Any = create_app(extra=[(contract, load_fixtures(contract), vendor)], frozen=MOMENT)
    return app


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Any:
    transport = InProcess(application(write(tmp_path_factory.mktemp("odd"))))
    with httpx.Client(transport=transport, base_url="http://sandbox.example.com/odd") as client:
        yield client


def violations(response: httpx.Response) -> list[Any]:
    return [
        (each["in"], each["pointer"], each["rule"]) for each in yaml.safe_load(response.headers["X-Mock-Violations"])
    ]


def test_a_form_with_a_file_makes_a_record_that_a_compiled_operation_shows(odd: httpx.Client) -> None:
    fields = {"title": "Plan", "size": "7", "tags": ["a", "b"], "place": '{"x": 1}'}
    made = odd.post("/notes", data=fields, files={"file": ("plan.bin", b"\x00\xff!")})

    expected = {"title": "Plan", "size": 7, "tags": ["a", "b"], "place": {"x": 1}, "file": "\x00\xff!"}
    assert (made.status_code, made.json()) == (201, {"id": "n-1", **expected})
    assert odd.get("/notes/n-1").json() == made.json()


def test_everything_wrong_with_a_form_in_parts_is_told(odd: httpx.Client) -> None:
    wrong = odd.post("/notes", data={"title": "P", "size": "x"}, files={"file": ("plan.bin", b"0123456789")})

    assert wrong.status_code == 422
    assert sorted(violations(wrong)) == [
        ("body", "/file", "maxLength"),
        ("body", "/size", "type"),
        ("body", "/title", "minLength"),
    ]
    assert violations(odd.post("/notes", files={"title": (None, "Plan")})) == [("body", "/file", "required")]


@pytest.mark.parametrize(
    "header", ["multipart/form-data", "multipart/form-data; boundary=b", "multipart/form-data; boundary="]
)
@pytest.mark.parametrize(
    "body",
    [b"x", b"--b\r\nno header\r\n\r\n", b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--", b"\xff" * 99],
)
def test_a_form_in_parts_that_cannot_be_read_is_malformed(odd: httpx.Client, header: str, body: bytes) -> None:
    assert odd.post("/notes", content=body, headers={"Content-Type": header}).status_code in (400, 422)


def test_no_body_where_one_is_required_is_malformed(odd: httpx.Client) -> None:
    assert odd.post("/notes").status_code == 400


@pytest.mark.parametrize(
    ("path", "given"),
    [
        ("/files/report.2026.pdf", {"path": {"name": "report.2026", "ext": "pdf"}}),
        ("/files/a%2Fb%25.csv", {"path": {"name": "a/b%", "ext": "csv"}}),
        ("/label/.5/;list=1;list=2", {"path": {"id": 5, "list": [1, 2]}}),
        ("/simple/1,2/x,7", {"path": {"list": [1, 2], "object": {"x": 7}}}),
        ("/query?pipes=1|2", {"query": {"pipes": [1, 2]}}),
        ("/query?pipes=1%7C2", {"query": {"pipes": [1, 2]}}),
        ("/query?spaces=a%20b", {"query": {"spaces": ["a", "b"]}}),
        ("/query?point=x,1,y,2", {"query": {"point": {"x": 1, "y": 2}}}),
        ("/query?page[size]=9&page%5Bnumber%5D=1", {"query": {"page[size]": 9}}),
        ("/query?sum=1+1", {"query": {"sum": "1+1"}}),
        ("/query?flag=", {"query": {"flag": ""}}),
        ("/query?flag=true", {"query": {"flag": True}}),
        ('/query?where={"a":1}', {"query": {"where": {"a": 1}}}),
        ("/query", {}),
    ],
)  # fmt: skip
def test_what_an_address_holds_reaches_the_engine(odd: httpx.Client, path: str, given: Any) -> None:
    assert odd.get(path).json() == given


def test_a_header_may_be_a_list(odd: httpx.Client) -> None:
    assert odd.get("/simple/1/x,1", headers={"X-Sizes": "3,4"}).json()["header"] == {"X-Sizes": [3, 4]}
    assert violations(odd.get("/simple/1/x,1", headers={"X-Sizes": "3,40"})) == [("header", "/X-Sizes/1", "maximum")]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/files/a.exe", [("path", "/ext", "enum")]),
        ("/label/5/;list=1", [("path", "/id", "style")]),
        ("/label/.x/;list=1", [("path", "/id", "type")]),
        ("/label/.5/;other=1", [("path", "/list", "style")]),
        ("/query?pipes=1|x", [("query", "/pipes/1", "type")]),
        ("/query?point=x,1,y", [("query", "/point", "style")]),
        ('/query?where={"b":1}', [("query", "/where/b", "additionalProperties")]),
    ],
)
def test_what_is_wrong_with_an_address_is_told(odd: httpx.Client, path: str, found: Any) -> None:
    response = odd.get(path)

    assert (response.status_code, violations(response)) == (400, found)


def test_content_that_is_no_json_is_refused(odd: httpx.Client) -> None:
    assert odd.get("/query?where={").status_code == 400


def test_a_template_within_a_segment_does_not_take_what_is_compiled(odd: httpx.Client) -> None:
    assert odd.post("/notes/n-1:cancel").json() == {"path": {"id": "n-1"}}
    assert odd.get("/notes/no-such-note").status_code == 404
    assert (odd.get("/notes/n-1:cancel").status_code, odd.get("/notes/n-1:cancel").headers["Allow"]) == (405, "POST")
    assert (odd.delete("/notes").status_code, odd.delete("/notes").headers["Allow"]) == (405, "POST")
    assert odd.get("/nowhere").status_code == 404


def test_a_text_is_read_and_answered_as_text(odd: httpx.Client) -> None:
    sent = odd.post("/text", content="añb".encode(), headers={"Content-Type": "text/plain; charset=utf-8"})

    assert (sent.text, sent.headers["Content-Type"]) == ("bña", "text/plain; charset=utf-8")
    assert odd.post("/text", content=b"too long", headers={"Content-Type": "text/plain"}).status_code == 422
    assert odd.post("/text", content=b"\xff", headers={"Content-Type": "text/plain"}).status_code == 400
    assert odd.post("/text", content=b"a", headers={"Content-Type": "text/plain; charset=latin-1"}).status_code == 415
    assert odd.post("/text", json="a").status_code == 415
    assert (
        odd.post(
            "/text", content=b"a", headers={"Content-Type": "text/plain", "Accept": "application/json"}
        ).status_code
        == 406
    )


def test_octets_are_a_text_of_as_many_characters(odd: httpx.Client) -> None:
    sent = odd.put("/octets", content=b"\x00\xff", headers={"Content-Type": "application/octet-stream"})

    assert sent.json() == {"body": "\x00\xff"}
    assert odd.put("/octets").json() == {}


def test_a_form_is_read_as_its_encoding_says(odd: httpx.Client) -> None:
    assert odd.post("/form", data={"data": '{"a": [1]}', "list": "1,2", "n": "3"}).json() == {
        "body": {"data": {"a": [1]}, "list": [1, 2], "n": 3}
    }
    assert odd.post("/form", data={"data": "{"}).status_code == 400


def test_a_failure_has_the_media_type_that_the_document_gives_it(tmp_path: Path) -> None:
    def change(document: Any) -> None:
        problem = {"description": "No.", "content": {"application/problem+json": {"schema": {"type": "object"}}}}
        document["paths"]["/notes/{id}"]["get"]["responses"]["404"] = problem

    transport = InProcess(application(write(tmp_path, change)))
    with httpx.Client(transport=transport, base_url="http://sandbox.example.com/odd") as client:
        unknown = client.get("/notes/nothing")
        assert (unknown.status_code, unknown.headers["Content-Type"]) == (404, "application/problem+json")


def test_an_answer_that_breaks_the_document_changes_nothing(tmp_path: Path) -> None:
    def change(document: Any) -> None:
        document["components"]["schemas"]["Note"]["properties"]["extra"] = {"type": "string"}
        document["components"]["schemas"]["Note"]["required"] = ["extra"]

    transport = InProcess(application(write(tmp_path, change)))
    with httpx.Client(transport=transport, base_url="http://sandbox.example.com/odd") as client:
        made = client.post("/notes", data={"title": "Plan"}, files={"file": ("a", b"a")})
        assert (made.status_code, client.get("/notes/n-1").status_code) == (500, 404)


def test_a_call_of_the_fallback_has_the_life_of_any_other(odd: httpx.Client) -> None:
    control = {"headers": {"X-Mock-World": "trouble"}}
    for fault in ({"status": 503}, {"delay": 0.01}):
        planned = {"vendor": "odd", "operation": "query", **fault}
        assert odd.post("http://sandbox.example.com/_mock/faults", json=planned, **control).status_code == 201
    answers = [odd.get("http://sandbox.example.com/w/trouble/odd/query?pipes=1") for _ in range(3)]

    assert [each.status_code for each in answers] == [503, 200, 200]
    assert odd.get("/query", headers={"X-Mock-World": "no world!"}).status_code == 400
    assert odd.put("/octets", content=b"x" * (2**20 + 1)).status_code == 413
    assert (odd.head("/query").status_code, odd.head("/query").content) == (200, b"")


@pytest.mark.parametrize("path", ["/text%0A", "/text/", "//text", "/files/a%0A.pdf%0A", "/text%2F"])
def test_what_is_almost_a_path_is_none(odd: httpx.Client, path: str) -> None:
    assert odd.post(path, content=b"a", headers={"Content-Type": "text/plain"}).status_code in (404, 405)


# Said at the start, and by lint --------------------------------------------------------------------------------------


def xml(document: Any) -> None:
    document["paths"]["/text"]["post"]["requestBody"]["content"] = {"application/xml": {"schema": {"type": "object"}}}


def by_key(document: Any) -> None:
    document["components"]["securitySchemes"] = {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}
    document["security"] = [{"key": []}]


def csv(document: Any) -> None:
    document["paths"]["/notes/{id}"]["get"]["responses"]["200"]["content"] = {
        "text/csv": {"schema": {"type": "array", "items": {}}}
    }


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            xml,
            "sendText cannot be served: its body may be application/xml, which is held to a schema of type string alone",
        ),
        (by_key, "createNote cannot be served: key is apiKey; callers are known by a bearer token alone"),
        (csv, "getNote cannot be served: its answer 200 is text/csv, but not of type string: a record is JSON"),
    ],
)
def test_what_nothing_serves_is_refused_at_the_start_with_its_place(tmp_path: Path, change: Any, words: str) -> None:
    path = write(tmp_path, change)

    with pytest.raises(ContractError, match=words) as refused:
        application(path)
    assert refused.value.place.rpartition(":")[0].endswith("odd.yaml")


def test_lint_says_which_operations_are_not_compiled_and_why(tmp_path: Path) -> None:
    path = write(tmp_path)
    told = CliRunner().invoke(cli.main, ["lint", "-v", str(path)]).stdout
    brief = CliRunner().invoke(cli.main, ["lint", str(path)])

    assert "odd: 1 of 10 operations are compiled" in told
    assert {line.split()[1] for line in told.splitlines() if "is not compiled" in line} == set(EVERY)
    assert f"{path}:" in told and "sendText is not compiled: its body may be text/plain" in told
    assert "9 operations are not compiled; lint -v says why." in brief.stderr
    assert "is not compiled" not in brief.stdout


def test_every_operation_of_ours_is_compiled() -> None:
    told = CliRunner().invoke(cli.main, ["lint", "-v"])

    assert "is not compiled" not in told.stdout
    assert "not compiled" not in told.stderr
