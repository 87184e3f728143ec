"""How Hypothesis begins: without what earlier runs left, without what happens to be loaded, and without working out what is known."""

from __future__ import annotations

import gzip
import json
import unicodedata
from pathlib import Path

from hypothesis import configuration
from hypothesis.internal import charmap
from hypothesis.internal.conjecture import providers

_UTF_8 = [[[0x0, 0xD7FF], [0xE000, 0x10FFFF]], []]
"""The characters that UTF-8 encodes, all but surrogates, and those that do not come back as they were."""


def begin(folder: Path) -> None:
    """Let Hypothesis keep what it keeps in a new folder, and draw nothing from what is loaded.

    It takes constants from the source of every module outside site-packages: a seed's requests would depend on where the suite is installed and on
    what a target imports.
    """
    configuration.set_hypothesis_home_dir(folder)
    vars(providers)["is_local_module_file"] = lambda path: False
    known_characters(folder)


def known_characters(folder: Path) -> None:
    """Write down where Hypothesis looks for it which characters UTF-8 has, which it would spend seconds on finding out."""
    file = folder / "unicode_data" / unicodedata.unidata_version / "codec-v2-utf-8.json.gz"
    file.parent.mkdir(parents=True, exist_ok=True)
    with gzip.GzipFile(file, "wb", mtime=1) as stream:
        stream.write(json.dumps(_UTF_8).encode())


def warm() -> None:
    """Read the tables of characters in, for every fork of this process."""
    charmap.charmap()
    charmap.intervals_from_codec("utf-8")
