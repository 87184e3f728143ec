"""The mock itself with a document that is not ours: PORT DOCUMENT."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

from mock_server.app import create_app, serving
from mock_server.contract import load, load_fixtures
from mock_server.vendor import Vendor


def main() -> None:
    """Run the product's server as it is; only the vendor comes from the document named."""
    port, document = int(sys.argv[1]), Path(sys.argv[2])
    contract = load(document)

    def create(_names: Any, **options: Any) -> Any:
        return create_app(extra=[(contract, load_fixtures(contract), Vendor(contract.name))], **options)

    with patch.object(serving, "create_app", create):
        serving.run((), host="127.0.0.1", port=port)


if __name__ == "__main__":
    main()
