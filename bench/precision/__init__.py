"""The suite's precision: it has nothing to say against right servers."""
