"""The suite's power: which promise catches which server of the catalogue."""
