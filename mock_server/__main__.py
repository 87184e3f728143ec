"""The command `mockingbill`, as `python -m mock_server` too: begun so that Ctrl-C is heeded while the rest is still being read in."""

import sys


def main() -> None:
    """Run the command."""
    try:
        from mock_server.cli import main as command
    except KeyboardInterrupt:
        sys.exit(130)
    command()


if __name__ == "__main__":
    main()
