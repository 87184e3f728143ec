"""Faults that were written down before anybody looked whether a promise would catch them: what the suite is worth against the unforeseen.

`docs/faults.md` tells which of them were caught at first sight.
"""

from mock_server.faulty.vendors.unforeseen import pelcro, stykite, subscriptionflow, wispgate

FAULTS = (*wispgate.FAULTS, *subscriptionflow.FAULTS, *pelcro.FAULTS, *stykite.FAULTS)
