"""A webhook on the wire: JSON or a form, and a signature that a receiver can check."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from urllib.parse import parse_qsl

import pytest
from club import club
from hypothesis import given
from hypothesis import strategies as st

from mock_server.contract import Signature
from mock_server.webhooks.messages import FORM, HIDDEN, encode, headers, shown

CONTRACT = club()[0]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(value=VALUES)
def test_json_comes_out_as_it_went_in(value):
    assert json.loads(encode("application/json", value)) == value


def test_a_form_writes_what_is_nested_in_brackets():
    body = {
        "event": "renewed",
        "n": 1,
        "yes": True,
        "none": None,
        "customer": {"name": "Ada & Ben"},
        "items": [{"id": "a"}, "b"],
    }
    assert parse_qsl(encode(FORM, body).decode(), keep_blank_values=True) == [
        ("event", "renewed"), ("n", "1"), ("yes", "true"), ("none", ""), ("customer[name]", "Ada & Ben"), ("items[0][id]", "a"), ("items[1]", "b"),
    ]  # fmt: skip


@pytest.mark.parametrize(("digest", "encoding"), [("sha256", "hex"), ("sha256", "base64"), ("sha512", "hex")])
def test_the_signature_is_an_hmac_of_the_bytes(digest, encoding):
    contract = replace(CONTRACT, signature=Signature("X-Signed", digest, encoding))
    sent = headers(contract, "application/json", b'{"a": 1}', "secret")
    expected = hmac.new(b"secret", b'{"a": 1}', getattr(hashlib, digest)).digest()
    found = bytes.fromhex(sent["X-Signed"]) if encoding == "hex" else base64.b64decode(sent["X-Signed"])
    assert found == expected


def test_a_tampered_one_has_another_signature_and_another_secret():
    right = headers(CONTRACT, "application/json", b"{}", "secret")
    wrong = headers(CONTRACT, "application/json", b"{}", "secret", tampered=True)
    assert right["X-Club-Signature"] != wrong["X-Club-Signature"]
    assert (right["X-Club-Key"], wrong["X-Club-Key"] == "secret") == ("secret", False)


def test_the_log_hides_a_secret_that_a_header_carries():
    sent = headers(CONTRACT, "application/json", b"{}", "secret")
    assert shown(CONTRACT, sent)["X-Club-Key"] == HIDDEN
    assert "secret" not in shown(CONTRACT, sent).values()


def test_a_vendor_that_does_not_sign_has_no_such_headers():
    plain = replace(CONTRACT, signature=None, secret_header=None)
    assert headers(plain, "application/json", b"{}", "secret") == {
        "Content-Type": "application/json",
        "User-Agent": "mockingbill",
    }
