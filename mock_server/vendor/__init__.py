"""What a vendor module fills in (Vendor), and what its actions are given (Call)."""

from mock_server.clock import Timestamps
from mock_server.vendor.call import COUNTERS, SHARED, Call, counter, next_number
from mock_server.vendor.messages import NONE, NOTHING, Answer, Caller, Claim, Input, Page, Request, Result
from mock_server.vendor.module import Action, Failure, Mint, Vendor, load_vendor

__all__ = [
    "COUNTERS",
    "NONE",
    "NOTHING",
    "SHARED",
    "Action",
    "Answer",
    "Call",
    "Caller",
    "Claim",
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
