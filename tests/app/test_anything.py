"""Whatever is sent, to any operation of any vendor: no 5xx, and a status that the document or HTTP itself knows."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mock_server.contract import resolve, vendors

HTTPS_OWN = {400, 401, 404, 405, 406, 413, 415, 422}
"""400 and 422 for worlds, query strings and preferences that cannot be read, 401 as a path may name another tenant."""
TEXTS = st.text(max_size=12) | st.sampled_from(
    ["", "0", "-1", "1e400", "NaN", "true", "null", "[]", "a,b", "\x00", "9" * 400, "¹"]
)
NAMES = st.sampled_from(
    ["page", "filter", "filter[name]", "filter[name][$equals]", "filter[id][$in][]", "ids[]", "ids", "site_id", "email"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def asking(examples: int):
    return settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )


@pytest.fixture(params=vendors())
def target(request, applications):
    """One vendor of a server of all."""
    app, transport = applications(inferred=True)
    return app.engines[request.param], transport


def ask(target, operation, path, query=b"", headers=(), body=b""):
    """Ask as the default caller, and hold the answer to the document."""
    engine, transport = target
    token = engine.fixtures.of("Credential")[0].value["token"]
    named = [(b"authorization", f"Bearer {token}".encode()), *headers]
    answer = transport.exchange(operation.method.upper(), path, query, named, body)

    assert answer.status_code < 500, answer.text
    assert answer.status_code in {*operation.responses, *HTTPS_OWN}
    if answer.status_code >= 400:
        assert json.loads(answer.content)
    return answer


def filled(target, operation, draw=None):
    """The operation's path, its values drawn or those that are known."""
    engine, _ = target
    path = operation.path
    for parameter in operation.parameters:
        if parameter.where == "path":
            records = engine.fixtures.of(parameter.references or operation.action.resource)
            known = records[0].value[engine.contract.resources[records[0].resource].key] if records else "x"
            value = str(known) if draw is None else draw
            path = path.replace(f"{{{parameter.name}}}", quote(value, safe="", errors="replace") or "%00")
    return f"/{engine.contract.name}{path}".encode()


def operations(target, fits=lambda operation: True):
    return st.sampled_from([operation for operation in target[0].contract.operations.values() if fits(operation)])


@asking(80)
@given(
    data=st.data(),
    body=st.binary(max_size=40) | JSON.map(lambda value: json.dumps(value).encode()),
    media=st.sampled_from([0, 1, 2]),
)
def test_any_body(target, data, body, media):
    operation = data.draw(operations(target, lambda operation: operation.body))
    offered = list(operation.body.content)
    headers = [(b"content-type", offered[min(media, len(offered) - 1)].encode())]

    ask(target, operation, filled(target, operation), headers=headers, body=body)


@asking(80)
@given(data=st.data(), wrong=JSON)
def test_any_value_in_the_place_of_one_property(target, data, wrong):
    document = target[0].contract.document
    operation = data.draw(operations(target, lambda operation: example(document, operation)))
    body = example(document, operation)
    changed = {**body, data.draw(st.sampled_from(sorted(body))): wrong} if isinstance(body, dict) else [*body, wrong]

    ask(target, operation, filled(target, operation), body=json.dumps(changed).encode())


def example(document, operation):
    """The body of an operation's first example."""

    def follow(node):
        return follow(resolve(document, node["$ref"].removeprefix("#"))) if "$ref" in node else node

    content = follow(operation.raw.get("requestBody", {})).get("content", {})
    examples = [follow(item) for media in content.values() for item in media.get("examples", {}).values()]
    return next((item["value"] for item in examples if item.get("value")), None)


@asking(80)
@given(data=st.data(), value=TEXTS)
def test_any_text_in_a_path(target, data, value):
    operation = data.draw(operations(target))

    ask(target, operation, filled(target, operation, value))


@asking(40)
@given(data=st.data(), raw=st.binary(max_size=30).map(lambda raw: raw.replace(b"?", b"").replace(b"#", b"")))
def test_any_bytes_as_a_path(target, data, raw):
    engine, _ = target
    operation = data.draw(operations(target))

    ask(target, operation, f"/{engine.contract.name}/".encode() + raw)


@asking(80)
@given(data=st.data(), fields=st.lists(st.tuples(NAMES | TEXTS, TEXTS), max_size=4), raw=st.binary(max_size=12))
def test_any_query(target, data, fields, raw):
    operation = data.draw(operations(target))
    query = "&".join(
        f"{quote(name, safe='[]$', errors='replace')}={quote(text, errors='replace')}" for name, text in fields
    )

    ask(target, operation, filled(target, operation), query.encode() + b"&" + raw)


@asking(80)
@given(
    data=st.data(),
    value=st.binary(max_size=20) | st.sampled_from([b"code=200", b"code=429, example=x", b'example="', b"blue"]),
)
def test_any_header(target, data, value):
    operation = data.draw(operations(target))
    names = [parameter.name.lower() for parameter in operation.parameters if parameter.where == "header"]
    name = data.draw(
        st.sampled_from(
            ["prefer", "accept", "content-type", "cookie", "host", "x-mock-world", "content-length", *names]
        )
    )

    ask(target, operation, filled(target, operation), headers=[(name.encode(), value)])


@asking(40)
@given(value=st.binary(max_size=30))
def test_any_credentials(target, value):
    engine, transport = target
    operation = next(operation for operation in engine.contract.operations.values() if operation.secured)
    headers = [(b"authorization", value)]
    answer = transport.exchange(operation.method.upper(), filled(target, operation), headers=headers)

    assert answer.status_code in (401, 404)
