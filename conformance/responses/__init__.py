"""The responses and fuzzing layers, and the one adapter around Schemathesis: every operation through its phases and checks.

Arranged so that a right server has no failure. Nothing else in the suite imports Schemathesis; its version is pinned, as
`schemathesis.engine` is not documented API.
"""

from conformance.responses.layer import execute

__all__ = ["execute"]
