"""One self-contained document of several files, which remembers where each part is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mock_server.contract import ContractError, data_root, resolve, vendors, walk
from mock_server.contract.bundle import Bundle, bundle
from mock_server.contract.files import read, steps


def bundled(folder: Path, **files: str) -> Bundle:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return bundle(folder / "main.yaml")


def test_a_reference_to_another_file_is_replaced_by_what_it_names(tmp_path: Path) -> None:
    found = bundled(tmp_path, main="a: {$ref: 'other.yaml#/x/0'}\n", other="x: [{b: 1}]\n")
    assert found.document == {"a": {"b": 1}}


def test_a_reference_to_a_whole_file_is_replaced_by_the_file(tmp_path: Path) -> None:
    assert bundled(tmp_path, main="a: {$ref: other.yaml}\n", other="b: 1\n").document == {"a": {"b": 1}}


def test_a_local_reference_stays(tmp_path: Path) -> None:
    found = bundled(tmp_path, main="a: {$ref: '#/b'}\nb: 1\n")
    assert found.document == {"a": {"$ref": "#/b"}, "b": 1}


def test_a_reference_back_into_the_document_becomes_a_local_one(tmp_path: Path) -> None:
    found = bundled(tmp_path, main="a: {$ref: 'other.yaml#/x'}\nb: 1\n", other="x: {c: {$ref: 'main.yaml#/b'}}\n")
    assert found.document["a"] == {"c": {"$ref": "#/b"}}


def test_a_local_reference_in_another_file_means_that_file(tmp_path: Path) -> None:
    found = bundled(tmp_path, main="a: {$ref: 'other.yaml#/x'}\ny: 1\n", other="x: {c: {$ref: '#/y'}}\ny: 2\n")
    assert found.document["a"] == {"c": 2}


def test_a_part_that_the_document_lists_as_a_component_is_written_once_however_it_is_referred_to(
    tmp_path: Path,
) -> None:
    found = bundled(
        tmp_path,
        main="a: {$ref: 'other.yaml#/x'}\ncomponents: {schemas: {S/T: {$ref: 'other.yaml#/s'}, U: {$ref: 'third.yaml#/u'}}}\n",
        other="x: {c: {$ref: '#/s'}, d: {$ref: 'third.yaml#/u'}}\ns: {e: {$ref: '#/s'}}\n",
        third="u: 1\n",
    )
    named = {"$ref": "#/components/schemas/S~1T"}
    assert found.document["a"] == {"c": named, "d": {"$ref": "#/components/schemas/U"}}
    assert found.document["components"]["schemas"] == {"S/T": {"e": named}, "U": 1}


def test_a_part_is_placed_in_the_file_that_it_is_written_in(tmp_path: Path) -> None:
    found = bundled(
        tmp_path,
        main="a:\n  x/y: {$ref: 'other.yaml#/x'}\n",
        other="w: 1\nx:\n  c:\n    $ref: third.yaml#/z\n",
        third="z:\n  d: 1\n",
    )
    main, other, third = (tmp_path / f"{name}.yaml" for name in ("main", "other", "third"))
    assert found.written_at("/a") == (main, "/a")
    assert found.written_at("/a/x~1y") == (other, "/x")
    assert found.written_at("/a/x~1y/c/d") == (third, "/z/d")
    assert [found.place(pointer) for pointer in ("/a", "/a/x~1y", "/a/x~1y/c", "/a/x~1y/c/d")] == [
        f"{main}:1", f"{other}:2", f"{third}:1", f"{third}:2"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("main", "reason"),
    [
        ("b: 1\na: {$ref: 'other.yaml#/nothing'}\n", "names nothing"),
        ("b: 1\na: {$ref: 'absent.yaml#/x'}\n", "cannot be followed: .*absent.yaml:1: there is no such file"),
        ("b: 1\na: {$ref: 'other.yaml#/loop'}\n", "leads back to itself"),
        ("b: 1\na: {$ref: 'broken.yaml#/x'}\n", "cannot be followed: .*broken.yaml:2: the key 'x' stands twice"),
        ('b: 1\na: {$ref: "\\0.yaml#/x"}\n', "names no file"),
    ],
)
def test_a_reference_that_cannot_be_followed_is_refused_where_it_stands(tmp_path: Path, main: str, reason: str) -> None:
    (tmp_path / "broken.yaml").write_text("x: 1\nx: 2\n")
    with pytest.raises(ContractError, match=reason) as caught:
        bundled(tmp_path, main=main, other="loop: {again: {$ref: '#/loop'}}\n")
    if "itself" not in reason:
        assert (caught.value.place, caught.value.pointer) == (f"{tmp_path / 'main.yaml'}:2", "/a")


@pytest.mark.parametrize("main", ["[]\n", "text\n", ""])
def test_a_document_that_is_no_mapping_is_refused(tmp_path: Path, main: str) -> None:
    with pytest.raises(ContractError, match=r"main\.yaml:1: a contract is a mapping"):
        bundled(tmp_path, main=main)


@pytest.mark.parametrize("main", ["a: &a [*a]\n", "a: &a {b: *a}\n", "a: " + "[" * 2000 + "]" * 2000])
def test_a_document_without_an_end_is_refused(tmp_path: Path, main: str) -> None:
    with pytest.raises(ContractError, match="nested too deep"):
        bundled(tmp_path, main=main)


@pytest.mark.parametrize("vendor", vendors())
def test_every_part_of_a_shipped_document_is_written_where_the_bundle_says(vendor: str) -> None:
    found = bundle(data_root() / "openapi" / f"{vendor}.yaml")
    for part in walk(found.document):
        path, inside = found.written_at(part.pointer)
        assert unresolved(read(path), inside) == unresolved(part.node, "")


def unresolved(document: Any, pointer: str) -> set[str]:
    """The keys of an object, which a bundle keeps; below references only what they stand for."""
    assert steps(pointer) is not None
    node = resolve(document, pointer)
    return set(node) if "$ref" not in node else {"$ref"}
