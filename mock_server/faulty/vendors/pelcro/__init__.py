"""One-fault Pelcros."""

from mock_server.faulty.vendors.pelcro import foreseen, unforeseen

FAULTS = (*foreseen.FAULTS, *unforeseen.FAULTS)
