"""Where reports are to go, looked at before a run: nobody wants to learn after an hour that nothing can be written."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

from conformance.caller import BadTarget


def ready(folder: Path, names: Iterable[str] = ()) -> None:
    """Make a folder, and see that files of these names can be written there. Raises BadTarget."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise BadTarget(f"nothing can be written to the folder {folder}: {error.strerror or error}") from None
    for name in names:
        if (folder / name).is_dir():
            raise BadTarget(f"{folder / name} is a folder, and no report can take its place")
