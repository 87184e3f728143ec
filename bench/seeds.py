"""Seeds as a command line names them."""

from __future__ import annotations

import click


def numbers(text: str) -> list[int]:
    """Numbers and ranges of them, with commas: `1-20` or `1,4,7`. Raises UsageError."""
    try:
        pairs = [part.partition("-") for part in text.split(",")]
        return [n for low, _, high in pairs for n in range(int(low), int(high or low) + 1)]
    except ValueError:
        raise click.UsageError(f"{text!r} is no list of seeds, such as 1-20 or 1,4,7.") from None
