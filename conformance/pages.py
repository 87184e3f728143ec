"""What each promise is, written from the promise itself: its sentence, its facts, whose contract states it, how it is held."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Sequence

from conformance.promise import Promise, all_promises
from conformance.scope import Scope, read
from mock_server.contract import vendors

_HEAD = """# Promises

<!-- Written by `mockingbill promises --write docs/promises.md`; a test holds that it is up to date. -->

Each promise is a rule that an implementation keeps, and that no schema can state. It probes facts that the contract states in its `x-` keys
(`openapi/README.md` says what they mean), once for each subject: an operation, a resource or a single fact.

```sh
mockingbill promises > promises.txt
head -2 promises.txt
```

```text
answers_match_their_schema
    A valid call …
```

To hold an implementation to one promise alone:

<!-- not run: docs/conformance.md runs the same with another promise -->
```sh
pytest --pyargs conformance.suite --mockingbill-vendor VENDOR --mockingbill-target http://127.0.0.1:8080 -k NAME
```
"""


def rows() -> Iterator[tuple[str, str]]:
    """Each promise's name and sentence."""
    for promise in all_promises():
        yield promise.name, promise.sentence


def page() -> str:
    """The page of all promises, as Markdown."""
    scopes = [Scope(read(name), inferred=True) for name in vendors()]
    return _HEAD.replace("VENDOR", vendors()[-1]) + "".join(
        f"\n{section(promise, scopes)}" for promise in all_promises()
    )


def section(promise: Promise, scopes: Sequence[Scope]) -> str:
    """One promise: what it says, why it is there, what it rests on and what it is held about."""
    module = sys.modules[promise.probe.__module__]
    lines = [f"## {promise.name}", "", promise.sentence, ""]
    about = inspect.getdoc(module) or ""
    if about.rstrip(".") not in promise.sentence:
        lines += [about, ""]
    lines += [f"Facts: {', '.join(f'`{fact}`' for fact in promise.facts)}", ""]
    if how := inspect.getdoc(promise.probe):
        lines += [f"Held by this: {' '.join(how.split())}", ""]
    held = [scope.contract.name for scope in scopes if any(True for _ in promise.subjects(scope))]
    lines.append(
        f"Stated in the contracts of {', '.join(held)}." if held else "No vendor here states anything of the kind."
    )
    return "\n".join(lines) + "\n"
