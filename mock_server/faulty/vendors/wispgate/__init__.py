"""One-fault WISPGates."""

from mock_server.faulty.vendors.wispgate import foreseen, unforeseen

FAULTS = (*foreseen.FAULTS, *unforeseen.FAULTS)
