"""The right servers, by name."""

from __future__ import annotations

import acme_server
import club_server

from bench.precision.judging import Right
from conformance.target import serve
from right import ACME, CLUB, flask_acme, plain_acme, plain_club

NO_CLOCK = ".*: the target has no control address: no clock to move, .*"
NO_BILL = "list_holds_each_once listBills: no Bill can be made, and none is known"

RIGHT = {
    right.name: right
    for right in (
        Right("starlette acme", ACME, lambda: serve(acme_server.create_app()), untested=(NO_CLOCK,)),
        Right("flask acme", ACME, flask_acme.serve, untested=(NO_CLOCK,)),
        Right("http.server acme", ACME, plain_acme.serve, untested=(NO_CLOCK,)),
        Right("starlette club", CLUB, lambda: serve(club_server.create_app()), "/control", untested=(NO_BILL,)),
        Right("http.server club", CLUB, plain_club.serve, "/control", untested=(NO_BILL,)),
    )
}
