"""One world with so many customers in this process, and how long a call takes in it: RECORDS, then operations on standard input, a line each."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench.inprocess import Prepared, call, prepare
from bench.rows.customers import HEADERS, new
from bench.servers.customers import DOCUMENT, PAGE
from mock_server import Vendor, create_app
from mock_server.contract import load, load_fixtures

PATH = "/small/customers"
LONGEST, MOST, LEAST = 0.5, 500, 20


class World:
    """The application and what is known of its records."""

    def __init__(self, size: int) -> None:
        contract = load(DOCUMENT)
        self.app = create_app(extra=[(contract, load_fixtures(contract), Vendor(contract.name))])
        self.size = size
        self.turn = size
        self.keys = ["cus_0000001"]
        self.send("GET", "?page=1", 200)
        empty = resident()
        for number in range(1, size):
            self.keys.append(self.create(number))
        self.bytes_a_record = (resident() - empty) / size

    def send(self, method: str, path: str, expected: int, body: bytes = b"") -> bytes:
        """One call; anything but the status expected ends the run."""
        status, content = call(self.app, self.request(method, path, body))
        assert status == expected, f"{method} {path}: {status} {content!r}"
        return content

    def request(self, method: str, path: str, body: bytes = b"") -> Prepared:
        """A call to the collection or below it."""
        return prepare(method, f"{PATH}{path}", HEADERS, body)

    def create(self, number: int) -> str:
        """A new customer's id."""
        made = json.loads(self.send("POST", "", 201, json.dumps(new(f"{number:08d}")).encode()))
        return str(made["id"])

    def step(self) -> int:
        """A number that goes round the records in large strides, so that no two calls touch neighbours."""
        self.turn = (self.turn + 104_729) % self.size
        return max(1, self.turn)

    def operation(self, name: str) -> tuple[Callable[[], Prepared], int, str]:
        """What makes the request of an operation, the status it is to have, what must be in the answer."""
        last = self.size // PAGE
        made = {
            "get": lambda: self.request("GET", f"/{self.keys[self.step()]}"),
            "first page": lambda: self.request("GET", "?page=1"),
            "deep page": lambda: self.request("GET", f"?page={min(5000, last)}"),
            "unique check": lambda: self.request("POST", "", json.dumps(new(f"{self.step():08d}")).encode()),
            "filter on a unique field": lambda: self.request("GET", f"/search?external_id=ext-{self.step():08d}"),
            "filter on another field": lambda: self.request(
                "GET", f"/search?email=grace-{self.step():08d}@example.com"
            ),
        }
        if name == "create":
            return (
                lambda: self.request("POST", "", json.dumps(new(f"more{time.perf_counter_ns()}")).encode()),
                201,
                '"cus_',
            )
        return made[name], 409 if name == "unique check" else 200, "duplicate" if name == "unique check" else '"cus_'

    def microseconds(self, name: str) -> float:
        """CPU time of a call, on average; a created record is deleted again, and that is not counted.

        The first call is not counted either: the first search by a field makes its index.
        """
        make, expected, inside = self.operation(name)
        if name != "create":
            call(self.app, make())
        used, count = 0.0, 0
        ends = time.perf_counter() + LONGEST
        while count < LEAST or (count < MOST and time.perf_counter() < ends):
            request = make()
            before = time.process_time_ns()
            status, content = call(self.app, request)
            used += time.process_time_ns() - before
            count += 1
            assert status == expected and inside.encode() in content, f"{name}: {status} {content[:200]!r}"
            if name == "create":
                self.send("DELETE", f"/{json.loads(content)['id']}", 204)
        return used / count / 1000


def resident() -> int:
    """The bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Build the world, say so, answer until the input ends."""
    world = World(int(sys.argv[1]))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        name = line.strip()
        sys.stdout.write(f"{world.bytes_a_record if name == 'memory' else world.microseconds(name):.3f}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
