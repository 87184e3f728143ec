"""The Python servers that are measured, each a module to run with a port, all on the product's own server and settings."""

from __future__ import annotations

import sys
from typing import Any

import uvicorn


def listen(app: Any) -> None:
    """Serve an application on the port that the command line names, with the settings of `mockingbill serve`."""
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        lifespan="on",
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        ws="none",
    )
