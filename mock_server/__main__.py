"""`python -m mock_server` is the command `mockingbill`."""

from mock_server.cli import main

main()
