"""Random lives of records, compared with a model."""

from __future__ import annotations

from conformance.lifecycle import execute
from conformance.plugin import settle
from conformance.run import Run


def test_records_live_as_the_model_says(mockingbill_run: Run, mockingbill_resource: str) -> None:
    """Whatever is done in whatever order, every answer agrees with what was done before."""
    settle(execute(mockingbill_run, mockingbill_resource))
