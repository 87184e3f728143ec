"""A page for each promise, written from the promise itself: its sentence, how it is held, where its facts are stated, the faults it sees."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from conformance.promise import Promise, all_promises
from conformance.scope import Scope, read
from mock_server.contract import data_root, vendors

_MOST = 12
_HEAD = """# Promises

<!-- Written by `mockingbill promises --write docs/promises`; a test holds that it is up to date. -->

Each promise is a rule that an implementation keeps, and that no schema can state. It probes facts that the contract states in its `x-` keys
([openapi/README.md](../../openapi/README.md) says what they mean), once for each subject: an operation, a resource or a single fact. A page for each
tells how it is held, where its facts are stated, and which servers of the [fault catalogue](../faults.md) are meant to break it.

```sh
mockingbill promises > promises.txt
head -2 promises.txt
```

```text
allowed_is_accepted
    What a schema allows …
```

| promise | says |
| --- | --- |
"""


@dataclass(frozen=True)
class Wrong:
    """A server of the fault catalogue that a promise is meant to catch."""

    name: str
    vendor: str
    sentence: str


def rows() -> Iterator[tuple[str, str]]:
    """Each promise's name and sentence."""
    for promise in all_promises():
        yield promise.name, promise.sentence


def pages(faults: Mapping[str, Sequence[Wrong]]) -> dict[str, str]:
    """The index and a page for each promise, by file name; `faults` are the catalogue's, by the promise that they are meant for."""
    scopes = [Scope(read(name), inferred=True) for name in vendors()]
    written = {"README.md": _HEAD + "".join(f"| [`{name}`]({name}.md) | {sentence} |\n" for name, sentence in rows())}
    for promise in all_promises():
        written[f"{promise.name}.md"] = page(promise, scopes, faults.get(promise.name, ()))
    return written


def page(promise: Promise, scopes: Sequence[Scope], faults: Sequence[Wrong]) -> str:
    """The page of one promise."""
    about = inspect.getdoc(sys.modules[promise.probe.__module__]) or ""
    parts = [
        f"# {promise.name}\n",
        "<!-- Written by `mockingbill promises --write docs/promises`; a test holds that it is up to date. -->\n",
        f"> {promise.sentence}\n",
        f"{about}\n",
        f"It probes {', '.join(f'`{fact}`' for fact in promise.facts)}.\n",
        "## Where it is stated\n",
        _stated(promise, scopes),
        "## Wrong servers that it is meant to catch\n",
        "".join(f"- `{one.name}` ({one.vendor}): {one.sentence}\n" for one in faults),
        "To see one caught, and to hold an implementation to this promise alone:\n",
        _commands(promise, faults[0] if faults else Wrong("NAME", vendors()[-1], "")),
    ]
    return "\n".join(parts)


def _stated(promise: Promise, scopes: Sequence[Scope]) -> str:
    """A table of the documents that state such facts, with the subjects that it is held about."""
    lines = ["| contract | written in | held about |", "| --- | --- | --- |"]
    for scope in scopes:
        subjects = list(promise.subjects(scope))
        if not subjects:
            continue
        files = dict.fromkeys(_file(scope, subject.pointer) for subject in subjects)
        links = ", ".join(f"[{file}](../../openapi/{file})" for file in files)
        names = [subject.name for subject in subjects]
        told = ", ".join(names[:_MOST]) + (f" and {len(names) - _MOST} more" if len(names) > _MOST else "")
        lines.append(f"| {scope.contract.name} | {links} | {told} |")
    return "\n".join(lines) + "\n"


def _file(scope: Scope, pointer: str) -> str:
    """The file of a contract in which a part of it is written, as seen from the folder of all contracts."""
    file = data_root() / scope.contract.place(pointer).rpartition(":")[0]
    here = (data_root() / "openapi").resolve()
    return file.resolve().relative_to(here).as_posix()


def _commands(promise: Promise, fault: Wrong) -> str:
    return f"""<!-- not run: docs/conformance.md and docs/faults.md run the same with others -->
```sh
mockingbill serve --fault-catalogue {fault.name}
pytest --pyargs conformance.suite --mockingbill-vendor {fault.vendor} --mockingbill-target http://127.0.0.1:8080 -k {promise.name}
```
"""
