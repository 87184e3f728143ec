"""One-fault Stykites."""

from mock_server.faulty.vendors.stykite import foreseen, unforeseen

FAULTS = (*foreseen.FAULTS, *unforeseen.FAULTS)
