"""Where the miniature vendor's document is."""

from __future__ import annotations

from pathlib import Path

DOCUMENT = str(Path(__file__).parent.parent / "data" / "acme" / "openapi" / "acme.yaml")
