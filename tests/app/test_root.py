"""The whole server: who answers which path, in which world; documents, the index, the control API's door; worlds apart."""

from __future__ import annotations

import asyncio
import json
from html.parser import HTMLParser

import pytest
import yaml
from openapi_spec_validator import OpenAPIV30SpecValidator

from mock_server.app.root import RootApp
from mock_server.contract import vendors

SUBSCRIBERS = "/wispgate/api/v1/subscribers"
TOKEN = {"Authorization": "Bearer wispgate-sandbox-001"}
MARIA = {"full_name": "Maria Sample", "status": "prospect"}


@pytest.fixture
def wispgate(sandbox):
    return sandbox("wispgate")


@pytest.fixture
def plain(wispgate):
    """A client of the whole server, in no world in particular."""
    client = wispgate.client("")
    del client.headers["X-Mock-World"]
    return client


@pytest.fixture(scope="session")
def everyone(applications):
    """A client of a server of every vendor."""
    _, transport = applications()
    return transport


class References(HTMLParser):
    """What a page shows and links to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.shown: list[str] = []
        self.tags: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name == "href"]

    def handle_data(self, data):
        self.shown.append(data.strip())


# Index ----------------------------------------------------------------------------------------------------------------


def test_the_index_tells_a_program_where_everything_is(plain):
    listing = plain.get("/").json()
    [entry] = listing["vendors"]

    assert entry["base_url"] == "http://sandbox.example.com/wispgate"
    assert entry["credentials"]["headers"] == TOKEN
    assert listing["health"] == "http://sandbox.example.com/_mock/health"
    assert [plain.get(url).status_code for url in (*entry["documents"], listing["health"])] == [200, 200, 200]


def test_the_index_is_a_page_for_a_browser(plain):
    answer = plain.get("/", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    page = References(answer.text)

    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "http://sandbox.example.com/wispgate" in page.shown
    assert TOKEN["Authorization"] in page.shown
    assert len(page.links) == 3
    assert {plain.get(link).status_code for link in page.links} == {200}


def test_the_page_loads_nothing_from_elsewhere(plain):
    page = References(plain.get("/", headers={"Accept": "text/html"}).text)

    assert not {"script", "img", "link", "iframe"} & set(page.tags)


def test_a_host_that_is_markup_is_shown_as_text(plain):
    answer = plain.get("/", headers={"Accept": "text/html", "Host": '"><script>alert(1)</script>'})

    assert answer.status_code == 200
    assert "script" not in References(answer.text).tags


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/html;q=0", "text/plain", ""])
def test_the_index_is_json_for_everyone_else(plain, accept):
    assert plain.get("/", headers={"Accept": accept}).headers["Content-Type"] == "application/json"


def test_the_index_of_a_world_speaks_of_that_world(plain):
    [entry] = plain.get("/w/blue/").json()["vendors"]

    assert entry["base_url"] == "http://sandbox.example.com/w/blue/wispgate"
    assert plain.get("/w/blue").json() == plain.get("/w/blue/").json()


@pytest.mark.parametrize("path", ["/wispgate", "/wispgate/", "/w/blue/wispgate"])
def test_a_vendors_name_alone_gives_its_part_of_the_index(plain, path):
    listing = plain.get(path).json()

    assert [entry["base_url"] for entry in listing["vendors"]] == [f"http://sandbox.example.com{path.rstrip('/')}"]


def test_head_of_the_index_has_the_headers_of_get(plain):
    got, head = plain.get("/"), plain.head("/")

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == got.headers["Content-Length"]


@pytest.mark.parametrize(
    "path", ["/nobody", "/nobody/api", "//", "//wispgate", "/Wispgate/api", "/w", "/w/blue/nobody", "/w/blue//"]
)
def test_where_no_vendor_is_there_is_404(plain, path):
    answer = plain.get(f"http://sandbox.example.com{path}")

    assert (answer.status_code, answer.json()["title"]) == (404, "no-path")


@pytest.mark.parametrize("path", ["/", "/wispgate", "/wispgate/openapi.json", "/wispgate/openapi.yaml"])
def test_what_is_only_read_allows_get_and_head(plain, path):
    answer = plain.post(path)

    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_a_vendors_own_pages_are_refused_in_its_envelope(plain):
    assert plain.put("/wispgate/openapi.json").json()["error"]["code"] == "method_not_allowed"


# Documents ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", vendors())
def test_the_document_of_every_vendor_is_valid_and_complete_in_itself(everyone, name):
    answer = everyone.exchange("GET", f"/{name}/openapi.json".encode())
    document = answer.json()

    assert answer.headers["Content-Type"] == "application/json"
    assert not list(OpenAPIV30SpecValidator(document).iter_errors())
    assert all(reference.startswith("#/") for reference in references(document))


@pytest.mark.parametrize("name", vendors())
def test_the_document_is_the_same_as_yaml(everyone, name):
    as_yaml = everyone.exchange("GET", f"/{name}/openapi.yaml".encode())

    assert as_yaml.headers["Content-Type"] == "application/yaml"
    assert not {"&id001", "*id001"} & set(as_yaml.text.split())
    assert yaml.safe_load(as_yaml.text) == everyone.exchange("GET", f"/{name}/openapi.json".encode()).json()


def references(value):
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


@pytest.mark.parametrize("file", ["openapi.json", "openapi.yaml"])
def test_a_document_names_the_server_and_world_it_was_asked_of_first(plain, file):
    def servers(path):
        return [server["url"] for server in yaml.safe_load(plain.get(f"{path}/{file}").text)["servers"]]

    assert servers("/wispgate") == ["/wispgate", "https://{environment}.wispgate.io"]
    assert servers("/w/blue/wispgate")[0] == "/w/blue/wispgate"
    assert servers("/w/red/wispgate")[0] == "/w/red/wispgate"


def test_a_document_is_no_different_from_a_world_named_by_header(wispgate, plain):
    assert wispgate.client("").get("/wispgate/openapi.json").content == plain.get("/wispgate/openapi.json").content


@pytest.mark.parametrize(
    "path", ["/w/%2e%2e/wispgate/openapi.json", "/w/a b/wispgate/openapi.yaml", "/w//", "/w/%3Cb%3E/"]
)
def test_a_bad_world_has_no_documents_and_no_index(plain, path):
    assert plain.get(f"http://sandbox.example.com{path}").status_code == 400


# Worlds ---------------------------------------------------------------------------------------------------------------


def test_worlds_do_not_see_each_others_data(sandbox):
    blue, red = sandbox("wispgate"), sandbox("wispgate")
    blue.api.post("/api/v1/subscribers", json={**MARIA, "external_id": "crm-1"})

    assert len(blue.api.get("/api/v1/subscribers").json()["data"]) == 2
    assert len(red.api.get("/api/v1/subscribers").json()["data"]) == 1
    assert red.api.post("/api/v1/subscribers", json={**MARIA, "external_id": "crm-1"}).status_code == 201


def test_worlds_count_their_ids_by_themselves(sandbox):
    blue, red = sandbox("wispgate"), sandbox("wispgate")
    first = blue.api.post("/api/v1/subscribers", json=MARIA).json()
    blue.api.post("/api/v1/subscribers", json=MARIA)

    assert red.api.post("/api/v1/subscribers", json=MARIA).json() == first


def test_worlds_have_a_clock_each(sandbox):
    blue, red = sandbox("wispgate"), sandbox("wispgate")
    blue.advance(days=1)

    assert blue.api.post("/api/v1/subscribers", json=MARIA).json()["data"]["created_at"] == "2026-04-14T10:21:00Z"
    assert red.api.post("/api/v1/subscribers", json=MARIA).json()["data"]["created_at"] == "2026-04-13T10:21:00Z"


def test_worlds_have_their_own_faults_replies_and_settings(sandbox):
    blue, red = sandbox("wispgate"), sandbox("wispgate")
    blue.control.post("/faults", json={"vendor": "wispgate", "status": 503})
    blue.control.patch("/records/wispgate/Tenant/tenant_demo_001", json={"duplicate_rules": [["full_name"]]})
    key = {"X-Idempotency-Key": "k"}

    assert red.api.post("/api/v1/subscribers", json=MARIA, headers=key).status_code == 201
    assert red.api.post("/api/v1/subscribers", json=MARIA).status_code == 201
    assert blue.api.post("/api/v1/subscribers", json=MARIA, headers=key).status_code == 503
    assert blue.api.post("/api/v1/subscribers", json={**MARIA, "status": "active"}, headers=key).status_code == 201


def test_a_world_is_the_same_by_its_path_and_by_its_header(wispgate, plain):
    made = wispgate.api.post("/api/v1/subscribers", json=MARIA).json()["data"]

    answer = plain.get(f"/w/{wispgate.world}{SUBSCRIBERS}/{made['id']}", headers=TOKEN)
    assert answer.json()["data"] == made


def test_the_path_outweighs_the_header(wispgate, plain):
    made = wispgate.api.post("/api/v1/subscribers", json=MARIA).json()["data"]

    answer = plain.get(f"/w/elsewhere{SUBSCRIBERS}/{made['id']}", headers={**TOKEN, "X-Mock-World": wispgate.world})
    assert answer.status_code == 404


def test_a_world_has_its_own_control_api_by_path(wispgate, plain):
    wispgate.api.post("/api/v1/subscribers", json=MARIA)

    assert plain.post(f"/w/{wispgate.world}/_mock/reset").json() == {"world": wispgate.world}
    assert len(wispgate.api.get("/api/v1/subscribers").json()["data"]) == 1


def test_a_body_that_takes_its_time_arrives_in_the_world_as_it_is_then(shop):
    body = json.dumps({"item": "pear", "status": "open"}).encode()
    token = shop.api.headers["Authorization"].encode()
    headers = [
        (b"authorization", token),
        (b"x-mock-world", shop.world.encode()),
        (b"content-length", b"%d" % len(body)),
    ]
    sent = []

    async def receive():
        await shop.transport._exchange(shop.control.build_request("POST", "/reset"))
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/shop/orders", "query_string": b"", "headers": headers}
    asyncio.run(shop.app(scope, receive, send))
    assert sent[0]["status"] == 201
    assert shop.api.get(f"/orders/{json.loads(sent[1]['body'])['id']}").status_code == 200


def test_a_bad_world_name_is_refused_in_the_vendors_envelope(plain):
    answer = plain.get(SUBSCRIBERS, headers={**TOKEN, "X-Mock-World": "../etc"})

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "world")


def test_there_is_a_limit_to_worlds_and_a_reset_frees_a_place(applications, monkeypatch):
    _, transport = applications("wispgate", seed=99)

    def status(world, path=SUBSCRIBERS, method="GET"):
        headers = [(b"authorization", b"Bearer wispgate-sandbox-001"), (b"x-mock-world", world)]
        return transport.exchange(method, path.encode(), headers=headers)

    monkeypatch.setattr("mock_server.worlds.MOST_WORLDS", 3)
    assert [status(world).status_code for world in (b"default", b"a", b"b")] == [404, 404, 404]
    refused = status(b"c")
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "world")
    assert "3 worlds" in refused.json()["error"]["message"]
    assert status(b"a").status_code == 404
    assert status(b"c", "/_mock/health").status_code == 400
    assert status(b"a", "/_mock/reset", "POST").status_code == 200
    assert status(b"c").status_code == 404


# The same again -------------------------------------------------------------------------------------------------------


def script(sandbox, **options):
    """The bytes of many kinds of answers, one after another, in a world that begins anew."""
    box = sandbox("wispgate", world="again", **options)
    box.control.post("/reset")
    api = box.api
    key = {"X-Idempotency-Key": "k"}
    answers = [
        api.post("/api/v1/subscribers", json=MARIA, headers=key),
        api.post("/api/v1/subscribers", json=MARIA, headers=key),
        api.post("/api/v1/subscribers", json={**MARIA, "external_id": "crm-23991"}),
        api.post("/api/v1/subscribers", json={}),
        api.post("/api/v1/subscribers", content=b"{"),
        api.get("/api/v1/subscribers/nobody"),
        api.get("/api/v1/subscribers"),
        api.get("/api/v1/subscribers", headers={"Prefer": "code=429"}),
        api.delete("/api/v1/subscribers"),
        api.get("/nothing"),
        box.caller("wrong").get("/api/v1/subscribers"),
        box.client("").get("/wispgate/openapi.yaml"),
        box.client("").get("/"),
    ]
    return [(answer.status_code, sorted(answer.headers.items()), answer.content) for answer in answers]


def test_the_same_seed_and_requests_give_the_same_bytes(sandbox):
    assert script(sandbox) == script(sandbox)


def test_another_server_of_the_same_seed_gives_the_same_bytes(sandbox):
    assert script(sandbox, seed=7) == script(sandbox, seed=7, open_control=True)


def test_another_seed_gives_other_ids(sandbox):
    first, other = script(sandbox)[0], script(sandbox, seed=7)[0]

    assert (first[0], other[0]) == (201, 201)
    assert json.loads(first[2])["meta"]["request_id"] != json.loads(other[2])["meta"]["request_id"]


# The door of the control API ------------------------------------------------------------------------------------------


def knock(applications, client=("127.0.0.1", 1), *, open_control=False, **headers):
    options = {"open_control": True} if open_control else {}
    _, transport = applications("wispgate", **options)
    listed = [(name.encode(), value.encode()) for name, value in headers.items()]
    return transport.exchange("POST", b"/_mock/reset", headers=listed, client=client)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_the_control_api_answers_this_host(applications, address):
    assert knock(applications, (address, 1)).status_code == 200


def test_the_control_api_answers_a_client_without_an_address(applications):
    assert knock(applications, None).status_code == 200


@pytest.mark.parametrize(
    "address", ["203.0.113.7", "10.0.0.1", "2001:db8::1", "::ffff:10.0.0.1", "0.0.0.0", "nonsense", ""]
)
def test_the_control_api_answers_no_other_host(applications, address):
    answer = knock(applications, (address, 1))

    assert (answer.status_code, answer.json()["title"]) == (403, "host")
    assert "--open-control" in answer.json()["detail"]


@pytest.mark.parametrize("origin", ["http://localhost:8080", "http://127.0.0.1:8080", "http://[::1]:8080"])
def test_a_page_of_this_server_may_use_the_control_api(applications, origin):
    assert knock(applications, origin=origin, host=origin.removeprefix("http://")).status_code == 200


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example.com",
        "null",
        "",
        "http://[",
        "http://localhost:9999",
        "http://localhost:8080@evil.example.com",
    ],
)
def test_a_page_of_another_site_may_not(applications, origin):
    assert knock(applications, origin=origin, host="localhost:8080").status_code == 403


def test_a_name_of_another_site_that_points_here_may_not(applications):
    answer = knock(applications, origin="http://rebound.example.com:8080", host="rebound.example.com:8080")

    assert answer.status_code == 403


def test_a_server_may_open_its_control_api_to_everyone(applications):
    answer = knock(applications, ("203.0.113.7", 1), open_control=True, origin="https://ci.example.com")

    assert answer.status_code == 200


# The server's own protocol --------------------------------------------------------------------------------------------


def test_the_application_starts_and_stops_by_the_lifespan_protocol(applications):
    app, _ = applications("wispgate")
    asked = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    said = []

    async def receive():
        return next(asked)

    async def send(message):
        said.append(message["type"])

    asyncio.run(app({"type": "lifespan"}, receive, send))
    assert said == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_a_websocket_is_closed(applications):
    app, _ = applications("wispgate")
    said = []

    async def send(message):
        said.append(message["type"])

    asyncio.run(app({"type": "websocket"}, None, send))
    assert said == ["websocket.close"]
    assert isinstance(app, RootApp)
