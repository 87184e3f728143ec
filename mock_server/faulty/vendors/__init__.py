"""The faults of each vendor, in a package of its name with FAULTS; `docs/faults.md` tells how those of each `unforeseen` came to be."""
