"""One-fault SubscriptionFlows."""

from mock_server.faulty.vendors.subscriptionflow import filtering, listing, records

FAULTS = (*records.FAULTS, *listing.FAULTS, *filtering.FAULTS)
