"""The faults of each vendor, in a module or package of its name with FAULTS."""
