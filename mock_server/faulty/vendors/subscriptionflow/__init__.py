"""One-fault SubscriptionFlows."""

from mock_server.faulty.vendors.subscriptionflow import filtering, listing, records, unforeseen, unforeseen_filters

FAULTS = (*records.FAULTS, *listing.FAULTS, *filtering.FAULTS, *unforeseen.FAULTS, *unforeseen_filters.FAULTS)
