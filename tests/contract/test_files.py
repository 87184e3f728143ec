"""YAML as JSON's superset: what is read, what is refused, and on which line."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.contract import ContractError, data_root, escape, resolve
from mock_server.contract.files import line_of, read, shown, steps

TEXT = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]))
"""What JSON may hold as it is; libyaml refuses escaped surrogates."""
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


def written(folder: Path, text: str) -> Path:
    path = folder / "file.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def pointers(node: Any, at: str = "") -> list[tuple[str, Any]]:
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [(at, node), *(found for key, value in items for found in pointers(value, f"{at}/{escape(str(key))}"))]


@given(value=JSON)
@settings(deadline=None)
def test_json_is_read_as_what_it_says(tmp_path_factory: pytest.TempPathFactory, value: Any) -> None:
    path = written(tmp_path_factory.mktemp("json"), json.dumps(value, ensure_ascii=False))
    assert read(path) == value


@given(value=JSON)
@settings(deadline=None)
def test_what_pyyaml_writes_is_read_back(tmp_path_factory: pytest.TempPathFactory, value: Any) -> None:
    path = written(tmp_path_factory.mktemp("yaml"), yaml.safe_dump(value, allow_unicode=True, default_style='"'))
    found = read(path)
    assert json.dumps(found, sort_keys=True) == json.dumps(value, sort_keys=True)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-01",
        "2026-01-01T00:00:00Z",
        "NO",
        "yes",
        "off",
        "0x1f",
        "010",
        "1_000",
        "12:30:00",
        ".inf",
        "+1",
        "Null",
    ],
)
def test_what_json_does_not_know_stays_text(tmp_path: Path, text: str) -> None:
    assert read(written(tmp_path, f"value: {text}\n")) == {"value": text}


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("null", None), ("~", None), ("", None), ("-0", 0), ("7", 7), ("1.5e3", 1500.0), ("1e3", 1000.0)],
)
def test_the_scalars_of_json_are_what_they_are(tmp_path: Path, text: str, value: Any) -> None:
    found = read(written(tmp_path, f"value: {text}\n"))["value"]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("!!str 5", "5"),
        ("!!int '5'", 5),
        ("!!bool 'true'", True),
        ("!!null x", None),
        ("!!seq [a]", ["a"]),
    ],
)
def test_a_tag_that_is_written_out_decides(tmp_path: Path, text: str, value: Any) -> None:
    assert read(written(tmp_path, f"value: {text}\n")) == {"value": value}


def test_what_is_merged_in_stands_below_what_is_written(tmp_path: Path) -> None:
    text = "a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\nc: {<<: [*a, *b], x: 5}\nd: *b\ne: {z: 6, <<: *b}\n"
    found = read(written(tmp_path, text))
    assert found == {
        "a": {"x": 1, "y": 2},
        "b": {"y": 3, "z": 4},
        "c": {"x": 5, "y": 2, "z": 4},
        "d": {"y": 3, "z": 4},
        "e": {"y": 3, "z": 6},
    }


def test_keys_are_text_whatever_they_look_like(tmp_path: Path) -> None:
    assert read(written(tmp_path, "200: ok\ntrue: yes\nnull: no\n1.5: half\n")) == {
        "200": "ok",
        "true": "yes",
        "null": "no",
        "1.5": "half",
    }


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "the key 'a' stands twice"),
        ("200: a\n'200': b\n", 2, "the key '200' stands twice"),
        ("a: 1\nb: [1\nc: 2\n", 3, ""),
        ("a: 1\n? [x]\n: b\n", 2, "a key is text"),
        ("a: 1\nb: 1e999\n", 2, "no usable number"),
        ("a: " + "9" * 5000, 1, "no usable integer"),
        ("a: !!int x", 1, "no usable integer"),
        ("a: !!float x", 1, "no usable number"),
        ("a: !!bool maybe", 1, "neither true nor false"),
        ("a: !!map [x]", 1, "expected a mapping"),
        ("a: !!str [x]", 1, "expected a scalar"),
        ("a: 1\nb: !!timestamp 2020-01-01\n", 2, "timestamp"),
        ("a: !!set {x}", 1, "set"),
        ("a: !!python/object/apply:os.getcwd []", 1, "python"),
        ("a: 1\nb: \x01\n", 2, "the character #x0001 cannot stand here"),
        ("a: *nothing\n", 1, "undefined alias"),
        ("a: 1\n---\nb: 2\n", 2, "another document"),
    ],
)  # fmt: skip
def test_what_is_no_json_is_refused_with_its_line(tmp_path: Path, text: str, line: int, reason: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ContractError) as caught:
        read(path)
    assert caught.value.place == f"{path}:{line}"
    assert reason in caught.value.message
    assert str(caught.value) == f"{path}:{line}: {caught.value.message}"


def test_text_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_bytes(b"a: \xff\n")
    with pytest.raises(ContractError, match=r"file\.yaml:1: not UTF-8"):
        read(path)


@pytest.mark.parametrize("name", ["absent.yaml", "folder", "nul\0.yaml"])
def test_what_is_no_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(ContractError, match=":1: "):
        read(tmp_path / name)


def test_merged_keys_are_overridden_by_a_mappings_own(tmp_path: Path) -> None:
    text = "top:\n  mid:\n    base: &base {<<: {x: 1, y: 1}, x: 2}\nother: {<<: *base, z: 3}\n"
    assert read(written(tmp_path, text)) == {
        "top": {"mid": {"base": {"x": 2, "y": 1}}},
        "other": {"x": 2, "y": 1, "z": 3},
    }


def test_a_file_is_read_anew_when_it_has_changed(tmp_path: Path) -> None:
    assert read(written(tmp_path, "a: 1\n")) == {"a": 1}
    assert read(written(tmp_path, "a: 1\nb: 2\n")) == {"a": 1, "b": 2}


@given(tokens=st.lists(st.text()))
@settings(deadline=None)
def test_a_pointer_is_its_tokens(tokens: list[str]) -> None:
    assert steps("".join(f"/{escape(token)}" for token in tokens)) == tokens


@given(value=JSON)
@settings(deadline=None)
def test_every_pointer_into_a_value_leads_to_what_stands_there(value: Any) -> None:
    for pointer, part in pointers(value):
        assert resolve(value, pointer) == part or (isinstance(part, float) and math.isnan(part))


@pytest.mark.parametrize("pointer", ["/b", "/a/1", "/a/x", "/a/0/c", "/"])
def test_a_pointer_to_nothing_is_a_key_error(pointer: str) -> None:
    with pytest.raises(KeyError):
        resolve({"a": [1]}, pointer)


@given(value=st.dictionaries(TEXT, JSON, max_size=4))
@settings(deadline=None)
def test_the_line_of_a_key_is_where_it_is_written(tmp_path_factory: pytest.TempPathFactory, value: Any) -> None:
    path = written(tmp_path_factory.mktemp("lines"), json.dumps(value, indent=1, ensure_ascii=False))
    lines = path.read_text(encoding="utf-8").split("\n")
    for pointer, part in pointers(value):
        name = steps(pointer)[-1] if pointer else ""
        holder = resolve(value, pointer.rpartition("/")[0]) if pointer else None
        if isinstance(holder, dict):
            assert lines[line_of(path, pointer) - 1].strip().startswith(f"{json.dumps(name, ensure_ascii=False)}: "), (
                part
            )


def test_the_line_of_what_is_not_there_is_its_nearest_parents(tmp_path: Path) -> None:
    path = written(tmp_path, "a:\n  b:\n    c: 1\n  d: [1, 2]\n")
    assert [line_of(path, pointer) for pointer in ("", "/x", "/a/b/x/y", "/a/d/7", "/a/d/1/z")] == [1, 1, 2, 4, 4]


def test_a_file_is_shown_below_the_data_folder_and_in_full_elsewhere(tmp_path: Path) -> None:
    assert shown(data_root() / "openapi" / "README.md") == "openapi/README.md"
    assert shown(tmp_path / "x.yaml") == str(tmp_path / "x.yaml")
