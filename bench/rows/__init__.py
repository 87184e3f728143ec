"""The rows of the benchmarks: each module measures one and gives a Row."""
