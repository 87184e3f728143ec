"""What a vendor module fills in (Vendor), and what its functions are given: a Call, or a Space where time alone is at work."""

from mock_server.clock import Timestamps
from mock_server.vendor.call import Call
from mock_server.vendor.messages import NONE, NOTHING, Answer, Caller, Claim, Event, Input, Page, Request, Result
from mock_server.vendor.module import Action, Due, Failure, Mint, Payload, Vendor, load_vendor
from mock_server.vendor.space import COUNTERS, SHARED, Space, counter, next_number

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
    "Due",
    "Event",
    "Failure",
    "Input",
    "Mint",
    "Page",
    "Payload",
    "Request",
    "Result",
    "Space",
    "Timestamps",
    "Vendor",
    "counter",
    "load_vendor",
    "next_number",
]
