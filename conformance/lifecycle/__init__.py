"""Random lives of records: a Hypothesis state machine built from `x-action`, each answer compared with a model.

Scripted promises test what somebody thought of; this tests the orders nobody wrote down.
"""

from conformance.lifecycle.layer import execute, resources

__all__ = ["execute", "resources"]
