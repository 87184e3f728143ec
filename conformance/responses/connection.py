"""How Schemathesis' requests reach the target: as the suite's other requests do, and without asking the machine the same thing before each."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

from schemathesis.engine import context


@contextlib.contextmanager
def direct() -> Iterator[None]:
    """Sessions that heed no proxy and no credentials of this machine's.

    A netrc file would lend a request that is to have no credentials some; and looking it and the proxies up takes a tenth of a run.
    """
    make = context.make_session

    def make_session(*arguments: Any, **options: Any) -> Any:
        session = make(*arguments, **options)
        session.trust_env = False
        return session

    with patch.object(context, "make_session", make_session):
        yield
