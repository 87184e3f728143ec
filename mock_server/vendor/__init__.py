"""What a vendor module fills in (Vendor), and what its actions are given (Call)."""

from mock_server.clock import Timestamps
from mock_server.vendor.call import COUNTERS, SHARED, Call, counter, next_number
from mock_server.vendor.messages import Answer, Caller, Input, Page, Request, Result
from mock_server.vendor.module import Action, Failure, Mint, Vendor, load_vendor

__all__ = [
    "COUNTERS",
    "SHARED",
    "Action",
    "Answer",
    "Call",
    "Caller",
    "Failure",
    "Input",
    "Mint",
    "Page",
    "Request",
    "Result",
    "Timestamps",
    "Vendor",
    "counter",
    "load_vendor",
    "next_number",
]
