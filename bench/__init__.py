"""What measures the mock: against peers by the clock (`python -m bench`), and by counts that need neither (`python -m bench.cost`)."""
