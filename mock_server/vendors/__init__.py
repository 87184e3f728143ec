"""One module a vendor, for what its document cannot state."""
