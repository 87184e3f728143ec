"""mockingbill's mock server: subscription and billing APIs, served from their contracts, with memory.

`create_app` gives an ASGI application; `Vendor`, `Call` and `Problem` are what a vendor module is written with.
"""

from mock_server.app import create_app
from mock_server.contract import ContractError
from mock_server.problems import Problem, Violation
from mock_server.vendor import Answer, Call, Page, Vendor

__all__ = ["Answer", "Call", "ContractError", "Page", "Problem", "Vendor", "Violation", "create_app"]
