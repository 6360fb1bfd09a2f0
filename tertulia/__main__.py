"""`tertulia` and `python -m tertulia`: the command line. Ctrl-C ends it quietly, also while it is being loaded."""

import sys
from importlib import import_module

__all__ = ["main"]


def main() -> None:
    """Load the command line inside the `try`, so that nobody sees where in an import an interrupt fell."""
    try:
        import_module("tertulia.cli").main()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
